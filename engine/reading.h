/* SPDX-License-Identifier: MIT */
/*
 * What a model is given of a text: written out where the model asks for that
 * (spoken.h), and cut into segments. A long text is written out in parts that
 * end with a sentence, so that it may become any multiple of what it was.
 */
#ifndef BARK_READING_H
#define BARK_READING_H

#include "model.h"
#include "segments.h"

struct bark_reading_segment {
	size_t begin, end;                 /* bytes of the spoken text */
	size_t written_begin, written_end; /* bytes of the written text */
};

struct bark_reading {
	char *text; /* owned: what is spoken, UTF-8 */
	size_t len;
	struct bark_reading_segment *segments; /* owned, n > 0 */
	size_t n;
};

/*
 * text: UTF-8, len bytes. language: BCP-47 or NULL. ret is untouched on failure
 * and cleared by the caller. Thread-safe. err may be NULL. Errors: -E2BIG (over
 * BARK_TEXT_MAX), -EILSEQ, -ENODATA (there is nothing to say), -EDOM (there is,
 * but the model cannot say any of it), -EINVAL (no vocabulary), -ENOMEM.
 */
int bark_reading_make(struct bark_reading *ret, const struct bark_model *model,
		      const char *text, size_t len, const char *language,
		      struct bark_error *err);
void bark_reading_clear(struct bark_reading *r);

#endif
