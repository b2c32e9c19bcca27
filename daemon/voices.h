/* SPDX-License-Identifier: MIT */
/*
 * The names of the voices in the folders of data and of the model. Folders may
 * be slow, so they are read on a thread of their own; the loop looks at what was
 * read last, and lets a request wait for a newer reading where that matters.
 */
#ifndef BARKD_VOICES_H
#define BARKD_VOICES_H

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "http.h"

struct voices;

/* handle is called again, with data, for requests that waited. Errors: -ENOMEM,
 * -EAGAIN. */
int voices_new(struct voices **ret, sd_event *event,
	       void (*handle)(void *data, struct http_request *req),
	       void *data);
/* Waits for a reading under way; requests that wait are not handled again. NULL
 * is fine. */
void voices_free(struct voices *v);

/* Whose voices count: a model by name or path; reads the folders. Errors:
 * -ENOMEM. */
int voices_configure(struct voices *v, const char *model);

/* How many there are, sorted by name; none before the first reading. */
size_t voices_count(const struct voices *v);
const char *voices_name(const struct voices *v, size_t i);
bool voices_has(const struct voices *v, const char *name);
/* Whether the folders have been read at all. */
bool voices_known(const struct voices *v);
/* Whether a reading is under way. */
bool voices_busy(const struct voices *v);

/* The names are about to be used: reads the folders in the background if that
 * was some time ago. */
void voices_use(struct voices *v);

/* Whether the request that is being handled has waited for a reading. */
bool voices_fresh(const struct voices *v);
/* Handles the request again after a reading that begins from now on. Errors,
 * with the request still the caller's: -ENOMEM. */
int voices_wait(struct voices *v, struct http_request *req);

#endif
