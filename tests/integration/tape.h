/* SPDX-License-Identifier: MIT */
/*
 * A tape: mono float samples with the time at which each block arrived, for
 * the recorders and the sink host. One thread appends (RT safe), another
 * watches and saves. Memory is reserved at once and touched as it is used.
 */
#ifndef TEST_TAPE_H
#define TEST_TAPE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct tape_block {
	uint64_t frame; /* of its first sample */
	int64_t ns;     /* CLOCK_MONOTONIC */
};

struct tape {
	float *pcm;
	struct tape_block *blocks;
	size_t capacity, block_capacity;
	atomic_size_t n, n_blocks;
	/* tape_watch's own */
	size_t watched, last_sound, begin;
	int sounding, told;
};

int64_t tape_now(void);
int tape_init(struct tape *t);
/* RT safe. Samples beyond the tape's end are dropped. */
void tape_append(struct tape *t, const float *pcm, size_t n, int64_t ns);
/*
 * Prints, each with its time, `faint FRAME NS` when anything at all follows
 * TAPE_QUIET_MS of silence; `sound FRAME NS` for the first sample of it that
 * can be heard, which is known TAPE_AHEAD_MS later: -30 dB of the largest in
 * that time; and `silence FRAME NS` for the last sample, TAPE_QUIET_MS after
 * it. Call it every few milliseconds.
 */
#define TAPE_QUIET_MS 100
#define TAPE_AHEAD_MS 200
#define TAPE_SILENCE 1e-4f
#define TAPE_AUDIBLE 0.0316f
void tape_watch(struct tape *t, unsigned rate);
/* WAV (float) at path, and lines `FRAME NS` at path.times. */
int tape_save(const struct tape *t, const char *path, unsigned rate);

#endif
