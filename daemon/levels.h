/* SPDX-License-Identifier: MIT */
/*
 * How loud it is where the listener is: levels of the last second of samples
 * written, by their position. One thread's.
 */
#ifndef BARKD_LEVELS_H
#define BARKD_LEVELS_H

#include <stddef.h>
#include <stdint.h>

#define LEVELS_PER_S 50
#define LEVELS_KEPT 128

struct level {
	float rms, peak; /* linear */
};

struct levels {
	struct {
		uint64_t end; /* position behind the block */
		struct level level;
	} blocks[LEVELS_KEPT];
	unsigned newest;
	/* The block that is being filled. */
	double square;
	float peak;
	size_t n;
};

/* n samples at a rate, the first at position `at`. */
void levels_add(struct levels *l, unsigned rate, uint64_t at, const float *pcm,
		size_t n);
/* The level at a position; silence where nothing is known. */
struct level levels_at(const struct levels *l, uint64_t at);

#endif
