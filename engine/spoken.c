/* SPDX-License-Identifier: MIT */
#include "spoken.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unicode/utf8.h>

#include "bark.h"
#include "spoken_names.h"
#include "spoken_scan.h"

/* --- the spoken text --- */

static bool room(struct scan *s, size_t n)
{
	struct bark_spoken *o = s->out;

	if (o->len + n > BARK_TEXT_MAX)
		s->error = -E2BIG;
	if (s->error == 0 && o->len + n + 1 > s->cap) {
		size_t cap = 2 * s->cap + n + 64;
		char *text = realloc(o->text, cap);

		if (text) {
			o->text = text;
			s->cap = cap;
		} else {
			s->error = -ENOMEM;
		}
	}
	if (s->error == 0 && o->n_runs == s->cap_runs) {
		size_t cap = 2 * s->cap_runs + 16;
		struct bark_spoken_run *runs =
			realloc(o->runs, cap * sizeof(*runs));

		if (runs) {
			o->runs = runs;
			s->cap_runs = cap;
		} else {
			s->error = -ENOMEM;
		}
	}
	return s->error == 0;
}

/* Bytes at s->at that were not folded together or apart. */
static size_t as_written(const struct scan *s, size_t n)
{
	size_t i = 0;

	while (i < n && s->source[s->at + i + 1] == s->source[s->at + i] + 1)
		i++;
	return i;
}

static void keep_part(struct scan *s, size_t n, bool verbatim)
{
	struct bark_spoken *o = s->out;
	struct bark_spoken_run *last;
	size_t source = s->source[s->at];

	if (!room(s, n))
		return;
	last = o->n_runs > 0 ? &o->runs[o->n_runs - 1] : NULL;
	if (verbatim && last && last->verbatim > 0 &&
	    last->source + last->verbatim == source &&
	    last->spoken + last->verbatim == o->len)
		last->verbatim += n;
	else
		o->runs[o->n_runs++] = (struct bark_spoken_run){
			.spoken = o->len, .source = source,
			.verbatim = verbatim ? n : 0};
	memcpy(o->text + o->len, s->text + s->at, n);
	o->len += n;
	s->at += n;
}

void scan_keep(struct scan *s, size_t n)
{
	while (n > 0 && s->error == 0) {
		size_t part = as_written(s, n);

		keep_part(s, part > 0 ? part : 1, part > 0);
		n -= part > 0 ? part : 1;
	}
}

static void rewrite(struct scan *s, size_t n, const char *words, size_t n_words)
{
	struct bark_spoken *o = s->out;

	if (!room(s, n_words))
		return;
	o->runs[o->n_runs++] = (struct bark_spoken_run){
		.spoken = o->len, .source = s->source[s->at]};
	memcpy(o->text + o->len, words, n_words);
	o->len += n_words;
	s->at += n;
}

void scan_rewrite(struct scan *s, size_t n, const char *words)
{
	rewrite(s, n, words, strlen(words));
}

static char last_spoken(const struct scan *s)
{
	return s->out->len > 0 ? s->out->text[s->out->len - 1] : ' ';
}

void scan_skip(struct scan *s, size_t n)
{
	bool glued = is_of_word(last_spoken(s)) &&
		     is_of_word(scan_at(s, s->at + n));

	scan_rewrite(s, n, glued ? " " : "");
}

void scan_words(struct scan *s, size_t n, const struct spoken_words *w)
{
	char after = s->at + n < s->len ? s->text[s->at + n] : ' ';
	char text[SPOKEN_WORDS_MAX + 2];
	size_t n_text = 0;

	if (!is_space(last_spoken(s)) && last_spoken(s) != '(')
		text[n_text++] = ' ';
	memcpy(text + n_text, w->text, w->n);
	n_text += w->n;
	if (is_of_word(after) || spoken_symbol(after, false))
		text[n_text++] = ' ';
	rewrite(s, n, text, n_text);
}

void scan_word(struct scan *s, size_t n, const char *words)
{
	struct spoken_words w = {.n = 0};

	spoken_add_word(&w, words);
	scan_words(s, n, &w);
}

/* --- words, numbers, signs --- */

/* "v2", "v1.2.3" */
static bool is_version(const struct scan *s)
{
	char before = scan_before(s), c = s->text[s->at];

	return (c == 'v' || c == 'V') && is_digit(scan_at(s, s->at + 1)) &&
	       !is_of_word(before) && before != '_' && before != '-';
}

static void word(struct scan *s)
{
	const char *text = s->text + s->at;
	size_t left = s->len - s->at, n;
	struct spoken_words w = {.n = 0};

	if (is_version(s)) {
		scan_word(s, 1, "version");
		return;
	}
	n = spoken_address(&w, text, left);
	if (n == 0) {
		w = (struct spoken_words){.n = 0};
		n = spoken_word(&w, text, left);
	}
	if (n == 0)
		n = spoken_capitals(&w, s->text, s->at, s->len);
	if (n > 0 && !w.full) {
		scan_words(s, n, &w);
		return;
	}
	for (n = 0; n < left && (is_letter(text[n]) ||
				 (text[n] == '\'' && n + 1 < left &&
				  is_letter(text[n + 1])));)
		n++;
	/* A digit right behind it is a word of its own. */
	scan_keep(s, n);
	if (n < left && is_digit(text[n]))
		scan_rewrite(s, 0, " ");
}

/* One of those that the folded text may have. */
static void sign(struct scan *s)
{
	char name[SPOKEN_NAME_MAX];
	int32_t next = (int32_t)s->at;
	UChar32 c;

	U8_NEXT(s->text, next, (int32_t)s->len, c);
	if (spoken_sign(c))
		scan_word(s, (size_t)next - s->at, spoken_sign(c));
	else if (spoken_name(name, c) > 0)
		scan_word(s, (size_t)next - s->at, name);
	else
		scan_skip(s, (size_t)next - s->at);
}

static bool number(struct scan *s)
{
	struct spoken_words w = {.n = 0};
	char before = scan_before(s);
	size_t n;

	/* Behind "version" stands a number of its own. */
	if ((before == 'v' || before == 'V') && s->at > 0 &&
	    (s->at == 1 || !is_of_word(s->text[s->at - 2])))
		before = ' ';
	n = spoken_number(&w, s->text + s->at, s->len - s->at, before);
	if (n == 0 || w.full)
		return false;
	scan_words(s, n, &w);
	s->number_end = s->at;
	return true;
}

static void step(struct scan *s)
{
	char c = s->text[s->at];

	if (c == '\n')
		scan_newline(s);
	else if (is_space(c))
		scan_keep(s, 1);
	else if (scan_line(s) || scan_markup(s) || number(s))
		; /* taken */
	else if (is_letter(c))
		word(s);
	else if (c & 0x80)
		sign(s);
	else if (is_digit(c))
		scan_keep(s, 1);
	else
		scan_mark(s);
}

/* Whether a text is of marks alone, such as a key is or a line of dashes. */
static bool has_marks_alone(const struct scan *s)
{
	bool any = false;

	for (size_t i = 0; i < s->len; i++) {
		if (is_of_word(s->text[i]))
			return false;
		any = any || !is_space(s->text[i]);
	}
	return any;
}

int bark_spoken_make(struct bark_spoken *ret, const char *text, size_t len)
{
	struct scan s = {.out = ret};
	struct spoken_folded folded = {0};
	int r;

	*ret = (struct bark_spoken){.source_len = len};
	if (len > BARK_TEXT_MAX)
		return -E2BIG;
	r = spoken_fold(&folded, text, len);
	if (r == 0) {
		s.text = folded.text;
		s.source = folded.source;
		s.len = folded.len;
		ret->lost = folded.lost;
		room(&s, len);
		if (!folded.lost && has_marks_alone(&s))
			scan_names(&s);
		while (s.at < s.len && s.error == 0)
			step(&s);
		r = s.error;
	}
	if (r == 0)
		ret->text[ret->len] = '\0';
	spoken_folded_clear(&folded);
	return r;
}

void bark_spoken_clear(struct bark_spoken *s)
{
	free(s->text);
	free(s->runs);
	*s = (struct bark_spoken){0};
}

/* The last run that begins at or before a place. */
static size_t run_at(const struct bark_spoken *s, size_t at)
{
	size_t low = 0, high = s->n_runs;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (s->runs[middle].spoken <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void bark_spoken_source(const struct bark_spoken *s, size_t begin, size_t end,
			size_t *ret_begin, size_t *ret_end)
{
	const struct bark_spoken_run *r;
	size_t i;

	*ret_begin = *ret_end = 0;
	if (s->n_runs == 0)
		return;
	r = &s->runs[run_at(s, begin)];
	*ret_begin = r->source + (r->verbatim ? begin - r->spoken : 0);
	if (end <= begin) {
		*ret_end = *ret_begin;
		return;
	}
	i = run_at(s, end - 1);
	r = &s->runs[i];
	if (r->verbatim) {
		*ret_end = r->source + (end - r->spoken);
		return;
	}
	/* A character's name has several runs of one place. */
	do
		i++;
	while (i < s->n_runs && s->runs[i].source == r->source);
	*ret_end = i < s->n_runs ? s->runs[i].source : s->source_len;
}
