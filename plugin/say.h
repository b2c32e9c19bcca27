/* SPDX-License-Identifier: MIT */
/* What hosts that read SSML ask barkd for. */
#ifndef BARKD_SAY_H
#define BARKD_SAY_H

#include <math.h>
#include <stddef.h>

#include "barkd-client.h"
#include "conf.h"

/* Sets factors, each as near as barkd takes it. rate_max: CONF_RATE_MAX, or
 * CONF_SPEED_MAX for barkd_client_speech_start(). */
static inline void say_set_factors(struct barkd_say *say, double rate,
				   double pitch, double volume, double rate_max)
{
	say->rate = fmin(fmax(rate, CONF_RATE_MIN), rate_max);
	say->pitch = fmin(fmax(pitch, CONF_PITCH_MIN), CONF_PITCH_MAX);
	/* 0 would be the daemon's default. */
	say->volume = fmin(fmax(volume, 1e-3), CONF_VOLUME_MAX);
}

/* Bytes of BARKD_SPEECH_PCM. */
static inline size_t say_silence_bytes(unsigned pause_ms)
{
	return (size_t)pause_ms * BARKD_SPEECH_RATE / 1000 * 2;
}

#endif
