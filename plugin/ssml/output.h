/* SPDX-License-Identifier: MIT */
/* What the reader of SSML has found, on its way into a struct ssml. */
#ifndef SSML_OUTPUT_H
#define SSML_OUTPUT_H

#include "ssml.h"

/* What parts the words before from those that come. */
enum ssml_gap { SSML_GAP_NONE, SSML_GAP_WORD, SSML_GAP_SENTENCE,
		SSML_GAP_PARAGRAPH };

struct ssml_style {
	double rate, pitch, volume;
	char language[SSML_LANGUAGE_ROOM];
	enum ssml_as as;
};

struct ssml_output {
	struct ssml s;
	size_t room, places_room, spans_room, marks_room;
	struct ssml_writer writer;
	enum ssml_gap gap;
	unsigned pause_ms; /* before the next span */
	bool failed;       /* without memory; nothing more is taken */
};

void ssml_output_init(struct ssml_output *o, const struct ssml_writer *writer);
/* One character of n bytes, which stands at place. */
void ssml_output_put(struct ssml_output *o, const struct ssml_style *style,
		     const char *c, size_t n, struct ssml_place place);
/* The larger of two gaps counts. */
void ssml_output_gap(struct ssml_output *o, enum ssml_gap gap);
void ssml_output_pause(struct ssml_output *o, unsigned ms);
void ssml_output_mark(struct ssml_output *o, const char *name);
/* end: of the source, in characters. Errors: -ENOMEM. */
int ssml_output_finish(struct ssml_output *o, uint32_t end, struct ssml *ret);

#endif
