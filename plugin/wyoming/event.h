/* SPDX-License-Identifier: MIT */
/*
 * Wyoming's events (github.com/rhasspy/wyoming, README): a line of JSON, then
 * as many bytes of JSON data and of payload as it says. Read from bytes as
 * they come, with limits. No I/O.
 */
#ifndef WYOMING_EVENT_H
#define WYOMING_EVENT_H

#include <jansson.h>
#include <stddef.h>

#define EVENT_LINE_MAX (64 * 1024)
#define EVENT_DATA_MAX (1024 * 1024)
#define EVENT_PAYLOAD_MAX (64 * 1024 * 1024) /* skipped, never kept */

struct event_reader {
	char *buf;
	size_t n, room;
	size_t skip; /* bytes of a payload still to come */
};

struct event {
	char *type;
	json_t *data; /* an object, never NULL */
};

void event_reader_clear(struct event_reader *r);
/* Adds n bytes. Errors: -ENOMEM, -EMSGSIZE (the connection is to be closed). */
int event_reader_feed(struct event_reader *r, const void *data, size_t n);
/* 1 and *ret, to be cleared; 0: more bytes are needed; -EPROTO, -EMSGSIZE. */
int event_reader_next(struct event_reader *r, struct event *ret);
void event_clear(struct event *e);

/* An event's bytes but for its payload, to be freed, or NULL without memory.
 * Takes the reference to data, which may be NULL. */
char *event_format(const char *type, json_t *data, size_t n_payload,
		   size_t *ret_n);

#endif
