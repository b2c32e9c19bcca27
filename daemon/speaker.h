/* SPDX-License-Identifier: MIT */
/*
 * The audio pump: takes the samples of one source as they come, sends them
 * through the chain and hands them to the outlet or to a sink that writes,
 * never more ahead than the configured buffer. Runs in the daemon's loop and
 * sleeps while there is enough in the ring.
 */
#ifndef BARKD_SPEAKER_H
#define BARKD_SPEAKER_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "bark.h"
#include "chain.h"
#include "conf.h"
#include "levels.h"
#include "outlet.h"
#include "sinks.h"
#include "source.h"

struct speaker;

struct speaker_handler {
	/* The engine has computed the whole utterance. */
	void (*computed)(void *data);
	/* A segment's beginning or end was computed. */
	void (*segment)(void *data, const struct bark_event *event);
	/* The sink has taken all of it (r 0), or it ends early: r < 0 is the
	 * engine's or the sink's error. The speaker is idle then. */
	void (*finished)(void *data, int r);
	void *data;
};

/* Errors: -ENOMEM and sd-event's. */
int speaker_new(struct speaker **ret, sd_event *event, struct outlet *outlet,
		struct sinks *sinks, const struct speaker_handler *handler);
void speaker_free(struct speaker *sp);

/* What is spoken at the moment is not changed but for the buffer and the
 * lead-in. */
void speaker_configure(struct speaker *sp, const struct conf *conf);

/*
 * Speaks what a source has; it stays the caller's and must live until
 * finished() or speaker_stop(). voice: whose loudness to learn. The speaker
 * must be idle. Errors: -ENOMEM and sd-event's.
 */
int speaker_play(struct speaker *sp, struct source *source, const char *voice,
		 const struct chain_utterance *u);
/* Silence now. finished() is not called. */
void speaker_stop(struct speaker *sp);
void speaker_pause(struct speaker *sp, bool pause);
/* The sinks' state or rate changed. */
void speaker_sink_changed(struct speaker *sp);

bool speaker_busy(const struct speaker *sp);
/* Whether the engine has computed all of the current utterance. */
bool speaker_computed(const struct speaker *sp);
/* Milliseconds heard of the current utterance, or of the last one. */
double speaker_played_ms(struct speaker *sp);
/* CLOCK_MONOTONIC ns when the utterance's first sample was taken by the sink;
 * 0: not yet. */
uint64_t speaker_first_sound(struct speaker *sp);
/* Microseconds until the place `end` is heard; 0: it was. */
uint64_t speaker_until_heard(struct speaker *sp, uint64_t end);
/* How loud it is where the listener is. */
struct level speaker_level(struct speaker *sp);
/* The place behind the utterance that was finished last. */
uint64_t speaker_end(struct speaker *sp);

#endif
