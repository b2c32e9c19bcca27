/* SPDX-License-Identifier: MIT */
/*
 * Sound as bytes for a client, made as it comes: MP3, Opus in Ogg, FLAC
 * (libsndfile), AAC in ADTS (vo-aacenc, where it was built in), WAV of unknown
 * length, bare samples. One channel, 24 kHz, 16 bits; MP3 has 64 kbit/s.
 */
#ifndef BARKD_ENCODER_H
#define BARKD_ENCODER_H

#include <stdbool.h>
#include <stddef.h>

#define ENCODER_RATE 24000
/* Samples that encoder_feed() takes at a time. */
#define ENCODER_BLOCK_MAX 4096
/* More bytes do not come out of one call, but for what was held. */
#define ENCODER_OUT_MAX (64 * 1024)

enum encoder_format {
	ENCODER_MP3,
	ENCODER_OPUS,
	ENCODER_AAC,
	ENCODER_FLAC,
	ENCODER_WAV,
	ENCODER_PCM, /* little endian */
	ENCODER_N_FORMATS,
};

struct encoder;

/* "mp3", "opus", ...; -EINVAL for others. */
int encoder_format_parse(const char *name);
const char *encoder_name(enum encoder_format format);
/* Whether this build has the format. */
bool encoder_has(enum encoder_format format);
/* As for a Content-Type. */
const char *encoder_type(enum encoder_format format);

/* Errors: -ENOMEM, -ENOSYS (not built in), -EIO (the library refuses). */
int encoder_new(struct encoder **ret, enum encoder_format format);
void encoder_free(struct encoder *e);
/*
 * Keeps up to max bytes until encoder_finish(), so that a head that tells the
 * sound's length can be written when it is known; of FLAC alone, others have
 * none. More than that comes out by encoder_feed() after all, of unknown
 * length. Before the first sample.
 */
void encoder_hold(struct encoder *e, size_t max);

/*
 * Encodes n <= ENCODER_BLOCK_MAX samples, nominally within +-1. *ret_data and
 * *ret_n: what came out, maybe nothing; valid until the next call. Errors:
 * -ENOMEM, -EIO.
 */
int encoder_feed(struct encoder *e, const float *pcm, size_t n,
		 const void **ret_data, size_t *ret_n);
/* The sound is complete: the rest. Nothing is fed afterwards. */
int encoder_finish(struct encoder *e, const void **ret_data, size_t *ret_n);

#endif
