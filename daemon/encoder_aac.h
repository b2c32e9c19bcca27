/* SPDX-License-Identifier: MIT */
/* AAC-LC in ADTS frames, by vo-aacenc. For encoder.c. */
#ifndef BARKD_ENCODER_AAC_H
#define BARKD_ENCODER_AAC_H

#include <stddef.h>
#include <stdint.h>

#define ENCODER_AAC_SAMPLES 1024   /* a frame holds */
#define ENCODER_AAC_FRAME_MAX 2048 /* bytes */

#ifndef ENCODER_HAS_AAC
#define ENCODER_HAS_AAC 0
#endif

struct encoder_aac;

/* Errors: -ENOMEM, -EIO, -ENOSYS (not built in). */
int encoder_aac_new(struct encoder_aac **ret);
void encoder_aac_free(struct encoder_aac *a);
/* Errors: -ENOMEM. */
int encoder_aac_feed(struct encoder_aac *a, const int16_t *pcm, size_t n);
/* The next whole frame: its bytes, 0: more samples are needed, -EIO. */
int encoder_aac_take(struct encoder_aac *a,
		     unsigned char frame[ENCODER_AAC_FRAME_MAX]);

#endif
