/* SPDX-License-Identifier: MIT */
/*
 * From SSML, read tolerantly, to what is spoken, with its marks and where each
 * character came from. No I/O.
 */
#ifndef SPIEL_SSML_H
#define SPIEL_SSML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SSML_MARK_MAX 256 /* bytes of a mark's name; longer ones are left out */

struct ssml_mark {
	char *name;
	size_t at; /* characters of text before it */
};

/* Characters of the source. */
struct ssml_place {
	uint32_t begin, end;
};

struct ssml {
	char *text; /* UTF-8 */
	size_t n;   /* characters */
	struct ssml_place *places; /* [n + 1] of each; the last: the end */
	struct ssml_mark *marks;
	size_t n_marks;
};

/* text: UTF-8; markup: it is SSML, else it is plain. Errors: -ENOMEM. */
int ssml_parse(struct ssml *ret, const char *text, bool markup);
void ssml_clear(struct ssml *s);

#endif
