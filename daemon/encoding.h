/* SPDX-License-Identifier: MIT */
/*
 * Encodes sound for a client in the daemon's loop. WAV and bare samples are
 * made here; the formats that need a codec library are made by the program
 * barkd-encode, one process a stream, confined and fed through a socket: a
 * fault of such a library ends one client's stream and nothing else.
 *
 * All functions belong to the loop's thread and none blocks.
 */
#ifndef BARKD_ENCODING_H
#define BARKD_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "encoder.h"

struct encoding;

struct encoding_handler {
	/* n encoded bytes. A negative errno ends the encoding with it. */
	int (*output)(void *data, const void *bytes, size_t n);
	/* There is room for samples again, after encoding_feed() had none. */
	void (*room)(void *data);
	/* The last bytes were given to output() (0), or the encoder failed
	 * (-EIO). Not called from encoding_feed() or encoding_finish(). The
	 * encoding may be freed in it. */
	void (*done)(void *data, int error);
};

/*
 * hold: as for encoder_hold(). handler and data outlive the encoding. SIGCHLD
 * must be blocked (sd_event_add_child(3)). Errors:
 * -ENOMEM, -ENOSYS (not built in), -ENOENT (no barkd-encode), those of
 * posix_spawn().
 */
int encoding_new(struct encoding **ret, sd_event *event, int priority,
		 enum encoder_format format, size_t hold,
		 const struct encoding_handler *handler, void *data);
/* Before the end: nothing more is called. NULL is fine. */
void encoding_free(struct encoding *e);

/* Samples that encoding_feed() takes now; below `want`, room() is called once
 * there are that many. */
size_t encoding_room(struct encoding *e, size_t want);
/* n <= encoding_room() samples, nominally within +-1. output() may be called.
 * Errors: -ENOMEM, -ENOBUFS (more than there was room for), -EIO, those of
 * output(). */
int encoding_feed(struct encoding *e, const float *pcm, size_t n);
/* No more samples come. 1: all output was given; 0: done() will be called;
 * or an error as of encoding_feed(). */
int encoding_finish(struct encoding *e);
/* Holds back output() from the program, or lets it go on. */
void encoding_pause(struct encoding *e, bool pause);

#endif
