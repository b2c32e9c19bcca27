/* SPDX-License-Identifier: MIT */
/* Drawing a token from logits. */
#ifndef BARK_SAMPLE_H
#define BARK_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "../kernels/kernels.h"
#include "model.h"

/* The stage's part of the generator's counter. */
enum bark_stage {
	BARK_STAGE_SEMANTIC,
	BARK_STAGE_COARSE,
	BARK_STAGE_FINE, /* + codebook */
};

struct bark_sampler {
	const struct bk_ops *ops;
	uint64_t seed;
	int greedy;      /* whatever the stage's sampling says */
	float *values;   /* scratch: [cap] */
	uint32_t *order; /* scratch: [cap] */
	size_t cap;
};

int bark_sampler_init(struct bark_sampler *s, size_t cap);
void bark_sampler_clear(struct bark_sampler *s);

/*
 * Draws from softmax(logits / how->temperature) over n <= cap logits, after
 * nucleus (on the unscaled logits) and top-k, in suno's order (suno-ai/bark,
 * generation.py). segment, stage and position key the random number. Greedy,
 * or !how->do_sample: the first of the largest. Allocates nothing.
 */
size_t bark_sample(struct bark_sampler *s, const float *logits, size_t n,
		   const struct bark_sampling *how, uint32_t segment,
		   uint32_t stage, uint32_t position);

/* Probability of logits[index] under softmax(logits). */
float bark_probability(const struct bk_ops *ops, const float *logits, size_t n,
		       size_t index);

#endif
