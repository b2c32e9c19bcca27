/* SPDX-License-Identifier: MIT */
/*
 * The message being spoken: its parts are asked of barkd one behind the
 * other, the next one early enough to be computed while one is heard. Prints
 * the events. Exactly one of 702, 703 and 704 ends each message.
 */
#ifndef SPEECHD_SPEECH_H
#define SPEECHD_SPEECH_H

#include <poll.h>

#include "barkd-client.h"
#include "settings.h"
#include "text.h"

#define SPEECH_FDS 2

struct speech {
	struct barkd_client *client;
	struct text text;     /* n is 0 when idle */
	struct barkd_say how; /* but for the text */
	char *voice, *language;
	int fds[SPEECH_FDS]; /* of the parts from `heard` on; -1: none */
	size_t heard;	     /* the part being heard */
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
/* Takes what poll() found. */
void speech_step(struct speech *s, const struct pollfd fds[SPEECH_FDS]);

#endif
