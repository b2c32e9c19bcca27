/* SPDX-License-Identifier: MIT */
#include "loudness.h"

#include <ebur128.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VOICES_MAX 64
#define NAME_ROOM 132
/* Less than this (the integration block is 400 ms) says little. */
#define ENOUGH_MS 800
#define GAIN_MAX_DB 20
/* How much a new utterance moves what is known of a voice. */
#define WEIGHT 0.3

struct voice {
	char name[NAME_ROOM];
	double lufs;
};

struct loudness {
	unsigned rate;
	struct voice voices[VOICES_MAX];
	unsigned n_voices, n_seen; /* n_seen: the next to be replaced */
	ebur128_state *meter;      /* NULL: nothing is being measured */
	char name[NAME_ROOM];
	size_t n;
};

int loudness_new(struct loudness **ret, unsigned rate)
{
	struct loudness *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->rate = rate;
	*ret = l;
	return 0;
}

void loudness_free(struct loudness *l)
{
	if (!l)
		return;
	if (l->meter)
		ebur128_destroy(&l->meter);
	free(l);
}

static const struct voice *find(const struct loudness *l, const char *name)
{
	for (unsigned i = 0; i < l->n_voices; i++)
		if (strcmp(l->voices[i].name, name) == 0)
			return &l->voices[i];
	return NULL;
}

double loudness_gain(const struct loudness *l, const char *voice,
		     double target)
{
	const struct voice *v = find(l, voice);
	double db;

	if (!v)
		return 1;
	db = target - v->lufs;
	db = db > GAIN_MAX_DB ? GAIN_MAX_DB : db;
	db = db < -GAIN_MAX_DB ? -GAIN_MAX_DB : db;
	return pow(10, db / 20);
}

void loudness_begin(struct loudness *l, const char *voice)
{
	if (l->meter)
		ebur128_destroy(&l->meter);
	l->n = 0;
	strncpy(l->name, voice, NAME_ROOM - 1);
	/* Without memory this utterance teaches nothing. */
	l->meter = ebur128_init(1, l->rate, EBUR128_MODE_I);
}

void loudness_add(struct loudness *l, const float *pcm, size_t n)
{
	if (l->meter && ebur128_add_frames_float(l->meter, pcm, n) == 0)
		l->n += n;
}

void loudness_end(struct loudness *l)
{
	struct voice *v;
	double lufs = -HUGE_VAL;

	if (!l->meter)
		return;
	if (l->n >= (size_t)l->rate * ENOUGH_MS / 1000)
		ebur128_loudness_global(l->meter, &lufs);
	ebur128_destroy(&l->meter);
	if (!isfinite(lufs))
		return;
	v = (struct voice *)find(l, l->name);
	if (v) {
		v->lufs += WEIGHT * (lufs - v->lufs);
		return;
	}
	v = &l->voices[l->n_seen++ % VOICES_MAX];
	if (l->n_voices < VOICES_MAX)
		l->n_voices++;
	memcpy(v->name, l->name, sizeof(v->name));
	v->lufs = lufs;
}
