/* SPDX-License-Identifier: MIT */
/*
 * From what Speech Dispatcher sends to what barkd is asked to say: SSML is
 * read tolerantly, and cut at the server's own marks (__spd_N), which stand
 * between sentences; marks of clients stay where they are. No I/O.
 */
#ifndef SPEECHD_TEXT_H
#define SPEECHD_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum punctuation { PUNCT_NONE, PUNCT_SOME, PUNCT_MOST, PUNCT_ALL };

struct text_style {
	enum punctuation punctuation;
	bool spell;    /* letter by letter */
	bool capitals; /* a spelled capital letter is called one */
};

/* A client's mark inside of a part. */
struct text_mark {
	char *name;
	size_t at; /* bytes of the part's text before it */
};

struct text_part {
	char *text; /* UTF-8; "" when there is nothing to say */
	struct text_mark *marks;
	size_t n_marks;
	char *mark; /* reached at the part's end, or NULL */
};

struct text {
	struct text_part *parts;
	size_t n;
};

/* ssml: NUL-terminated, of any shape. 0 or -ENOMEM. */
int text_parse(struct text *ret, const char *ssml,
	       const struct text_style *style);
/* A character, or "space". Never empty. */
int text_character(struct text *ret, const char *body,
		   const struct text_style *style);
/* A key's name: shift_a, Return. */
int text_key(struct text *ret, const char *body,
	     const struct text_style *style);
void text_clear(struct text *t);

#endif
