/* SPDX-License-Identifier: MIT */
/*
 * The fast voice (plugin/fast_voice.h), on a thread of its own: a word takes
 * it a millisecond, once it is open, which is done ahead.
 */
#ifndef BARKD_FAST_H
#define BARKD_FAST_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "source.h"

#define FAST_TEXT_MAX 2048 /* bytes of an order */

struct fast;
struct fast_order;

/* Errors: -ENOMEM, -EAGAIN. */
int fast_new(struct fast **ret, sd_event *event);
/* Waits for what is under way. NULL is fine. */
void fast_free(struct fast *f);
/* Loads the module and opens the voice, once, in the background. */
void fast_open(struct fast *f);
/* Whether it is open. */
bool fast_ready(const struct fast *f);
/* Whether it is open, or may be soon. */
bool fast_possible(const struct fast *f);

/*
 * Speaks n bytes of text in a language (BCP-47; NULL: English). done() is
 * called once unless the order is cancelled: r is 0 and sound the caller's, or
 * r < 0, as it is -ESRCH where the voice does not have the language and -ENOENT
 * where there is no voice. Errors: -ENOMEM, -E2BIG.
 */
int fast_order(struct fast *f, struct fast_order **ret, const char *text,
	       size_t n, const char *language,
	       void (*done)(void *data, int r, struct sound *sound),
	       void *data);
/* done() will not be called. NULL is fine. */
void fast_cancel(struct fast_order *order);

#endif
