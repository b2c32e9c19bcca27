/* SPDX-License-Identifier: MIT */
/*
 * GET /v1/events: what happens, as Server-Sent Events (docs/api.md), at the
 * time it is heard. While nobody listens, or nothing is spoken, nothing is
 * computed here and nothing wakes up.
 */
#ifndef BARKD_EVENTS_H
#define BARKD_EVENTS_H

#include <stdbool.h>

#include "bark.h"
#include "http.h"

#define EVENTS_LISTENERS_MAX 16

struct daemon;
struct events;
struct utterance;

/* Errors: -ENOMEM and sd-event's. */
int events_new(struct events **ret, struct daemon *d);
/* Ends the listeners' answers. NULL is fine. */
void events_free(struct events *e);

/* Answers with events from now on. Errors, not answered: -EBUSY, -ENOMEM. */
int events_listen(struct events *e, struct http_request *req, bool levels);

/* An utterance was taken into the queue. */
void events_queued(struct events *e, const struct utterance *u);
/* It is about to be spoken, at a speed (a factor). */
void events_play(struct events *e, struct utterance *u, double speed);
/* The engine has come to a segment's beginning or end. */
void events_segment(struct events *e, struct utterance *u,
		    const struct bark_event *event);
/* It ends, as docs/api.md names it. */
void events_end(struct events *e, struct utterance *u, const char *state);
void events_paused(struct events *e, bool paused);
/* GET /v1/status has another state. */
void events_status(struct events *e);

/* What an utterance holds for its events. */
struct utterance_events {
	struct words *words; /* NULL: nobody has listened */
	size_t next_word;    /* to be told */
	ssize_t segment;     /* told last; -1: none */
	double speed;
	double length_ms;    /* < 0: not played to its end yet */
	bool begun;          /* told */
};

void utterance_events_clear(struct utterance_events *ue);

#endif
