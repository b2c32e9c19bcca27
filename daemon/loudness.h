/* SPDX-License-Identifier: MIT */
/*
 * How loud each voice is (EBU R 128, integrated), learnt as it speaks, so
 * that its next utterance can be set to a loudness by one fixed factor.
 */
#ifndef BARKD_LOUDNESS_H
#define BARKD_LOUDNESS_H

#include <stddef.h>

struct loudness;

/* rate: of the samples measured. Errors: -ENOMEM. */
int loudness_new(struct loudness **ret, unsigned rate);
void loudness_free(struct loudness *l);

/* The factor that brings a voice to `target` LUFS; 1 as long as nothing is
 * known of it. Between -20 and +20 dB. */
double loudness_gain(const struct loudness *l, const char *voice,
		     double target);

/* An utterance of `voice` begins: measure its samples, before any gain. */
void loudness_begin(struct loudness *l, const char *voice);
void loudness_add(struct loudness *l, const float *pcm, size_t n);
/* It ended, or was cut short: learns what it has, if that is enough. */
void loudness_end(struct loudness *l);

#endif
