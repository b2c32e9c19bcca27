/* SPDX-License-Identifier: MIT */
#include "segments.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "breaks.h"

/* Letters below which a sentence alone is garbled: a word or two. */
#define SHORT_WEIGHT 20
/* Letters a token where only tokens are limited: bounds the work. */
#define LETTERS_PER_TOKEN 16

struct piece {
	size_t begin, end;
	size_t n_tokens, weight;
	uint8_t breaks; /* paragraph and control breaks before it */
};

struct splitter {
	const struct bark_tokenizer *tok;
	const char *text;
	const char *locale;
	struct bark_breaks breaks;
	size_t max_tokens, max_weight, short_weight;
	struct piece *pieces; /* owned */
	size_t n, cap;
	uint8_t pending; /* breaks before the next piece */
};

/* --- measuring --- */

static UChar32 char_at(const struct splitter *s, size_t at, size_t *ret_next)
{
	int32_t i = (int32_t)at;
	UChar32 c;

	U8_NEXT(s->text, i, (int32_t)s->breaks.len, c);
	*ret_next = (size_t)i;
	return c;
}

static bool is_blank(UChar32 c)
{
	return u_isUWhiteSpace(c) || u_iscntrl(c);
}

/* How long a character takes to say, in letters. */
static size_t weight_of(UChar32 c)
{
	uint32_t mask;

	if (c < 0x300)
		return c >= '0' && c <= '9' ? 2 : 1;
	mask = U_MASK(u_charType(c));
	if (mask & (U_GC_MN_MASK | U_GC_ME_MASK | U_GC_CF_MASK))
		return 0;
	if (u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC) ||
	    (c >= 0xac00 && c <= 0xd7a3))
		return 3;
	if ((c >= 0x3041 && c <= 0x30ff) || (mask & U_GC_ND_MASK))
		return 2;
	return 1;
}

/*
 * How far from begin the weight stays within max. White space in a row counts
 * once.
 */
static size_t reach(const struct splitter *s, size_t begin, size_t end,
		    size_t max, size_t *ret_weight)
{
	size_t weight = 0, at = begin;
	bool blank = false;

	while (at < end) {
		size_t next;
		UChar32 c = char_at(s, at, &next);
		size_t w = is_blank(c) ? !blank : weight_of(c);

		if (weight + w > max)
			break;
		weight += w;
		blank = is_blank(c);
		at = next;
	}
	*ret_weight = weight;
	return at;
}

static int count(const struct splitter *s, size_t begin, size_t end,
		 size_t *ret_n)
{
	return bark_tokenizer_encode(s->tok, s->text + begin, end - begin, NULL,
				     0, ret_n);
}

static size_t skip_blanks(const struct splitter *s, size_t at, size_t end)
{
	size_t next;

	while (at < end && is_blank(char_at(s, at, &next)))
		at = next;
	return at;
}

static size_t trim(const struct splitter *s, size_t begin, size_t end)
{
	while (begin < end) {
		int32_t i = (int32_t)end;
		UChar32 c;

		U8_PREV(s->text, 0, i, c);
		if (!is_blank(c))
			break;
		end = (size_t)i;
	}
	return end;
}

static int add(struct splitter *s, size_t begin, size_t end)
{
	struct piece piece = { .begin = begin, .end = end };
	int r = count(s, begin, end, &piece.n_tokens);

	if (r < 0 || piece.n_tokens == 0)
		return r;
	if (s->n == s->cap) {
		size_t cap = s->cap > 0 ? 2 * s->cap : 16;
		struct piece *larger = realloc(s->pieces, cap * sizeof(*larger));

		if (larger == NULL)
			return -ENOMEM;
		s->pieces = larger;
		s->cap = cap;
	}
	reach(s, begin, end, SIZE_MAX, &piece.weight);
	piece.breaks = s->pending;
	s->pending = 0;
	s->pieces[s->n++] = piece;
	return 0;
}

/* --- sentences that are too long --- */

/* The break with the flag in [low, high] that is nearest to target, or 0. */
static size_t nearest(const struct splitter *s, size_t low, size_t target,
		      size_t high, uint8_t flag, uint8_t without)
{
	const uint8_t *flags = s->breaks.flags;

	for (size_t d = 0; d <= high - low; d++) {
		if (target >= low + d && target - d <= high &&
		    (flags[target - d] & (flag | without)) == flag)
			return target - d;
		if (target + d >= low && target + d <= high &&
		    (flags[target + d] & (flag | without)) == flag)
			return target + d;
	}
	return 0;
}

/*
 * Where to cut what begins at begin and must not go on past limit. What fits
 * in two is halved, so that no stub is left.
 */
static size_t choose(const struct splitter *s, size_t begin, size_t end,
		     size_t limit)
{
	size_t weight, ignored, target = limit, low, cut;

	if (reach(s, begin, end, 2 * s->max_weight, &weight) == end)
		target = reach(s, begin, limit, (weight + 1) / 2, &ignored);
	if (target <= begin)
		target = limit;
	low = begin + (target - begin) / 3 + 1;
	if (low > limit)
		low = limit;
	cut = nearest(s, low, target, limit, BARK_BREAK_CLAUSE,
		      BARK_BREAK_IN_CUE);
	if (cut == 0)
		cut = nearest(s, low, target, limit, BARK_BREAK_WORD,
			      BARK_BREAK_IN_CUE);
	if (cut == 0)
		cut = nearest(s, begin + 1, limit, limit, BARK_BREAK_WORD,
			      BARK_BREAK_IN_CUE);
	if (cut == 0)
		cut = nearest(s, begin + 1, limit, limit, BARK_BREAK_WORD, 0);
	if (cut == 0)
		cut = nearest(s, low, target, limit, BARK_BREAK_GRAPHEME, 0);
	if (cut == 0)
		cut = nearest(s, begin + 1, limit, limit, BARK_BREAK_GRAPHEME,
			      0);
	while (cut == 0 && limit < end) {
		if (s->breaks.flags[++limit] & BARK_BREAK_GRAPHEME)
			cut = limit;
	}
	return cut > 0 ? cut : end;
}

/* The first grapheme's end after begin. */
static size_t grapheme_end(const struct splitter *s, size_t begin, size_t end)
{
	size_t at = begin + 1;

	while (at < end && !(s->breaks.flags[at] & BARK_BREAK_GRAPHEME))
		at++;
	return at;
}

/* The end of a first part of [begin, end) that keeps the limits. */
static int cut_part(struct splitter *s, size_t begin, size_t end,
		    size_t *ret_cut)
{
	size_t weight, n_tokens, cut, least;
	size_t limit = reach(s, begin, end, s->max_weight, &weight);
	int r;

	cut = limit;
	if (limit == end) {
		r = count(s, begin, end, &n_tokens);
		if (r < 0)
			return r;
		if (n_tokens <= s->max_tokens) {
			*ret_cut = end;
			return 0;
		}
		/* in proportion, with room for unevenness */
		limit = begin + (size_t)((double)(end - begin) *
					 (double)s->max_tokens /
					 (double)n_tokens * 0.9);
	}
	r = bark_breaks_find_fine(&s->breaks, s->locale);
	if (r < 0)
		return r;
	least = grapheme_end(s, begin, end);
	for (;;) {
		if (limit < least)
			limit = least;
		cut = choose(s, begin, end, limit);
		r = count(s, begin, trim(s, begin, cut), &n_tokens);
		if (r < 0)
			return r;
		if (n_tokens <= s->max_tokens || cut <= least)
			break;
		limit = begin + (cut - begin) / 2;
	}
	*ret_cut = cut;
	return 0;
}

static int add_sentence(struct splitter *s, size_t begin, size_t end)
{
	int r = 0;

	begin = skip_blanks(s, begin, end);
	end = trim(s, begin, end);
	while (begin < end && r == 0) {
		size_t cut = end;

		r = cut_part(s, begin, end, &cut);
		if (r == 0)
			r = add(s, begin, trim(s, begin, cut));
		begin = skip_blanks(s, cut, end);
	}
	return r;
}

static int add_sentences(struct splitter *s)
{
	size_t begin = 0;

	for (size_t at = 0; at <= s->breaks.len; at++) {
		uint8_t flags = s->breaks.flags[at];
		int r;

		if (!(flags & BARK_BREAK_SENTENCE) && at < s->breaks.len)
			continue;
		r = add_sentence(s, begin, at);
		if (r < 0)
			return r;
		s->pending |= flags & (BARK_BREAK_PARAGRAPH |
				       BARK_BREAK_CONTROL);
		begin = at;
	}
	return 0;
}

/* --- sentences that are too short --- */

/* Whether pieces a and b may share a segment, and whether that is wanted. */
static bool should_join(const struct splitter *s, const struct piece *a,
			const struct piece *b, bool last_in_paragraph)
{
	if ((b->breaks & BARK_BREAK_CONTROL) ||
	    a->n_tokens + b->n_tokens > s->max_tokens ||
	    a->weight + b->weight + 1 > s->max_weight)
		return false;
	if (a->weight < s->short_weight)
		return true;
	/* a short one goes with what follows it, in its paragraph */
	return b->weight < s->short_weight && last_in_paragraph;
}

static int join(struct splitter *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct piece *last = n > 0 ? &s->pieces[n - 1] : NULL;
		struct piece piece = s->pieces[i], both;
		bool ends = i + 1 == s->n ||
			    ((s->pieces[i + 1].breaks & BARK_BREAK_PARAGRAPH) &&
			     !(piece.breaks & BARK_BREAK_PARAGRAPH));
		int r;

		if (last == NULL || !should_join(s, last, &piece, ends)) {
			s->pieces[n++] = piece;
			continue;
		}
		both = *last;
		both.end = piece.end;
		both.weight += 1 + piece.weight;
		r = count(s, both.begin, both.end, &both.n_tokens);
		if (r < 0)
			return r;
		if (both.n_tokens <= s->max_tokens)
			*last = both;
		else
			s->pieces[n++] = piece;
	}
	s->n = n;
	return 0;
}

static int finish(struct bark_segments *ret, const struct splitter *s)
{
	struct bark_segment *items = NULL;

	if (s->n > 0) {
		items = calloc(s->n, sizeof(*items));
		if (items == NULL)
			return -ENOMEM;
	}
	for (size_t i = 0; i < s->n; i++) {
		items[i] = (struct bark_segment){
			.begin = s->pieces[i].begin,
			.end = s->pieces[i].end,
			.n_tokens = (unsigned)s->pieces[i].n_tokens,
		};
	}
	ret->items = items;
	ret->n = s->n;
	return 0;
}

bool bark_is_utf8(const char *text, size_t len)
{
	int32_t i = 0, n = (int32_t)len;
	UChar32 c;

	while (i < n) {
		U8_NEXT(text, i, n, c);
		if (c < 0)
			return false;
	}
	return true;
}

int bark_segments_split(struct bark_segments *ret,
			const struct bark_tokenizer *tok, const char *text,
			size_t len, const char *locale,
			const struct bark_segment_limits *limits)
{
	struct splitter s = {
		.tok = tok,
		.text = text,
		.locale = locale,
		.max_tokens = limits->max_tokens,
		.max_weight = limits->max_chars,
	};
	int r;

	if (s.max_tokens == 0)
		return -EINVAL;
	if (len > BARK_TEXT_MAX)
		return -E2BIG;
	if (!bark_is_utf8(text, len))
		return -EILSEQ;
	if (s.max_weight == 0)
		s.max_weight = s.max_tokens * LETTERS_PER_TOKEN;
	s.short_weight = s.max_weight / 3 < SHORT_WEIGHT ? s.max_weight / 3 :
							   SHORT_WEIGHT;
	r = bark_breaks_find(&s.breaks, text, len, locale);
	if (r < 0)
		return r;
	r = add_sentences(&s);
	if (r == 0)
		r = join(&s);
	if (r == 0)
		r = finish(ret, &s);
	free(s.pieces);
	bark_breaks_clear(&s.breaks);
	return r;
}

void bark_segments_clear(struct bark_segments *s)
{
	if (s == NULL)
		return;
	free(s->items);
	*s = (struct bark_segments){ 0 };
}
