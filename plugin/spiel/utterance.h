/* SPDX-License-Identifier: MIT */
/*
 * One call of Synthesize: the daemon's frames, with the marks of its text, to
 * the caller's pipe, no faster than that is read. It ends, and frees itself,
 * when all was written or the pipe was closed, which is how a caller cancels.
 */
#ifndef SPIEL_UTTERANCE_H
#define SPIEL_UTTERANCE_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#define UTTERANCE_TEXT_MAX (256 * 1024) /* bytes */

struct utterance;

struct utterance_request {
	const char *text, *voice, *language; /* the latter two may be "" */
	double pitch, rate;
	bool is_ssml;
};

/* Takes fd, whatever happens. ended() is not called from here. Errors:
 * -E2BIG, -EILSEQ, -ENOMEM, -EHOSTDOWN and others of the client library. */
int utterance_new(struct utterance **ret, sd_event *event, int fd,
		  const struct utterance_request *request,
		  void (*ended)(void *data, struct utterance *u), void *data);
/* NULL is fine. */
void utterance_free(struct utterance *u);

#endif
