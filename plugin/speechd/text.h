/* SPDX-License-Identifier: MIT */
/*
 * From what Speech Dispatcher sends to what barkd is asked to say. The server
 * puts marks of its own (__spd_N) behind every full stop: the text is cut at
 * those that end a sentence by the engine's rules, the others stay inside like
 * the marks of clients. No I/O.
 */
#ifndef SPEECHD_TEXT_H
#define SPEECHD_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "ssml.h"

enum punctuation { PUNCT_NONE, PUNCT_SOME, PUNCT_MOST, PUNCT_ALL };

struct text_style {
	enum punctuation punctuation;
	bool spell;    /* letter by letter */
	bool capitals; /* a capital letter is called one */
};

/* A mark inside of a part. */
struct text_mark {
	char *name;
	size_t at; /* bytes of the part's text before it */
};

struct text_part {
	char *text; /* UTF-8; "" when there is nothing to say */
	struct text_mark *marks;
	size_t n_marks;
	char *mark; /* reached at the part's end, or NULL */
	unsigned pause_ms;          /* silence before it */
	double rate, pitch, volume; /* factors */
	char language[SSML_LANGUAGE_ROOM]; /* its own, or "" */
};

struct text {
	struct text_part *parts;
	size_t n;
};

/* ssml: NUL-terminated, of any shape; language: BCP-47 or NULL, whose rules
 * tell where sentences end. 0 or -ENOMEM. */
int text_parse(struct text *ret, const char *ssml,
	       const struct text_style *style, const char *language);
/* A character, or "space". Never empty. */
int text_character(struct text *ret, const char *body,
		   const struct text_style *style);
/* A key's name: shift_a, Return. */
int text_key(struct text *ret, const char *body,
	     const struct text_style *style);
/* Whether it is what is heard while somebody types: a letter, a key's name. */
bool text_is_short(const struct text *t);
void text_clear(struct text *t);

#endif
