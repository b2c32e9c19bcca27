/* SPDX-License-Identifier: MIT */
/* What the parts of spoken.c share: the folded text that is read, and the
 * spoken one that is made of it. */
#ifndef BARK_SPOKEN_SCAN_H
#define BARK_SPOKEN_SCAN_H

#include "spoken.h"
#include "spoken_fold.h"
#include "spoken_out.h"

struct scan {
	struct bark_spoken *out;
	const char *text; /* folded */
	const uint32_t *source;
	size_t len, at;
	size_t cap, cap_runs;
	size_t number_end; /* of the last number, 0: there was none */
	size_t skip_at;    /* a closing mark of markup that is not said */
	size_t label_end;  /* of a label at a line's beginning, in brackets */
	bool in_item;      /* the line is a heading, an item, a table's row */
	int error;
};

static inline char scan_at(const struct scan *s, size_t i)
{
	return i < s->len ? s->text[i] : '\0';
}

/* ' ' at the start. */
static inline char scan_before(const struct scan *s)
{
	return s->at > 0 ? s->text[s->at - 1] : ' ';
}

/* The next n bytes are said as they are written. */
void scan_keep(struct scan *s, size_t n);
/* Instead of the next n bytes these are said. */
void scan_rewrite(struct scan *s, size_t n, const char *words);
/* The same, apart from their neighbours. */
void scan_words(struct scan *s, size_t n, const struct spoken_words *w);
void scan_word(struct scan *s, size_t n, const char *words);
/* The next n bytes are not said; what they stood between stays apart. */
void scan_skip(struct scan *s, size_t n);

/*
 * What is markup, not text: Markdown's headings, items, links and tables, tags
 * of HTML, cues for Bark in brackets. Returns whether something was taken.
 */
bool scan_line(struct scan *s); /* at the beginning of a line */
void scan_newline(struct scan *s);
bool scan_markup(struct scan *s);

/* Marks that are no markup: operators, brackets, stops. */
void scan_mark(struct scan *s);
/* A text of marks alone: by their names. */
void scan_names(struct scan *s);

/* Capitals; 0: they are not read otherwise. As spoken_word(). */
size_t spoken_capitals(struct spoken_words *w, const char *text, size_t at,
		       size_t len);

#endif
