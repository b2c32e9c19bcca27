/* SPDX-License-Identifier: MIT */
/*
 * One client of barkd-wyoming: its requests, one after the other, and the
 * sound that answers them. It ends, and frees itself, when the client goes.
 */
#ifndef WYOMING_SESSION_H
#define WYOMING_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "barkd-client.h"

#define SESSION_TEXT_MAX (256 * 1024) /* bytes that wait to be spoken */

struct session;

struct session_owner {
	sd_event *event;
	const char *socket; /* barkd's, or NULL */
	/* The session ends. */
	void (*ended)(void *data, struct session *s);
	void *data;
};

/* Takes the connection: in is read, out is written; they may be one. Errors:
 * -ENOMEM and sd-event's; the connection is closed then. */
int session_new(struct session **ret, const struct session_owner *owner,
		int in, int out);
/* Whether nothing is lost with it: it neither speaks nor is about to, or its
 * client does not read. */
bool session_idle(const struct session *s);
/* When a whole event came or something was read of it, CLOCK_MONOTONIC in
 * microseconds. */
uint64_t session_moved(const struct session *s);
/* NULL is fine. ended() is not called. */
void session_free(struct session *s);

#endif
