/* SPDX-License-Identifier: MIT */
#include "source.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "trim.h"

#define BLOCK 4096

struct source {
	unsigned rate;
	struct bark_session *session; /* or NULL: the sound */
	/* A session's recording. */
	float *record;
	size_t n_record, room;
	bool whole, too_long;
	/* A sound's reading. */
	struct sound *sound;
	size_t at, n_text;
	unsigned told; /* events */
};

struct sound *sound_new(unsigned rate, size_t n)
{
	struct sound *s;

	if (n > (SIZE_MAX - sizeof(*s)) / sizeof(*s->pcm))
		return NULL;
	s = malloc(sizeof(*s) + n * sizeof(*s->pcm));
	if (!s)
		return NULL;
	s->refs = 1;
	s->rate = rate;
	s->n = n;
	return s;
}

static int16_t to_s16(float v)
{
	v *= 32768;
	return (int16_t)lrintf(v < -32768 ? -32768 : v > 32767 ? 32767 : v);
}

static void append(struct sound *s, const float *pcm, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s->pcm[s->n++] = to_s16(pcm[i]);
}

struct sound *sound_trimmed(unsigned rate, const int16_t *pcm, size_t n,
			    double loudness)
{
	struct sound *s = sound_new(rate, n);
	struct bark_trim trim;
	float block[BLOCK];
	const float *out;
	size_t n_out;

	if (!s)
		return NULL;
	if (bark_trim_init(&trim, rate, loudness, BLOCK) < 0) {
		sound_unref(s);
		return NULL;
	}
	bark_trim_reset(&trim);
	s->n = 0;
	for (size_t at = 0; at < n;) {
		size_t k = n - at < BLOCK ? n - at : BLOCK;

		for (size_t i = 0; i < k; i++)
			block[i] = (float)pcm[at + i] / 32768;
		out = bark_trim_feed(&trim, block, k, true, &n_out);
		append(s, out, n_out);
		at += k;
	}
	out = bark_trim_end(&trim, &n_out);
	append(s, out, n_out);
	bark_trim_clear(&trim);
	return s;
}

struct sound *sound_ref(struct sound *s)
{
	s->refs++;
	return s;
}

void sound_unref(struct sound *s)
{
	if (s && --s->refs == 0)
		free(s);
}

struct source *source_of_session(struct bark_session *session, unsigned rate,
				 size_t record)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->session = session;
	s->rate = rate;
	s->room = record;
	s->record = record ? malloc(record * sizeof(*s->record)) : NULL;
	s->too_long = !s->record;
	return s;
}

struct source *source_of_sound(struct sound *sound, size_t n_text)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->sound = sound_ref(sound);
	s->rate = sound->rate;
	s->n_text = n_text;
	return s;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	sound_unref(s->sound);
	free(s->record);
	free(s);
}

unsigned source_rate(const struct source *s)
{
	return s->rate;
}

int source_fd(const struct source *s)
{
	return s->session ? bark_session_fd(s->session) : -1;
}

static ssize_t read_session(struct source *s, float *pcm, size_t n)
{
	ssize_t got = bark_session_read(s->session, pcm, n, 0);

	if (got == 0)
		s->whole = true;
	if (got <= 0 || s->too_long)
		return got;
	if ((size_t)got > s->room - s->n_record) {
		s->too_long = true;
		return got;
	}
	memcpy(s->record + s->n_record, pcm, (size_t)got * sizeof(*pcm));
	s->n_record += (size_t)got;
	return got;
}

ssize_t source_read(struct source *s, float *pcm, size_t n)
{
	size_t left;

	if (s->session)
		return read_session(s, pcm, n);
	left = s->sound->n - s->at;
	n = n < left ? n : left;
	for (size_t i = 0; i < n; i++)
		pcm[i] = (float)s->sound->pcm[s->at + i] / 32768;
	s->at += n;
	return (ssize_t)n;
}

int source_event(struct source *s, struct bark_event *ret)
{
	static const enum bark_event_type types[] = {
		BARK_EVENT_SEGMENT_BEGIN, BARK_EVENT_SEGMENT_END,
		BARK_EVENT_END,
	};

	if (s->session)
		return bark_session_event(s->session, ret);
	if (s->told == sizeof(types) / sizeof(*types))
		return 0;
	*ret = (struct bark_event){
		.type = types[s->told],
		.sample = s->told ? s->sound->n : 0,
		.text_end = s->n_text,
	};
	s->told++;
	return 1;
}

struct sound *source_recorded(const struct source *s)
{
	struct sound *sound;

	if (!s->whole || s->too_long || !s->n_record)
		return NULL;
	sound = sound_new(s->rate, s->n_record);
	for (size_t i = 0; sound && i < sound->n; i++)
		sound->pcm[i] = to_s16(s->record[i]);
	return sound;
}
