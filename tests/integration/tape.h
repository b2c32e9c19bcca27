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
	size_t watched, last_sound;
	int sounding;
};

int64_t tape_now(void);
int tape_init(struct tape *t);
/* RT safe. Samples beyond the tape's end are dropped. */
void tape_append(struct tape *t, const float *pcm, size_t n, int64_t ns);
/*
 * Prints `sound FRAME NS` when sound follows TAPE_QUIET_MS of silence, and
 * `silence FRAME NS` with the last sample's time TAPE_QUIET_MS after it.
 * Call it every few milliseconds.
 */
#define TAPE_QUIET_MS 100
#define TAPE_SILENCE 1e-4f
void tape_watch(struct tape *t, unsigned rate);
/* WAV (float) at path, and lines `FRAME NS` at path.times. */
int tape_save(const struct tape *t, const char *path, unsigned rate);

#endif
