/* SPDX-License-Identifier: MIT */
/*
 * From the engine's samples to the sink's: rate and pitch (libsonic), gain,
 * sample rate (libsamplerate), limiter. Each step that has nothing to do is
 * left out, so that at rate, pitch and gain 1 and equal sample rates samples
 * pass bit for bit. The limiter comes last because resampling overshoots.
 *
 * A chain is fed one utterance at a time and keeps its last seconds, so that
 * the sink's sample rate can change in the middle of it.
 */
#ifndef BARKD_CHAIN_H
#define BARKD_CHAIN_H

#include <stddef.h>
#include <stdint.h>

struct chain;

struct chain_utterance {
	double rate, pitch; /* 0.25..6, 0.25..4 */
	double gain;        /* factor */
};

/* What came out of a step; valid until the chain's next call. */
struct chain_out {
	const float *pcm;
	size_t n;
};

/* resampler: 0 fastest, 1 medium, 2 best. Errors: -ENOMEM, -EINVAL. */
int chain_new(struct chain **ret, unsigned in_rate, unsigned out_rate,
	      int resampler);
void chain_free(struct chain *c);

/* Starts an utterance; whatever was before is forgotten. Errors: -ENOMEM. */
int chain_begin(struct chain *c, const struct chain_utterance *u);
/* Feeds n samples. Errors: -ENOMEM. */
int chain_feed(struct chain *c, const float *pcm, size_t n,
	       struct chain_out *ret);
/* The utterance is complete: gives the rest. Errors: -ENOMEM. */
int chain_finish(struct chain *c, struct chain_out *ret);

/*
 * The sink's rate changed: makes everything after the utterance's output
 * sample `from` (counted at the old rate) again, as far back as the chain
 * remembers. *ret_from: the same place at the new rate. Errors: -ENOMEM.
 */
int chain_change_rate(struct chain *c, unsigned out_rate, uint64_t from,
		      uint64_t *ret_from, struct chain_out *ret);

#endif
