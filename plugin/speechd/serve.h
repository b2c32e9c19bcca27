/* SPDX-License-Identifier: MIT */
/*
 * The other audio route: barkd's speech comes here and goes on to Speech
 * Dispatcher, which plays it (its messages 705).
 */
#ifndef SPEECHD_SERVE_H
#define SPEECHD_SERVE_H

#include <stdbool.h>
#include <stddef.h>

#include "barkd-client.h"

struct serve {
	bool active;
	struct barkd_stream *stream; /* NULL: silence alone */
	size_t silence;              /* bytes of it to come first */
	unsigned char buf[16384];    /* frames, read and not sent */
	size_t n;
	bool begun, ended;
	bool more; /* the last step found something */
};

/* pause_ms: silence before; a text of "" is nothing else. Errors: as
 * barkd_client_say(). */
int serve_start(struct serve *s, struct barkd_client *client,
		const struct barkd_say *say, unsigned pause_ms);
void serve_stop(struct serve *s);
/* To be polled, or -1. */
int serve_fd(const struct serve *s);
/*
 * Does one thing: prints at most 10,000 bytes of sound (1), comes to a word
 * (2, and its first character in *ret_at), waits (0), has ended (-ENODATA), or
 * another error.
 */
int serve_step(struct serve *s, size_t *ret_at);

#endif
