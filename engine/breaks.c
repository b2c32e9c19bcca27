/* SPDX-License-Identifier: MIT */
#include "breaks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/uloc.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

#define MAX_CUE 64      /* bytes between brackets */
#define MAX_LABEL 32    /* bytes of "MAN" in "MAN: " */
#define MAX_WORD 32     /* bytes of an abbreviation */
#define WRAP_COLUMNS 40 /* a line this long was wrapped, not ended */
#define NOTE "\xe2\x99\xaa"

static UChar32 char_at(const struct bark_breaks *b, size_t at, size_t *ret_next)
{
	int32_t i = (int32_t)at;
	UChar32 c;

	U8_NEXT(b->copy, i, (int32_t)b->len, c);
	*ret_next = (size_t)i;
	return c;
}

static UChar32 char_before(const struct bark_breaks *b, size_t at,
			   size_t *ret_at)
{
	int32_t i = (int32_t)at;
	UChar32 c;

	U8_PREV(b->copy, 0, i, c);
	*ret_at = (size_t)i;
	return c;
}

static size_t skip_spaces(const struct bark_breaks *b, size_t at)
{
	size_t next;

	while (at < b->len && u_isUWhiteSpace(char_at(b, at, &next)))
		at = next;
	return at;
}

/* At most `most` of them: what is called often must not walk far. */
static size_t back_over_spaces(const struct bark_breaks *b, size_t at,
			       size_t most)
{
	size_t before;

	while (at > 0 && most-- > 0 &&
	       u_isUWhiteSpace(char_before(b, at, &before)))
		at = before;
	return at;
}

static bool is_stop(UChar32 c)
{
	return u_hasBinaryProperty(c, UCHAR_S_TERM) || c == ':' || c == 0x2026;
}

/* --- lines --- */

/*
 * Control characters that Python's \s takes for white space but BERT deletes,
 * gluing words together: they end a paragraph here.
 */
static void mark_controls(struct bark_breaks *b)
{
	for (size_t i = 0; i < b->len; i++) {
		unsigned char c = (unsigned char)b->copy[i];

		if (c == '\v' || c == '\f' || (c >= 0x1c && c <= 0x1f)) {
			b->copy[i] = '\n';
			b->flags[i + 1] |= BARK_BREAK_CONTROL;
		} else if (c == 0xc2 && (unsigned char)b->copy[i + 1] == 0x85) {
			b->copy[i] = b->copy[i + 1] = '\n';
			b->flags[i + 2] |= BARK_BREAK_CONTROL;
		}
	}
}

static size_t columns(const struct bark_breaks *b, size_t begin, size_t end)
{
	size_t n = 0;

	while (begin < end) {
		UChar32 c = char_at(b, begin, &begin);
		int width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);

		n += width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
	}
	return n;
}

/* "- ", "* ", "3. ", "3) " and the like at the start of a line. */
static bool is_list_item(const struct bark_breaks *b, size_t at)
{
	size_t start = at;
	UChar32 c;

	if (at == b->len)
		return false;
	c = char_at(b, at, &at);
	if (c == '-' || c == '*' || c == '+' || c == 0x2022 || c == 0x2013 ||
	    c == 0x2014)
		return true;
	while (u_isdigit(c) && at < b->len)
		c = char_at(b, at, &at);
	return at > start + 1 && (c == '.' || c == ')') && at < b->len &&
	       b->copy[at] == ' ';
}

/* Whether the only new line between two lines is mere wrapping. */
static bool is_wrapped(const struct bark_breaks *b, size_t line, size_t end,
		       size_t next)
{
	size_t ignored;

	if (end == line || next == b->len || is_list_item(b, next))
		return false;
	if (columns(b, line, end) >= WRAP_COLUMNS)
		return true;
	return u_islower(char_at(b, next, &ignored)) &&
	       !is_stop(char_before(b, end, &ignored));
}

static void mark_lines(struct bark_breaks *b)
{
	size_t line = skip_spaces(b, 0);

	for (size_t at = line; at < b->len;) {
		size_t end = at, next, n_lines = 0;
		bool control = false;

		if (b->copy[at] != '\n' && b->copy[at] != '\r') {
			at++;
			continue;
		}
		end = back_over_spaces(b, at, at);
		next = skip_spaces(b, at);
		for (size_t i = at; i < next; i++) {
			n_lines += b->copy[i] == '\n' ||
				   (b->copy[i] == '\r' &&
				    b->copy[i + 1] != '\n');
			control |= b->flags[i + 1] & BARK_BREAK_CONTROL;
		}
		if (n_lines == 1 && !control &&
		    is_wrapped(b, line, end, next)) {
			for (size_t i = at; i < next; i++) {
				if (b->copy[i] == '\n' || b->copy[i] == '\r')
					b->copy[i] = ' ';
			}
		} else {
			b->flags[next] |= BARK_BREAK_PARAGRAPH;
			if (control)
				b->flags[next] |= BARK_BREAK_CONTROL;
		}
		line = at = next;
	}
}

/* --- cues --- */

static void mark_cue(struct bark_breaks *b, size_t begin, size_t end)
{
	for (size_t i = begin + 1; i < end; i++)
		b->flags[i] |= BARK_BREAK_IN_CUE;
}

static void mark_brackets(struct bark_breaks *b)
{
	for (size_t at = 0; at < b->len; at++) {
		size_t end = at + 1;

		if (b->copy[at] != '[')
			continue;
		while (end < b->len && end - at <= MAX_CUE &&
		       b->copy[end] != '[' && b->copy[end] != ']' &&
		       b->copy[end] != '\n')
			end++;
		if (end == b->len || b->copy[end] != ']')
			continue;
		mark_cue(b, at, end + 1);
		/* "Oh. [sighs] No." goes on in lower case, to ICU's rules */
		if (b->copy[at + 1] >= 'a' && b->copy[at + 1] <= 'z')
			b->copy[at + 1] = 'X';
		at = end;
	}
}

/* Lyrics: from a note to the next one in the same paragraph. */
static void mark_notes(struct bark_breaks *b)
{
	const size_t n_note = strlen(NOTE);
	bool open = false;
	size_t begin = 0;

	for (size_t at = 0; at + n_note <= b->len; at++) {
		if (b->flags[at] & BARK_BREAK_PARAGRAPH)
			open = false;
		if (memcmp(b->copy + at, NOTE, n_note) != 0)
			continue;
		if (open)
			mark_cue(b, begin, at + n_note);
		else
			begin = at;
		open = !open;
	}
}

/* "MAN: ", which stays with the word after it. */
static void mark_labels(struct bark_breaks *b)
{
	for (size_t at = 1; at + 1 < b->len; at++) {
		size_t begin = at, before;
		bool upper = false;

		if (b->copy[at] != ':' || b->copy[at + 1] != ' ')
			continue;
		while (begin > 0 && at - begin < MAX_LABEL) {
			UChar32 c = char_before(b, begin, &before);

			if (!u_isupper(c) && !u_isdigit(c) && c != '_' &&
			    c != '-' && c != ' ')
				break;
			upper |= u_isupper(c);
			begin = before;
		}
		begin = skip_spaces(b, begin);
		if (upper && begin < at)
			mark_cue(b, begin, skip_spaces(b, at + 1) + 1);
	}
}

/* --- sentences --- */

/* Words that end in a stop which seldom ends a sentence; ASCII caseless. */
static const char *const abbreviations[] = {
	"abs", "abt", "approx", "av", "bd", "betr", "bzw", "ca", "capt", "cf",
	"col", "comm", "dept", "dott", "dr", "dra", "ed", "etc", "evtl",
	"exmo", "fig", "gen", "gov", "ggf", "hr", "hrn", "hrsg", "im", "inkl", "insb",
	"jr", "lt", "ltd", "maj", "mgr", "mlle", "mm", "mme", "mr", "mrs",
	"ms", "mt", "np", "nr", "op", "pp", "prof", "rep", "resp", "rev",
	"sen", "sgt", "sig", "sr", "sra", "srta", "st", "str", "tel", "tzw",
	"ud", "uds", "ul", "usw", "vb", "vgl", "vol", "vs", "zzgl",
	"г-жа", "г-н", "гл", "им", "млн", "млрд", "напр", "проф", "руб", "см",
	"стр", "тыс", "ул", "डॉ", "श्री",
};

static bool is_listed(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(abbreviations) / sizeof(*abbreviations);
	     i++) {
		if (strlen(abbreviations[i]) == len &&
		    strncasecmp(abbreviations[i], word, len) == 0)
			return true;
	}
	return false;
}

/*
 * Whether the full stop before `end` belongs to an abbreviation, an initial
 * ("J. Smith", "z. B.", "U.S.") or an ordinal or list number ("3. Mai").
 * Wrongly said yes, two sentences share a segment: that costs little.
 */
static bool is_abbreviated(const struct bark_breaks *b, size_t end)
{
	size_t begin, n_chars = 0, n_digits = 0;

	end = back_over_spaces(b, end, MAX_WORD);
	if (end == 0 || b->copy[end - 1] != '.')
		return false;
	begin = --end;
	while (begin > 0 && end - begin < MAX_WORD) {
		size_t before;
		UChar32 c = char_before(b, begin, &before);

		if (c == '.' && n_chars > 0)
			return true;
		if (!u_isalnum(c) && c != '-' &&
		    !(U_MASK(u_charType(c)) & U_GC_M_MASK))
			break;
		n_digits += u_isdigit(c);
		n_chars++;
		begin = before;
	}
	if (n_digits > 0)
		return n_digits == n_chars && n_digits <= 2;
	return n_chars == 1 || is_listed(b->copy + begin, end - begin);
}

static UBreakIterator *open_iterator(UBreakIteratorType type,
				     const char *locale, UErrorCode *status)
{
	char name[ULOC_FULLNAME_CAPACITY] = "";
	UErrorCode ignored = U_ZERO_ERROR;

	if (locale != NULL) {
		uloc_forLanguageTag(locale, name, sizeof(name), NULL, &ignored);
		/* the language's own abbreviations */
		if (U_SUCCESS(ignored))
			uloc_setKeywordValue("ss", "standard", name,
					     sizeof(name), &ignored);
		if (U_FAILURE(ignored) ||
		    ignored == U_STRING_NOT_TERMINATED_WARNING)
			name[0] = '\0';
	}
	return ubrk_open(type, name, NULL, 0, status);
}

/* Adds flag wherever ICU's iterator of the given type breaks. */
static int mark_icu(struct bark_breaks *b, UBreakIteratorType type,
		    const char *locale, uint8_t flag)
{
	UErrorCode status = U_ZERO_ERROR;
	UBreakIterator *iterator = open_iterator(type, locale, &status);
	UText *text = utext_openUTF8(NULL, b->copy, (int64_t)b->len, &status);

	if (U_SUCCESS(status))
		ubrk_setUText(iterator, text, &status);
	if (U_SUCCESS(status)) {
		int32_t at = ubrk_first(iterator);

		for (; at != UBRK_DONE; at = ubrk_next(iterator))
			b->flags[at] |= flag;
	}
	ubrk_close(iterator);
	utext_close(text);
	return U_FAILURE(status) ? -ENOMEM : 0;
}

/* ICU leaves an opening quote that follows a stop with the stop. */
static void free_opening(struct bark_breaks *b, size_t at)
{
	size_t before = at;

	while (before > 0) {
		size_t i;
		int8_t type = u_charType(char_before(b, before, &i));

		if (type != U_START_PUNCTUATION && type != U_INITIAL_PUNCTUATION)
			break;
		before = i;
	}
	if (before > 0 && before < at) {
		b->flags[at] &= (uint8_t)~BARK_BREAK_SENTENCE;
		b->flags[before] |= BARK_BREAK_SENTENCE;
	}
}

static int mark_sentences(struct bark_breaks *b, const char *locale)
{
	int r = mark_icu(b, UBRK_SENTENCE, locale, BARK_BREAK_SENTENCE);

	if (r < 0)
		return r;
	for (size_t at = 1; at < b->len; at++) {
		if (b->flags[at] & BARK_BREAK_SENTENCE)
			free_opening(b, at);
	}
	for (size_t at = 1; at < b->len; at++) {
		if (b->flags[at] & BARK_BREAK_PARAGRAPH)
			b->flags[at] |= BARK_BREAK_SENTENCE;
		else if ((b->flags[at] & BARK_BREAK_SENTENCE) &&
			 ((b->flags[at] & BARK_BREAK_IN_CUE) ||
			  is_abbreviated(b, at)))
			b->flags[at] &= (uint8_t)~BARK_BREAK_SENTENCE;
	}
	return 0;
}

/* --- clauses --- */

/* Wide marks and dashes part clauses with no space after them. */
static bool parts_alone(UChar32 c)
{
	switch (c) {
	case 0x2014: /* em dash */
	case 0x2026: /* ellipsis */
	case 0x3001: /* ideographic comma */
	case 0x3002: /* ideographic full stop */
	case 0xff01: /* fullwidth ! , : ; ? */
	case 0xff0c:
	case 0xff1a:
	case 0xff1b:
	case 0xff1f:
		return true;
	default:
		return false;
	}
}

static bool parts_with_space(UChar32 c)
{
	switch (c) {
	case ',':
	case ';':
	case ':':
	case '!':
	case '?':
	case ')':
	case 0x2013: /* en dash */
	case 0x0964: /* danda */
	case 0x060c: /* Arabic comma, semicolon, question mark */
	case 0x061b:
	case 0x061f:
		return true;
	default:
		return false;
	}
}

static bool is_closing(UChar32 c)
{
	int8_t type = u_charType(c);

	return c == '"' || c == '\'' || type == U_END_PUNCTUATION ||
	       type == U_FINAL_PUNCTUATION;
}

static void mark_clauses(struct bark_breaks *b)
{
	for (size_t at = 0, next; at < b->len; at = next) {
		UChar32 c = char_at(b, at, &next);
		bool alone = parts_alone(c);
		size_t end = next, after;

		if (!alone && !parts_with_space(c))
			continue;
		while (end < b->len && is_closing(char_at(b, end, &after)))
			end = after;
		next = end;
		after = skip_spaces(b, end);
		if (alone || after > end)
			b->flags[after] |= BARK_BREAK_CLAUSE;
	}
}

int bark_breaks_find_fine(struct bark_breaks *b, const char *locale)
{
	int r;

	if (b->fine)
		return 0;
	r = mark_icu(b, UBRK_LINE, locale, BARK_BREAK_WORD);
	if (r == 0)
		r = mark_icu(b, UBRK_CHARACTER, locale, BARK_BREAK_GRAPHEME);
	b->fine = r == 0;
	return r;
}

int bark_breaks_find(struct bark_breaks *ret, const char *text, size_t len,
		     const char *locale)
{
	struct bark_breaks b = { .len = len };
	int r;

	b.flags = calloc(len + 1, 1);
	b.copy = malloc(len + 1);
	if (b.flags == NULL || b.copy == NULL) {
		bark_breaks_clear(&b);
		return -ENOMEM;
	}
	if (len > 0)
		memcpy(b.copy, text, len);
	b.copy[len] = '\0';
	mark_controls(&b);
	mark_lines(&b);
	mark_brackets(&b);
	mark_notes(&b);
	mark_labels(&b);
	r = mark_sentences(&b, locale);
	if (r < 0) {
		bark_breaks_clear(&b);
		return r;
	}
	mark_clauses(&b);
	*ret = b;
	return 0;
}

void bark_breaks_clear(struct bark_breaks *b)
{
	if (b == NULL)
		return;
	free(b->flags);
	free(b->copy);
	*b = (struct bark_breaks){ 0 };
}
