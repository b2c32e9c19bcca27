/* SPDX-License-Identifier: MIT */
/* What the elements of SSML mean: the ones that are open, and their effect. */
#ifndef SSML_ELEMENTS_H
#define SSML_ELEMENTS_H

#include "output.h"

#define SSML_DEPTH_MAX 64 /* deeper elements have no meaning */
#define SSML_NAME_ROOM 32 /* of an element's name: as much as is compared */

struct ssml_element {
	char name[SSML_NAME_ROOM];
	struct ssml_style style;
	char *alias;      /* of <sub>, read in the place of what it holds */
	uint32_t begin;   /* of what it holds, characters of the source */
	bool muted;       /* nothing of what it holds is spoken */
	bool ordinal;
};

struct ssml_elements {
	struct ssml_output *out;
	struct ssml_element open[SSML_DEPTH_MAX]; /* [0] holds everything */
	unsigned n;
	unsigned long deeper;
};

void ssml_elements_init(struct ssml_elements *e, struct ssml_output *out);
/* Closes what is open at the end of the source, and frees what they hold. */
void ssml_elements_finish(struct ssml_elements *e, uint32_t at);
/* attributes: names and values in turn, ended by NULL, as expat gives them. at:
 * behind the tag, characters of the source. */
void ssml_elements_start(struct ssml_elements *e, const char *name,
			 const char *const *attributes, uint32_t at);
/* One that is open no more, or never was, only parts words. at: before the
 * tag. */
void ssml_elements_end(struct ssml_elements *e, const char *name, uint32_t at);
void ssml_elements_text(struct ssml_elements *e, const char *c, size_t n,
			struct ssml_place place);

#endif
