/* SPDX-License-Identifier: MIT */
/* Numbers in words, as ICU spells them. */
#include "spoken_out.h"

#include <pthread.h>

#include <unicode/unum.h>
#include <unicode/ustring.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void add_digit_names(struct spoken_words *w, int64_t number)
{
	static const char *const names[] = {"zero", "one", "two", "three",
					    "four", "five", "six", "seven",
					    "eight", "nine"};
	char reversed[20];
	size_t n = 0;

	do
		reversed[n++] = (char)(number % 10);
	while ((number /= 10) > 0);
	while (n > 0)
		spoken_add_word(w, names[(int)reversed[--n]]);
}

/* Opening the rules takes a millisecond: once for all, and one at a time. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static UNumberFormat *formats[3];

static UNumberFormat *format_of(enum spoken_style style)
{
	static const char *const rules[] = {
		[SPOKEN_CARDINAL] = "%spellout-cardinal",
		[SPOKEN_ORDINAL] = "%spellout-ordinal",
		[SPOKEN_YEAR] = "%spellout-numbering-year",
	};
	UErrorCode e = U_ZERO_ERROR;
	UChar rule[32];
	UNumberFormat *f = formats[style];

	if (f)
		return f;
	f = unum_open(UNUM_SPELLOUT, NULL, 0, "en", NULL, &e);
	u_uastrcpy(rule, rules[style]);
	unum_setTextAttribute(f, UNUM_DEFAULT_RULESET, rule, -1, &e);
	if (U_FAILURE(e)) {
		unum_close(f);
		return NULL;
	}
	formats[style] = f;
	return f;
}

void spoken_add_number(struct spoken_words *w, int64_t number,
		       enum spoken_style style)
{
	UErrorCode e = U_ZERO_ERROR;
	UChar wide[256];
	char text[256];
	int32_t n = 0;
	UNumberFormat *f;

	pthread_mutex_lock(&lock);
	f = format_of(style);
	if (f)
		n = unum_formatInt64(f, number, wide, N(wide), NULL, &e);
	pthread_mutex_unlock(&lock);
	u_strToUTF8(text, sizeof(text), &n, wide, n, &e);
	if (!f || U_FAILURE(e)) {
		/* Without ICU's rules a number is read by its digits. */
		add_digit_names(w, number);
		return;
	}
	for (int32_t i = 0; i < n; i++)
		if (text[i] == '-')
			text[i] = ' ';
	spoken_add(w, text, (size_t)n);
}
