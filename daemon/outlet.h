/* SPDX-License-Identifier: MIT */
/*
 * The last step before a sink: a ring of samples and what happens when it is
 * read. The control side (one thread, the daemon's loop) writes utterances
 * one after the other, stops, pauses and asks for positions; the sink's
 * real-time callback pulls. Nothing here blocks.
 *
 * Stopping names a position: everything before it is dead, whoever has
 * written it. The callback fades out over 5 ms from where it is and goes on
 * behind the dead part, so that a new utterance can be written at once.
 * Pausing fades out too but gives nothing up: the same samples fade in again.
 * When the ring runs dry in the middle of an utterance the last sample decays
 * to silence, which is counted, and sound goes on when some has gathered.
 */
#ifndef BARKD_OUTLET_H
#define BARKD_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outlet;

/* size: samples the ring has room for, at least. Errors: -ENOMEM. */
int outlet_new(struct outlet **ret, size_t size);
void outlet_free(struct outlet *o);
/* Whether the ring and the positions were locked into RAM when the outlet was
 * made; otherwise they were touched once and can be paged out. */
bool outlet_locked(const struct outlet *o);

/* --- control side --- */

/* Rate of the samples; sets the lengths of fades. While on hold, or before
 * the first pull. */
void outlet_set_rate(struct outlet *o, unsigned rate);
/* Starts an utterance; returns its first position. */
uint64_t outlet_begin(struct outlet *o);
/* Samples that can be written now. */
size_t outlet_space(struct outlet *o);
/* Writes n <= outlet_space() samples; last: the utterance ends with them. */
void outlet_write(struct outlet *o, const float *pcm, size_t n, bool last);
/* Position behind all that was written. */
uint64_t outlet_written(struct outlet *o);
/* Position that the callback is at; what is dead counts as read. */
uint64_t outlet_read(struct outlet *o);
/* Everything written so far is dead. */
void outlet_stop(struct outlet *o);
/* Holds the position, or goes on. */
void outlet_pause(struct outlet *o, bool pause);
/* Like pause, for the daemon's own use (a sink that changes its rate). */
void outlet_hold(struct outlet *o, bool hold);
/* No sink pulls any more: forgets the fades in progress. Only while no sink
 * is open. */
void outlet_unplug(struct outlet *o);

/*
 * Frames until the listener hears position `at` (negative: since), by the
 * sink's delay and the time since its last pull. *ret_pulled: whether the
 * callback has come so far at all; if not, the frames still to be pulled are
 * included, though nobody knows when.
 */
int64_t outlet_until_heard(struct outlet *o, uint64_t at, bool *ret_pulled);

/* Frames between the last pull and the listener. */
unsigned outlet_delay(struct outlet *o);
unsigned outlet_underruns(struct outlet *o);
unsigned outlet_xruns(struct outlet *o);
/* CLOCK_MONOTONIC nanoseconds when the utterance's first sample was pulled,
 * 0: not yet. */
uint64_t outlet_first_pull(struct outlet *o);

/* --- the sink's callback --- */

/* RT safe. struct barkd_sink_host's functions; data is the outlet. */
size_t outlet_pull(void *data, float *out, size_t n);
void outlet_set_delay(void *data, uint32_t frames);
void outlet_count_xrun(void *data);

#endif
