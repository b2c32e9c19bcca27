/* SPDX-License-Identifier: MIT */
/*
 * The message being spoken: its parts are asked of barkd one behind the
 * other, the next one early enough to be computed while one is heard. Prints
 * the events. Exactly one of 702, 703 and 704 ends each message.
 */
#ifndef SPEECHD_SPEECH_H
#define SPEECHD_SPEECH_H

#include <poll.h>
#include <stdint.h>

#include "barkd-client.h"
#include "serve.h"
#include "settings.h"
#include "text.h"
#include "word_events.h"

#define SPEECH_PARTS 2 /* asked for at a time */
#define SPEECH_FDS 3   /* those, and barkd's events */

struct speech {
	struct barkd_client *client;
	struct text text;     /* n is 0 when idle */
	struct barkd_say how; /* but for the text */
	char *voice, *language;
	int fds[SPEECH_PARTS]; /* of the parts from `heard` on; -1: none */
	size_t heard;	       /* the part being heard */
	size_t next_mark;      /* inside of it */
	unsigned long serial;  /* of the message */
	uint64_t waits_ms;     /* when the pause before `heard` ends; 0: none */
	bool waited;           /* it has ended */
	struct word_events words;    /* where in it barkd is */
	bool served;                 /* Speech Dispatcher plays it */
	struct serve serve;
	bool active, pausing;
};

void speech_init(struct speech *s, struct barkd_client *client);
/* Takes the text. Prints 701 and what follows from it. Idle or not. echo: a
 * key or a character, which cannot wait for a slow model. */
void speech_start(struct speech *s, struct text *text,
		  const struct settings *settings, bool echo);
/* Nothing when idle: speechd 0.11.4 hangs on an event too many. */
void speech_stop(struct speech *s);
/* At the end of the part that is heard. */
void speech_pause(struct speech *s);
/* Fills in what to poll for; entries not needed have fd -1. */
void speech_poll(const struct speech *s, struct pollfd fds[SPEECH_FDS]);
/* How long to poll, milliseconds: 0 when there is more to do at once, -1 when
 * there is nothing to do but for what is polled for. */
int speech_timeout(const struct speech *s);
/* Takes what poll() found. */
void speech_step(struct speech *s, const struct pollfd fds[SPEECH_FDS]);

#endif
