/* SPDX-License-Identifier: MIT */
#include "spoken_put.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#include "spoken_names.h"

#define PARTS_MAX 32 /* units of what one character stands for */
#define NEAR 8       /* white space that is looked over */
#define KEYCAP 0x20e3

/* --- the folded text --- */

void fold_put(struct fold *f, const char *bytes, size_t n)
{
	struct spoken_folded *o = f->out;

	if (o->len + n + 1 > f->cap) {
		size_t cap = 2 * (o->len + n) + 64;
		char *text = realloc(o->text, cap);
		uint32_t *source;

		if (text)
			o->text = text;
		source = realloc(o->source, cap * sizeof(*source));
		if (source)
			o->source = source;
		if (!text || !source) {
			f->error = -ENOMEM;
			return;
		}
		f->cap = cap;
	}
	for (size_t i = 0; i < n; i++) {
		o->text[o->len] = bytes[i];
		o->source[o->len++] = (uint32_t)f->place;
	}
}

void fold_text(struct fold *f, const char *text)
{
	fold_put(f, text, strlen(text));
}

void fold_part(struct fold *f)
{
	if (!is_space(fold_last(f)) && fold_last(f) != '(')
		fold_put(f, " ", 1);
}

/* --- the written text --- */

UChar32 fold_at(const struct fold *f, size_t i, size_t *ret_next)
{
	int32_t at = (int32_t)i;
	UChar32 c = -1;

	if (i < f->len)
		U8_NEXT(f->text, at, (int32_t)f->len, c);
	*ret_next = (size_t)at;
	return c;
}

bool fold_word_at(const struct fold *f, size_t i)
{
	size_t next;
	UChar32 c = fold_at(f, i, &next);

	return c >= 0 && u_isalnum(c);
}

bool fold_digit_at(const struct fold *f, size_t i)
{
	size_t next;
	UChar32 c = fold_at(f, i, &next);

	return c >= 0 && u_isdigit(c);
}

void fold_words(struct fold *f, const char *words, size_t end)
{
	fold_part(f);
	fold_text(f, words);
	if (fold_word_at(f, end))
		fold_put(f, " ", 1);
}

bool fold_is_alone(const struct fold *f, size_t end)
{
	size_t begin = f->at;

	if (f->inner)
		return false;
	for (int i = 0; i < NEAR && begin > 0 && is_space(f->text[begin - 1]);
	     i++)
		begin--;
	for (int i = 0; i < NEAR && end < f->len && is_space(f->text[end]); i++)
		end++;
	return (begin == 0 || f->text[begin - 1] == ',') &&
	       (end == f->len || f->text[end] == ',' ||
		(f->text[end] == '.' && end + 1 == f->len));
}

bool fold_is_mark(UChar32 c)
{
	return (U_MASK(u_charType(c)) & U_GC_M_MASK) != 0;
}

bool fold_is_picture(UChar32 c)
{
	return c > 0xff && u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC);
}

bool fold_is_variant(UChar32 c)
{
	return c == KEYCAP || (c >= 0x1f3fb && c <= 0x1f3ff) ||
	       (c >= 0xfe00 && c <= 0xfe0f) ||
	       (c >= 0 && u_charType(c) == U_FORMAT_CHAR);
}

/* --- compatibility forms --- */

/* Whether "squared" is meant: behind a number, a bracket, a short word. */
static bool is_power(const struct fold *f)
{
	const char *text = f->out->text;
	size_t n = 0, len = f->out->len;

	if (len > 0 && (is_digit(text[len - 1]) || text[len - 1] == ')'))
		return true;
	while (n < len && n < 3 && is_letter(text[len - 1 - n]))
		n++;
	return n > 0 && n < 3;
}

/* The ASCII of a raised digit, sign or n; 0: it is none. */
static char raised(UChar32 c)
{
	static const char marks[] = "+-=()n";

	if (c == 0xb2 || c == 0xb3 || c == 0xb9)
		return c == 0xb9 ? '1' : (char)(c - 0xb0 + '0');
	if (c == 0x2070 || (c >= 0x2074 && c <= 0x2079))
		return (char)(c - 0x2070 + '0');
	return c >= 0x207a && c <= 0x207f ? marks[c - 0x207a] : 0;
}

/* "10^23" of 10 and raised digits; a footnote's number apart. */
static size_t put_raised(struct fold *f)
{
	size_t end = f->at, next;
	char ascii;

	for (; (ascii = raised(fold_at(f, end, &next))); end = next) {
		if (end == f->at)
			fold_put(f, is_power(f) ? "^" : " ", 1);
		if (ascii != '(' && ascii != ')')
			fold_put(f, &ascii, 1);
	}
	if (fold_word_at(f, end))
		fold_put(f, " ", 1);
	return end;
}

static bool is_enclosed(UChar32 c)
{
	int type = u_getIntPropertyValue(c, UCHAR_DECOMPOSITION_TYPE);

	return type == U_DT_CIRCLE || type == U_DT_FRACTION ||
	       type == U_DT_SQUARE;
}

static size_t step(struct fold *f);

/* The characters that one stands for, as if they had been written. */
static void put_inner(struct fold *f, const char *text, size_t len)
{
	struct fold inner = *f;

	inner.text = text;
	inner.len = len;
	inner.at = 0;
	inner.inner = true;
	while (inner.at < len && inner.error == 0)
		inner.at = step(&inner);
	f->cap = inner.cap;
	f->error = inner.error;
}

/* The next run of ASCII, or of other characters. */
static size_t run_of(const char *text, size_t len)
{
	size_t n = 1;

	while (n < len && !(text[n] & 0x80) == !(text[0] & 0x80))
		n++;
	return n;
}

/* Of a character that stands for others; false: it is none. */
static bool put_compatible(struct fold *f, UChar32 c, size_t end)
{
	UErrorCode e = U_ZERO_ERROR;
	const UNormalizer2 *nfkc = unorm2_getNFKCInstance(&e);
	UChar parts[PARTS_MAX];
	char text[3 * PARTS_MAX];
	bool apart = is_enclosed(c);
	int32_t n = unorm2_getDecomposition(nfkc, c, parts, PARTS_MAX, &e);
	int32_t len = 0;

	u_strToUTF8(text, sizeof(text), &len, parts, n > 0 ? n : 0, &e);
	if (U_FAILURE(e) || n <= 0 || f->inner ||
	    u_getIntPropertyValue(c, UCHAR_DECOMPOSITION_TYPE) ==
		    U_DT_CANONICAL)
		return false;
	if (apart && is_of_word(fold_last(f)))
		fold_put(f, " ", 1);
	for (size_t i = 0, k; i < (size_t)len; i += k) {
		k = run_of(text + i, (size_t)len - i);
		/* "How，are": a wide mark has its space within. */
		if (k == 1 && strchr(",;:!?", text[i]))
			fold_stop(f, text[i], end);
		else if (text[i] & 0x80)
			put_inner(f, text + i, k);
		else
			fold_put(f, text + i, k);
	}
	if (apart && fold_word_at(f, end))
		fold_put(f, " ", 1);
	return true;
}

/* Numerals that are no digits: Roman ones. */
static bool put_numeral(struct fold *f, UChar32 c, size_t end)
{
	struct spoken_words w = {.n = 0};
	double value = u_getNumericValue(c);

	if (c < 0x2160 || c > 0x2188 || value < 1 || value > 100000)
		return false;
	spoken_add_number(&w, (int64_t)value, SPOKEN_CARDINAL);
	fold_part(f);
	fold_put(f, w.text, w.n);
	if (fold_word_at(f, end))
		fold_put(f, " ", 1);
	return true;
}

/* --- any character --- */

/* A number, and perhaps a space and a prefix: "10 k". */
static bool is_behind_number(const struct fold *f)
{
	const char *text = f->out->text;
	size_t n = f->out->len;

	if (n > 0 && strchr("kMmn", text[n - 1]))
		n--;
	if (n > 0 && text[n - 1] == ' ')
		n--;
	return n > 0 && is_digit(text[n - 1]);
}

/* Signs that the rules for numbers read, and which stay as they are. */
static bool is_of_number(const struct fold *f, UChar32 c, size_t end)
{
	if (u_charType(c) == U_CURRENCY_SYMBOL || c == 0xb0)
		return !fold_is_alone(f, end);
	/* Micrometers, kilohms. */
	return (c == 0x3bc || c == 0x3a9) && is_behind_number(f);
}

static void put_itself(struct fold *f, UChar32 c)
{
	char bytes[U8_MAX_LENGTH];
	int32_t n = 0;

	U8_APPEND_UNSAFE(bytes, n, c);
	fold_put(f, bytes, (size_t)n);
}

/* One that stands for others comes here again for each, but no deeper. */
size_t fold_char(struct fold *f, UChar32 c, size_t end)
{
	uint32_t mask = U_MASK(u_charType(c));
	int32_t digit = u_charDigitValue(c);
	char ascii = (char)('0' + digit);

	if (is_of_number(f, c, end))
		put_itself(f, c);
	else if (digit >= 0 && (mask & U_GC_ND_MASK))
		fold_put(f, &ascii, 1);
	else if (c == 0x2044 || c == 0x2215) /* of fractions, a division's */
		fold_text(f, "/");
	else if (c == 0x2217) /* an operator */
		fold_text(f, "*");
	else if (u_isUWhiteSpace(c) || c == 0x200b)
		fold_put(f, c == 0x2028 || c == 0x2029 || c == 0x85 ? "\n" : " ", 1);
	else if (mask & (U_GC_CF_MASK | U_GC_CC_MASK | U_GC_M_MASK))
		; /* is not seen itself */
	else if (mask & U_GC_P_MASK)
		return fold_mark(f, c, end);
	else if (mask & (U_GC_S_MASK | U_GC_NO_MASK))
		return fold_symbol(f, c, end);
	else
		f->out->lost = true;
	return end;
}

static size_t put_other(struct fold *f, UChar32 c, size_t end)
{
	if (raised(c))
		return put_raised(f);
	if (put_numeral(f, c, end))
		return end;
	/* A number's sign may be two: the ohm and the micro are Greek ones. */
	if (c == 0xb5 || c == 0x2126)
		c = c == 0xb5 ? 0x3bc : 0x3a9;
	if (c < 0xfe00 && is_of_number(f, c, end))
		return fold_char(f, c, end);
	if (c == 0xd7 && is_digit(fold_last(f)) && fold_digit_at(f, end)) {
		fold_text(f, "x");
		return end;
	}
	if (spoken_sign(c) || (fold_is_picture(c) && !is_enclosed(c)))
		return fold_symbol(f, c, end);
	if (fold_is_alone(f, end) && c == 0x2026)
		return fold_mark(f, c, end);
	if (put_compatible(f, c, end))
		return end;
	if (u_isalpha(c))
		return fold_letters(f);
	if (fold_is_mark(c) && !fold_is_variant(c) && fold_is_alone(f, end)) {
		char name[SPOKEN_NAME_MAX];

		if (spoken_name(name, c) > 0)
			fold_words(f, name, end);
		return end;
	}
	return fold_char(f, c, end);
}

/* "&amp;" and the like, of pages. Returns its length, 0: it is none. */
static size_t put_entity(struct fold *f)
{
	static const struct {
		const char *name, *said;
	} entities[] = {
		{"&amp;", "&"},	 {"&lt;", "<"},	   {"&gt;", ">"},
		{"&quot;", "\""}, {"&apos;", "'"}, {"&nbsp;", " "},
		{"&#39;", "'"},	 {"&#34;", "\""},  {"&#38;", "&"},
	};

	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
		size_t n = strlen(entities[i].name);

		if (f->len - f->at >= n &&
		    strncmp(f->text + f->at, entities[i].name, n) == 0) {
			fold_text(f, entities[i].said);
			return n;
		}
	}
	return 0;
}

static size_t step(struct fold *f)
{
	size_t next, n;
	UChar32 c = fold_at(f, f->at, &next);

	if (c < 0) {
		f->error = -EILSEQ;
		return f->len;
	}
	if (c == '&' && (n = put_entity(f)) > 0)
		return f->at + n;
	if (c >= 0x80)
		return put_other(f, c, next);
	fold_put(f, f->text + f->at, 1);
	return next;
}

int spoken_fold(struct spoken_folded *ret, const char *text, size_t len)
{
	struct fold f = {.out = ret, .text = text, .len = len};

	*ret = (struct spoken_folded){0};
	fold_put(&f, "", 0);
	while (f.at < len && f.error == 0) {
		f.place = f.at;
		f.at = step(&f);
	}
	if (f.error < 0)
		return f.error;
	ret->text[ret->len] = '\0';
	ret->source[ret->len] = (uint32_t)len;
	return 0;
}

void spoken_folded_clear(struct spoken_folded *f)
{
	free(f->text);
	free(f->source);
	*f = (struct spoken_folded){0};
}
