/* SPDX-License-Identifier: MIT */
#include "source.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "trim.h"

#define LITTLE_S 4 /* less than this to read is little */
#define BLOCK 4096

struct source {
	unsigned rate;
	struct bark_session *session; /* or NULL: pieces */
	/* A session's recording. */
	float *record;
	size_t n_record, room;
	bool whole, too_long;
	/* Pieces that are not read yet, the next one first. */
	struct sound **pieces;
	size_t n_pieces, at; /* at: samples of the first that were read */
	uint64_t left, made; /* samples: to be read, in all */
	struct bark_event *events; /* not taken yet */
	size_t n_events, text_end;
	bool ended;
	int fd; /* an eventfd, or -1: all is there */
	bool readable;
	void (*hungry)(void *data);
	void *data;
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
	s->fd = -1;
	s->rate = rate;
	s->room = record;
	s->record = record ? malloc(record * sizeof(*s->record)) : NULL;
	s->too_long = !s->record;
	return s;
}

/* --- pieces --- */

/* The descriptor says whether there is something to take. */
static void update_fd(struct source *s)
{
	bool readable = s->left || s->n_events || s->ended;
	uint64_t n = 1;

	if (s->fd < 0 || readable == s->readable)
		return;
	s->readable = readable;
	if (readable ? write(s->fd, &n, sizeof(n)) < 0
		     : read(s->fd, &n, sizeof(n)) < 0)
		s->readable = !readable;
}

static int add_event(struct source *s, enum bark_event_type type, size_t begin,
		     size_t end, int error)
{
	struct bark_event *more = realloc(
		s->events, (s->n_events + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	s->events = more;
	more[s->n_events++] = (struct bark_event){
		.type = type, .sample = s->made, .text_begin = begin,
		.text_end = end, .error = error,
	};
	return 0;
}

static void ask_for_more(struct source *s)
{
	if (!s->ended && s->hungry && s->left < (uint64_t)s->rate * LITTLE_S)
		s->hungry(s->data);
}

static struct source *new_pieces(unsigned rate)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->rate = rate;
	s->fd = -1;
	return s;
}

struct source *source_of_pieces(unsigned rate, void (*hungry)(void *data),
				void *data)
{
	struct source *s = new_pieces(rate);

	if (!s)
		return NULL;
	s->hungry = hungry;
	s->data = data;
	s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->fd < 0) {
		free(s);
		return NULL;
	}
	return s;
}

int source_add(struct source *s, struct sound *sound, size_t text_begin,
	       size_t text_end)
{
	struct sound **more = realloc(s->pieces,
				      (s->n_pieces + 1) * sizeof(*more));
	int r;

	if (!more)
		return -ENOMEM;
	s->pieces = more;
	r = add_event(s, BARK_EVENT_SEGMENT_BEGIN, text_begin, text_end, 0);
	if (r < 0)
		return r;
	s->pieces[s->n_pieces++] = sound_ref(sound);
	s->left += sound->n;
	s->made += sound->n;
	s->text_end = text_end;
	r = add_event(s, BARK_EVENT_SEGMENT_END, text_begin, text_end, 0);
	update_fd(s);
	ask_for_more(s);
	return r;
}

void source_end(struct source *s, int error)
{
	add_event(s, error < 0 ? BARK_EVENT_ERROR : BARK_EVENT_END, 0,
		  s->text_end, error);
	s->ended = true;
	update_fd(s);
}

struct source *source_of_sound(struct sound *sound, size_t n_text)
{
	struct source *s = new_pieces(sound->rate);

	if (s && source_add(s, sound, 0, n_text) < 0) {
		source_free(s);
		return NULL;
	}
	if (s)
		source_end(s, 0);
	return s;
}

static ssize_t read_pieces(struct source *s, float *pcm, size_t n)
{
	size_t got = 0;

	while (got < n && s->n_pieces) {
		struct sound *p = s->pieces[0];

		while (got < n && s->at < p->n)
			pcm[got++] = (float)p->pcm[s->at++] / 32768;
		if (s->at < p->n)
			break;
		sound_unref(p);
		s->at = 0;
		s->n_pieces--;
		memmove(s->pieces, s->pieces + 1,
			s->n_pieces * sizeof(*s->pieces));
	}
	s->left -= got;
	update_fd(s);
	ask_for_more(s);
	return got || s->ended ? (ssize_t)got : -EAGAIN;
}

static int take_event(struct source *s, struct bark_event *ret)
{
	if (!s->n_events)
		return 0;
	*ret = s->events[0];
	s->n_events--;
	memmove(s->events, s->events + 1, s->n_events * sizeof(*s->events));
	update_fd(s);
	return 1;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_pieces; i++)
		sound_unref(s->pieces[i]);
	free(s->pieces);
	free(s->events);
	free(s->record);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

/* --- either --- */

unsigned source_rate(const struct source *s)
{
	return s->rate;
}

int source_fd(const struct source *s)
{
	return s->session ? bark_session_fd(s->session) : s->fd;
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
	return s->session ? read_session(s, pcm, n) : read_pieces(s, pcm, n);
}

int source_event(struct source *s, struct bark_event *ret)
{
	return s->session ? bark_session_event(s->session, ret)
			  : take_event(s, ret);
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
