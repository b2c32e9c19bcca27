/* SPDX-License-Identifier: MIT */
#include "language.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unicode/uchar.h>
#include <unicode/uloc.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

/* A longer text is judged by its beginning. */
#define LOOK_BYTES 2048
#define SCRIPTS_MAX 8 /* of a language */
/* So many ideographs may stand beside a kana in Japanese. */
#define IDEOGRAPHS_A_KANA 8

struct letters {
	unsigned count[USCRIPT_CODE_LIMIT];
	unsigned all, other; /* letters; characters that are neither letters
			      * nor white space */
};

static void add(struct letters *l, UChar32 c)
{
	UErrorCode error = U_ZERO_ERROR;
	UScriptCode script;

	if (c < 0 || u_isUWhiteSpace(c))
		return;
	if (!u_isalpha(c)) {
		l->other++;
		return;
	}
	script = uscript_getScript(c, &error);
	if (U_FAILURE(error) || script <= USCRIPT_INHERITED)
		return;
	if (script == USCRIPT_KATAKANA)
		script = USCRIPT_HIRAGANA;
	l->count[script]++;
	l->all++;
}

static void count(struct letters *l, const char *text, size_t n)
{
	int32_t i = 0, end = (int32_t)(n < LOOK_BYTES ? n : LOOK_BYTES);

	while (i < end) {
		UChar32 c;

		U8_NEXT(text, i, end, c);
		add(l, c);
	}
	/* What is written in kana and ideographs is one language. */
	if (l->count[USCRIPT_HIRAGANA] * IDEOGRAPHS_A_KANA >=
	    l->count[USCRIPT_HAN]) {
		l->count[USCRIPT_HIRAGANA] += l->count[USCRIPT_HAN];
		l->count[USCRIPT_HAN] = 0;
	}
}

/* Letters of scripts in which a language is written. */
static unsigned fitting(const struct letters *l, const char *language)
{
	UScriptCode codes[SCRIPTS_MAX];
	UErrorCode error = U_ZERO_ERROR;
	int32_t n = uscript_getCode(language, codes, SCRIPTS_MAX, &error);
	unsigned sum = 0;

	/* Of a language that is not known nothing is said. */
	if (U_FAILURE(error) || n <= 0)
		return l->all;
	for (int32_t i = 0; i < n; i++)
		sum += l->count[codes[i]];
	return sum;
}

static UScriptCode most_used(const struct letters *l)
{
	int most = USCRIPT_LATIN;

	for (int i = 0; i < USCRIPT_CODE_LIMIT; i++)
		if (l->count[i] > l->count[most])
			most = i;
	return (UScriptCode)most;
}

static void likely(char ret[LANGUAGE_ROOM], UScriptCode script)
{
	char guess[32], whole[ULOC_FULLNAME_CAPACITY];
	UErrorCode error = U_ZERO_ERROR;

	snprintf(guess, sizeof(guess), "und_%s", uscript_getShortName(script));
	uloc_addLikelySubtags(guess, whole, sizeof(whole), &error);
	if (U_SUCCESS(error))
		uloc_getLanguage(whole, ret, LANGUAGE_ROOM, &error);
	if (U_FAILURE(error) || strcmp(ret, "und") == 0)
		ret[0] = '\0';
}

void language_of_text(char ret[LANGUAGE_ROOM], const char *text, size_t n,
		      const char *told)
{
	struct letters l = {0};
	UScriptCode script;

	snprintf(ret, LANGUAGE_ROOM, "%s", told ? told : "");
	count(&l, text, n);
	script = most_used(&l);
	if (script == USCRIPT_LATIN || l.count[script] * 2 <= l.all ||
	    (told && fitting(&l, told) * 2 >= l.all))
		return;
	/* One letter among figures and marks is a unit or a variable. */
	if (l.count[script] == 1 && l.other)
		return;
	likely(ret, script);
}

bool language_same(const char *a, const char *b)
{
	size_t n = a ? strcspn(a, "-_") : 0;

	return n && b && strcspn(b, "-_") == n && strncasecmp(a, b, n) == 0;
}
