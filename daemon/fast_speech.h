/* SPDX-License-Identifier: MIT */
/*
 * A text of any length by the fast voice, sentence by sentence, a few seconds
 * ahead of who reads it. The loop's thread's.
 */
#ifndef BARKD_FAST_SPEECH_H
#define BARKD_FAST_SPEECH_H

#include <stdbool.h>
#include <stddef.h>

#include "fast.h"
#include "source.h"

struct fast_speech;

/*
 * Speaks n bytes of UTF-8 in a language (BCP-47; NULL: English). strict: what
 * the voice does not have fails instead of being spoken as English. done() is
 * called once: r is 0 and the source the caller's, to be freed before the
 * speech, or r < 0 as of fast_order(). Errors: -ENOMEM.
 */
int fast_speech_new(struct fast_speech **ret, struct fast *f, const char *text,
		    size_t n, const char *language, bool strict,
		    void (*done)(void *data, int r, struct source *source),
		    void *data);
/* done() will not be called. NULL is fine. */
void fast_speech_free(struct fast_speech *s);

#endif
