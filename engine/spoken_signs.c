/* SPDX-License-Identifier: MIT */
/* Signs, pictures and punctuation that are not ASCII. */
#include "spoken_put.h"

#include <string.h>

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "spoken_names.h"

#define NEAR 8 /* white space that is looked over */
/* The most copies of a sign in a row that are counted. */
#define COPIES_MAX 64

/* --- signs --- */

static size_t skip_variants(const struct fold *f, size_t i)
{
	size_t next = i;

	while (fold_is_variant(fold_at(f, i, &next)))
		i = next;
	return i;
}

/* How many copies of c follow; *end is set behind them. */
static unsigned copies(const struct fold *f, UChar32 c, size_t *end)
{
	unsigned n = 1;
	size_t next;

	*end = skip_variants(f, *end);
	while (n < COPIES_MAX && fold_at(f, *end, &next) == c) {
		*end = skip_variants(f, next);
		n++;
	}
	return n;
}

static bool is_flag_letter(UChar32 c)
{
	return c >= 0x1f1e6 && c <= 0x1f1ff;
}

/* A name that may have letters with marks of its own. */
static void put_name(struct fold *f, const char *name)
{
	int32_t n = (int32_t)strlen(name);

	for (int32_t i = 0; i < n;) {
		UChar32 c;
		char ascii;

		U8_NEXT(name, i, n, c);
		ascii = (char)c;
		if (c < 0x80)
			fold_put(f, &ascii, 1);
		else
			fold_latin(f, c);
	}
}

/* Whether there is more to say behind a sign, and no stop before it. */
static bool goes_on(const struct fold *f, size_t end)
{
	if (end < f->len && f->text[end] == ' ')
		end++;
	return end < f->len && !strchr(" \t\r\n.,;:!?)", f->text[end]);
}

/* Says a sign and how often it stands there. */
static void put_sign(struct fold *f, const char *name, unsigned n, size_t end,
		     bool apart)
{
	struct spoken_words w = {.n = 0};
	size_t len = f->out->len;

	if (apart && (is_of_word(fold_last(f)) ||
		      (len > 1 && fold_last(f) == ' ' &&
		       is_of_word(f->out->text[len - 2]))))
		fold_put(f, ",", 1);
	fold_part(f);
	put_name(f, name);
	spoken_add_times(&w, n);
	fold_put(f, w.text, w.n);
	if ((n > 1 || apart) && goes_on(f, end))
		fold_put(f, ",", 1);
	if (end < f->len && !is_space(f->text[end]) &&
	    !strchr(".,;:!?)", f->text[end]))
		fold_put(f, " ", 1);
}

/* Lines, blocks, dots of Braille: what tables and pictures are drawn with. */
static bool is_drawn(UChar32 c)
{
	return (c >= 0x2500 && c <= 0x259f) || (c >= 0x2800 && c <= 0x28ff) ||
	       (c >= 0x1fb00 && c <= 0x1fbaf);
}

/* Whether a line begins with the sign that was read. */
static bool begins_line(const struct fold *f)
{
	size_t i = f->at;

	while (i > 0 && f->at - i < NEAR && f->text[i - 1] == ' ')
		i--;
	return i == 0 || f->text[i - 1] == '\n';
}

/* Squares and circles that begin a list's item are not meant themselves. */
static bool is_bullet(const struct fold *f, UChar32 c, size_t end)
{
	return (c == 0x25aa || c == 0x25ab || c == 0x25a0 || c == 0x25a1 ||
		c == 0x25cb || c == 0x25cf || c == 0x25e6) &&
	       begins_line(f) && end < f->len && f->text[end] == ' ';
}

size_t fold_symbol(struct fold *f, UChar32 c, size_t end)
{
	const char *sign = spoken_sign(c);
	char name[SPOKEN_NAME_MAX];
	bool picture = fold_is_picture(c), alone;
	size_t next;
	unsigned n = 1;

	if (is_flag_letter(c) && is_flag_letter(fold_at(f, end, &next))) {
		UChar32 second = fold_at(f, end, &next);

		spoken_flag(name, (char)('A' + (c - 0x1f1e6)),
			    (char)('A' + (second - 0x1f1e6)));
		put_sign(f, name, 1, next, true);
		return next;
	}
	if (is_bullet(f, c, end)) {
		fold_text(f, "-");
		return end;
	}
	alone = fold_is_alone(f, skip_variants(f, end));
	if (alone || !sign || picture)
		n = copies(f, c, &end);
	if (!alone && (is_drawn(c) || (sign && !*sign))) {
		fold_part(f);
		return end;
	}
	if (!alone && sign)
		put_sign(f, sign, n, end, false);
	else if (spoken_name(name, c) > 0)
		put_sign(f, name, n, end, picture && !alone);
	else
		f->out->lost = true;
	return end;
}

/* --- punctuation --- */

static bool between_digits(const struct fold *f, size_t end)
{
	return is_digit(fold_last(f)) && fold_digit_at(f, end);
}

void fold_stop(struct fold *f, char stop, size_t end)
{
	bool number = between_digits(f, end);
	size_t next;
	UChar32 after = fold_at(f, end, &next);
	uint32_t mask = after < 0 ? 0 : U_MASK(u_charType(after));

	fold_put(f, &stop, 1);
	if (!number && (fold_word_at(f, end) ||
			(mask & (U_GC_PS_MASK | U_GC_PI_MASK))))
		fold_put(f, " ", 1);
}

static char ascii_stop(UChar32 c)
{
	switch (c) {
	case 0x60c:
	case 0x3001:
		return ',';
	case 0x61b:
		return ';';
	case 0x61f:
	case 0x55e:
	case 0x1367:
		return '?';
	case 0x55c:
		return '!';
	case 0x66a:
		return '%';
	case 0x66b:
		return '.';
	case 0x66c:
		return ',';
	default:
		break;
	}
	if (u_hasBinaryProperty(c, UCHAR_S_TERM))
		return '.';
	return 0;
}

/* What is put for a mark in a text; NULL: nothing is known. */
static const char *mark(const struct fold *f, UChar32 c, size_t end)
{
	bool range = between_digits(f, end);
	bool tight = is_of_word(fold_last(f)) && fold_word_at(f, end);
	size_t next;
	UChar32 after = fold_at(f, end, &next);

	switch (c) {
	case 0x2010: /* hyphens, figure dash */
	case 0x2011:
	case 0x2012:
		return "-";
	case 0x2013:
		if (range)
			return "-";
		return tight && after >= 0 && u_isupper(after) ? " to " : "--";
	case 0x2014:
	case 0x2015:
		return "--";
	case 0x301c: /* wave dash */
		return range ? "-" : " ";
	case 0x2018: /* single quotes, prime */
	case 0x2019:
	case 0x201a:
	case 0x201b:
	case 0x2032:
		return "'";
	case 0xb7: /* dots and bullets */
	case 0x30fb:
		return tight ? " " : ", ";
	case 0x2022:
	case 0x2023:
	case 0x2043:
		return after >= 0 && u_isUWhiteSpace(after) ? "," : ", ";
	default:
		break;
	}
	switch (u_charType(c)) {
	case U_INITIAL_PUNCTUATION:
	case U_FINAL_PUNCTUATION:
		return "\"";
	case U_START_PUNCTUATION:
		return c >= 0x3008 && c <= 0x300f ? "\"" : "(";
	case U_END_PUNCTUATION:
		return c >= 0x3008 && c <= 0x300f ? "\"" : ")";
	case U_DASH_PUNCTUATION:
		return "-";
	default:
		return NULL;
	}
}

size_t fold_mark(struct fold *f, UChar32 c, size_t end)
{
	char name[SPOKEN_NAME_MAX];
	const char *said;
	char stop;

	if (fold_is_alone(f, end) && spoken_name(name, c) > 0) {
		fold_words(f, name, end);
		return end;
	}
	said = mark(f, c, end);
	stop = ascii_stop(c);
	if (said && said[0] == ',' && begins_line(f))
		/* As a list's item begins in ASCII. */
		fold_text(f, said[1] ? "- " : "-");
	else if (said)
		fold_text(f, said);
	else if (stop)
		fold_stop(f, stop, end);
	else if (u_hasBinaryProperty(c, UCHAR_TERMINAL_PUNCTUATION))
		fold_stop(f, ',', end);
	else if (is_of_word(fold_last(f)) && fold_word_at(f, end))
		fold_text(f, " ");
	return end;
}
