/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

/* What is heard between words, in letters. */
#define WEIGHT_SPACE 0.6
#define WEIGHT_CLAUSE 3.0   /* comma, semicolon, colon, dash */
#define WEIGHT_SENTENCE 6.0 /* full stop and the like */
#define WEIGHT_WIDE 2.5     /* an ideograph is a syllable */
/* Nobody speaks outside of these, ms a letter. */
#define PACE_MIN 15.0
#define PACE_MAX 400.0

struct segment {
	size_t first, last; /* words: first to before last */
	size_t begin, end;  /* bytes */
	double ms, ms_end;  /* ms_end NAN: not known */
};

struct words {
	struct word *words;
	size_t n, room;
	double total; /* weight of the whole text */
	struct segment *segments;
	size_t n_segments, segments_room;
	double pace;
	bool scanned;
};

/* --- the text --- */

static double weight_of(UChar32 c)
{
	if (u_isalnum(c)) {
		int width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);

		return width == U_EA_WIDE || width == U_EA_FULLWIDTH
			       ? WEIGHT_WIDE
			       : 1;
	}
	if (u_hasBinaryProperty(c, UCHAR_S_TERM) || c == 0x2026)
		return WEIGHT_SENTENCE;
	if (u_hasBinaryProperty(c, UCHAR_TERMINAL_PUNCTUATION) ||
	    c == 0x2013 || c == 0x2014)
		return WEIGHT_CLAUSE;
	return u_isUWhiteSpace(c) ? WEIGHT_SPACE : 0;
}

static int add_word(struct words *w, const struct word *word)
{
	if (w->n == w->room) {
		size_t room = w->room ? 2 * w->room : 64;
		struct word *more = realloc(w->words, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		w->words = more;
		w->room = room;
	}
	w->words[w->n++] = *word;
	return 0;
}

/* Walks from *at to `to`, counting characters and weights. */
static void walk(const char *text, size_t n, size_t *at, size_t to,
		 size_t *chars, double *weight)
{
	while (*at < to) {
		int32_t i = (int32_t)*at;
		UChar32 c;

		U8_NEXT(text, i, (int32_t)n, c);
		*at = (size_t)i;
		(*chars)++;
		*weight += c < 0 ? 0 : weight_of(c);
	}
}

static int find_words(struct words *w, const char *text, size_t n,
		      UBreakIterator *it)
{
	size_t at = 0, chars = 0;
	int32_t from = 0, to;
	int r = 0;

	while (r == 0 && (to = ubrk_next(it)) != UBRK_DONE) {
		struct word word = {.begin = (size_t)from, .end = (size_t)to};

		from = to;
		/* White space and punctuation alone are no words. */
		if (ubrk_getRuleStatus(it) < UBRK_WORD_NONE_LIMIT)
			continue;
		walk(text, n, &at, word.begin, &chars, &w->total);
		word.char_begin = chars;
		word.weight = w->total;
		walk(text, n, &at, word.end, &chars, &w->total);
		word.char_end = chars;
		r = add_word(w, &word);
	}
	walk(text, n, &at, n, &chars, &w->total);
	return r;
}

/* The first word that begins at or behind a byte. */
static size_t word_behind(const struct words *w, size_t byte)
{
	size_t low = 0, high = w->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (w->words[mid].begin < byte)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void place_segment(const struct words *w, struct segment *s)
{
	s->first = word_behind(w, s->begin);
	s->last = word_behind(w, s->end);
}

int words_scan(struct words *w, const char *text, size_t n,
	       const char *locale)
{
	UErrorCode error = U_ZERO_ERROR;
	UText *utext = utext_openUTF8(NULL, text, (int64_t)n, &error);
	UBreakIterator *it =
		ubrk_open(UBRK_WORD, locale ? locale : "", NULL, 0, &error);
	int r = -ENOMEM;

	if (U_SUCCESS(error))
		ubrk_setUText(it, utext, &error);
	if (U_SUCCESS(error))
		r = w->scanned ? 0 : find_words(w, text, n, it);
	ubrk_close(it);
	utext_close(utext);
	if (r < 0) {
		w->n = 0;
		w->total = 0;
		return r;
	}
	w->scanned = true;
	for (size_t i = 0; i < w->n_segments; i++)
		place_segment(w, &w->segments[i]);
	return 0;
}

int words_new(struct words **ret)
{
	struct words *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->pace = WORDS_PACE;
	*ret = w;
	return 0;
}

void words_free(struct words *w)
{
	if (!w)
		return;
	free(w->words);
	free(w->segments);
	free(w);
}

size_t words_count(const struct words *w)
{
	return w->n;
}

const struct word *words_get(const struct words *w, size_t i)
{
	return &w->words[i];
}

/* --- segments --- */

static double weight_at(const struct words *w, size_t word)
{
	return word < w->n ? w->words[word].weight : w->total;
}

static double weight_in(const struct words *w, const struct segment *s)
{
	return weight_at(w, s->last) - weight_at(w, s->first);
}

int words_segment_begin(struct words *w, size_t begin, size_t end, double ms)
{
	if (w->n_segments == w->segments_room) {
		size_t room = w->segments_room ? 2 * w->segments_room : 16;
		struct segment *more =
			realloc(w->segments, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		w->segments = more;
		w->segments_room = room;
	}
	w->segments[w->n_segments] = (struct segment){
		.begin = begin, .end = end, .ms = ms, .ms_end = NAN,
	};
	place_segment(w, &w->segments[w->n_segments++]);
	return 0;
}

void words_segment_end(struct words *w, double ms)
{
	struct segment *s;
	double weight;

	if (w->n_segments == 0)
		return;
	s = &w->segments[w->n_segments - 1];
	s->ms_end = ms;
	weight = weight_in(w, s);
	if (weight > 0)
		words_set_pace(w, (ms - s->ms) / weight);
}

ssize_t words_segment_at(const struct words *w, double ms, size_t *ret_begin,
			 size_t *ret_end)
{
	ssize_t i = (ssize_t)w->n_segments - 1;

	while (i >= 0 && w->segments[i].ms > ms)
		i--;
	if (i >= 0) {
		*ret_begin = w->segments[i].begin;
		*ret_end = w->segments[i].end;
	}
	return i;
}

/* The first segment that ends behind a word, or n_segments. */
static size_t segment_behind(const struct words *w, size_t word)
{
	size_t low = 0, high = w->n_segments;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (w->segments[mid].last <= word)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static const struct segment *segment_of(const struct words *w, size_t word)
{
	size_t i = segment_behind(w, word);

	return i < w->n_segments && w->segments[i].first <= word
		       ? &w->segments[i]
		       : NULL;
}

size_t words_next(const struct words *w, size_t i)
{
	size_t s = segment_behind(w, i);

	return s < w->n_segments && w->segments[s].first > i
		       ? w->segments[s].first
		       : i;
}

double words_time(const struct words *w, size_t i)
{
	const struct segment *s = segment_of(w, i);
	double before, whole;

	if (!s)
		return INFINITY;
	before = weight_at(w, i) - weight_at(w, s->first);
	if (isnan(s->ms_end))
		return s->ms + before * w->pace;
	whole = weight_in(w, s);
	return s->ms + (whole > 0 ? (s->ms_end - s->ms) * before / whole : 0);
}

double words_pace(const struct words *w)
{
	return w->pace;
}

void words_set_pace(struct words *w, double pace)
{
	if (pace >= PACE_MIN && pace <= PACE_MAX)
		w->pace = pace;
}
