/* SPDX-License-Identifier: MIT */
/*
 * A leveller: brings each sentence of a voice to one loudness while it
 * streams, by a gain that moves slowly and looks at what was heard only. For
 * models whose card asks for it; no delay, and a sample's gain depends on the
 * samples before it alone, however they are split.
 */
#ifndef BARK_LEVEL_H
#define BARK_LEVEL_H

#include <stddef.h>

/* Blocks of 20 ms in BS.1770's window of 400 ms. */
#define BARK_LEVEL_WINDOW 20

struct bark_level {
	double b[2][3], a[2][2], z[2][2]; /* K weighting, two biquads */
	double target;  /* LUFS */
	size_t block;   /* samples of 20 ms */
	size_t n;       /* samples of the block under way */
	double sum;     /* of their weighted squares */
	double window[BARK_LEVEL_WINDOW]; /* power of the last blocks */
	size_t n_blocks;
	double mean;    /* power of what was heard, over `weight` blocks */
	double weight;
	double gain_db;
	float gain, step; /* of the next sample; and its change a sample */
};

/* rate: samples a second, 1,000 at least. target: LUFS. Owns no memory. */
void bark_level_init(struct bark_level *l, unsigned rate, double target);
/* An utterance begins: at 0 dB, with nothing heard. */
void bark_level_reset(struct bark_level *l);
/* Changes n samples in place; allocates nothing. */
void bark_level_apply(struct bark_level *l, float *pcm, size_t n);

#endif
