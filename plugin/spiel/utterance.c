/* SPDX-License-Identifier: MIT */
#include "utterance.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../say.h"
#include "../spiel_frames.h"
#include "barkd-client.h"
#include "ssml.h"

/* Readers read a frame at once, and a write of at most this much is whole or
 * not at all. */
#define WRITE_MAX PIPE_BUF
#define BUFFER_BYTES 65536

struct utterance {
	sd_event *event;
	struct barkd_client *client;
	struct barkd_stream *speech;
	sd_event_source *in, *out;
	int fd;
	struct ssml text;
	size_t span; /* of the text, being spoken */
	size_t next_mark;
	size_t silence; /* bytes of it to come before the span */
	char *voice, *language;
	double pitch, rate;
	/* From the daemon, not taken yet. */
	unsigned char buf[BUFFER_BYTES];
	size_t n;
	bool begun, read_all;
	size_t audio_left; /* of the frame that is being split */
	/* To be written, in one piece. */
	unsigned char frame[WRITE_MAX];
	size_t n_frame;
	void (*ended)(void *data, struct utterance *u);
	void *data;
};

static void take(struct utterance *u, size_t n)
{
	u->n -= n;
	memmove(u->buf, u->buf + n, u->n);
}

/* --- frames --- */

static void put_event(struct utterance *u, unsigned type, uint32_t begin,
		      uint32_t end, const char *name)
{
	const uint32_t numbers[] = {begin, end, (uint32_t)strlen(name)};

	u->frame[0] = SPIEL_EVENT;
	u->frame[1] = (unsigned char)type;
	memcpy(u->frame + 2, numbers, sizeof(numbers));
	memcpy(u->frame + SPIEL_EVENT_HEAD, name, numbers[2]);
	u->n_frame = SPIEL_EVENT_HEAD + numbers[2];
}

/* A mark of the span that stands before character `at` of the text, or before
 * the span's end; false: there is none. */
static bool put_mark(struct utterance *u, size_t at)
{
	const struct ssml_mark *m = &u->text.marks[u->next_mark];
	uint32_t place;

	if (u->next_mark == u->text.n_marks || m->span > u->span ||
	    m->first > at)
		return false;
	place = u->text.places[m->first].begin;
	put_event(u, SPIEL_MARK, place, place, m->name);
	u->next_mark++;
	return true;
}

static void put_audio(struct utterance *u)
{
	size_t n = u->audio_left < u->n ? u->audio_left : u->n;
	uint32_t size;

	if (n > WRITE_MAX - SPIEL_AUDIO_HEAD)
		n = WRITE_MAX - SPIEL_AUDIO_HEAD;
	/* Whole samples. */
	n &= ~(size_t)1;
	if (n == 0)
		return;
	size = (uint32_t)n;
	u->frame[0] = SPIEL_AUDIO;
	memcpy(u->frame + 1, &size, sizeof(size));
	memcpy(u->frame + SPIEL_AUDIO_HEAD, u->buf, n);
	u->n_frame = SPIEL_AUDIO_HEAD + n;
	u->audio_left -= n;
	take(u, n);
}

static void put_silence(struct utterance *u)
{
	size_t n = WRITE_MAX - SPIEL_AUDIO_HEAD;
	uint32_t size;

	if (n > u->silence)
		n = u->silence;
	n &= ~(size_t)1;
	size = (uint32_t)n;
	u->frame[0] = SPIEL_AUDIO;
	memcpy(u->frame + 1, &size, sizeof(size));
	memset(u->frame + SPIEL_AUDIO_HEAD, 0, n);
	u->n_frame = SPIEL_AUDIO_HEAD + n;
	u->silence -= n;
}

/* An event, told by the characters of what the caller sent. */
static void put_their_event(struct utterance *u)
{
	const struct ssml_place *places = u->text.places;
	uint32_t numbers[3];
	size_t n = u->text.n, begin, end;

	memcpy(numbers, u->buf + 2, sizeof(numbers));
	begin = u->text.spans[u->span].first + numbers[0];
	end = u->text.spans[u->span].first + numbers[1];
	/* A mark before the word comes first. */
	if (u->buf[1] == SPIEL_WORD && put_mark(u, begin))
		return;
	begin = begin < n ? begin : n;
	end = end < n ? end : n;
	put_event(u, u->buf[1], places[begin].begin,
		  end > begin ? places[end - 1].end : places[begin].begin, "");
	take(u, SPIEL_EVENT_HEAD);
}

/* The next frame, if there is one, into u->frame. */
static int next_frame(struct utterance *u)
{
	if (u->silence) {
		put_silence(u);
		return 0;
	}
	/* The caller got one, whatever comes behind it. */
	if (!u->begun && u->n >= SPIEL_VERSION_BYTES) {
		take(u, SPIEL_VERSION_BYTES);
		u->begun = true;
	}
	if (!u->begun)
		return 0;
	if (u->audio_left) {
		put_audio(u);
	} else if (u->n >= SPIEL_AUDIO_HEAD && u->buf[0] == SPIEL_AUDIO) {
		uint32_t size;

		memcpy(&size, u->buf + 1, sizeof(size));
		u->audio_left = size & ~1u;
		take(u, SPIEL_AUDIO_HEAD);
		put_audio(u);
	} else if (u->n >= SPIEL_EVENT_HEAD && u->buf[0] == SPIEL_EVENT) {
		put_their_event(u);
	} else if (u->n && u->buf[0] != SPIEL_AUDIO && u->buf[0] != SPIEL_EVENT) {
		return -EPROTO;
	}
	return 0;
}

/* --- the pump --- */

static void finish(struct utterance *u)
{
	u->ended(u->data, u);
	utterance_free(u);
}

/* Writes the frame: 1 when it is out, 0 when the pipe is full. */
static int write_frame(struct utterance *u)
{
	ssize_t n = write(u->fd, u->frame, u->n_frame);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		return -errno;
	u->n_frame = 0;
	return 1;
}

static int fill(struct utterance *u)
{
	ssize_t n;

	if (u->read_all || u->n == BUFFER_BYTES)
		return 0;
	n = barkd_stream_read(u->speech, u->buf + u->n, BUFFER_BYTES - u->n);
	if (n == -EAGAIN)
		return 0;
	if (n < 0) {
		fprintf(stderr, "barkd-spiel: %s\n",
			barkd_client_message(u->client));
		return (int)n;
	}
	u->read_all = n == 0;
	u->n += (size_t)n;
	return n > 0;
}

static int on_ready(sd_event_source *source, int fd, uint32_t revents,
		    void *userdata);

static void end_speech(struct utterance *u)
{
	u->in = sd_event_source_disable_unref(u->in);
	barkd_stream_free(u->speech);
	u->speech = NULL;
	u->begun = u->read_all = false;
	u->n = u->audio_left = 0;
}

/* Asks for the span's speech. */
static int begin_span(struct utterance *u)
{
	const struct ssml_span *span = &u->text.spans[u->span];
	char *text = ssml_span_text(&u->text, span);
	struct barkd_say say = {
		.text = text,
		.voice = u->voice,
		.language = *span->language ? span->language : u->language,
		.fallback = true,
	};
	int r = text ? 0 : -ENOMEM;

	say_set_factors(&say, u->rate * span->rate, u->pitch * span->pitch,
			span->volume, CONF_SPEED_MAX);
	u->silence = say_silence_bytes(span->pause_ms);
	u->read_all = text && !*text;
	if (r == 0 && *text)
		r = barkd_client_speech_start(u->client, &say,
					      BARKD_SPEECH_SPIEL, &u->speech);
	free(text);
	if (r == 0 && u->speech)
		r = sd_event_add_io(u->event, &u->in,
				    barkd_stream_fd(u->speech), EPOLLIN,
				    on_ready, u);
	return r < 0 ? r : 0;
}

/* 1: there is none. */
static int next_span(struct utterance *u)
{
	end_speech(u);
	if (u->span + 1 >= u->text.n_spans)
		return 1;
	u->span++;
	return begin_span(u);
}

/* 1: all is written; 0: there is something to wait for. */
static int work(struct utterance *u)
{
	for (;;) {
		int r;

		if (!u->n_frame) {
			r = next_frame(u);
			if (r < 0)
				return r;
		}
		/* Marks behind the last word. */
		if (!u->n_frame && u->read_all)
			put_mark(u, SIZE_MAX);
		if (u->n_frame) {
			r = write_frame(u);
			if (r <= 0)
				return r;
			continue;
		}
		if (u->read_all) {
			r = next_span(u);
			if (r != 0)
				return r;
			continue;
		}
		r = fill(u);
		if (r < 0)
			return r;
		if (r == 0 && !u->read_all)
			return 0;
	}
}

static int on_ready(sd_event_source *source, int fd, uint32_t revents,
		    void *userdata)
{
	struct utterance *u = userdata;
	int r = work(u);

	/* The caller's end of the pipe is closed: it has heard enough. */
	if (fd == u->fd && (revents & EPOLLERR))
		r = -EPIPE;
	if (r != 0) {
		finish(u);
		return 0;
	}
	if (u->in)
		sd_event_source_set_enabled(u->in, u->n_frame ? SD_EVENT_OFF
							      : SD_EVENT_ON);
	sd_event_source_set_io_events(u->out, u->n_frame ? EPOLLOUT : 0);
	return 0;
}

static int begin(struct utterance *u, const struct utterance_request *q)
{
	int r;

	u->voice = *q->voice ? strdup(q->voice) : NULL;
	u->language = *q->language ? strdup(q->language) : NULL;
	if ((*q->voice && !u->voice) || (*q->language && !u->language))
		return -ENOMEM;
	u->pitch = q->pitch;
	u->rate = q->rate;
	memcpy(u->frame, SPIEL_VERSION, SPIEL_VERSION_BYTES);
	u->n_frame = SPIEL_VERSION_BYTES;
	u->read_all = !u->text.n_spans;
	r = sd_event_add_io(u->event, &u->out, u->fd, EPOLLOUT, on_ready, u);
	if (r >= 0 && u->text.n_spans)
		r = begin_span(u);
	return r < 0 ? r : 0;
}

int utterance_new(struct utterance **ret, sd_event *event, int fd,
		  const struct utterance_request *request,
		  void (*ended)(void *data, struct utterance *u), void *data)
{
	struct utterance *u = calloc(1, sizeof(*u));
	int r = u ? 0 : -ENOMEM;

	if (!u) {
		close(fd);
		return r;
	}
	u->event = sd_event_ref(event);
	u->fd = fd;
	u->ended = ended;
	u->data = data;
	if (strlen(request->text) > UTTERANCE_TEXT_MAX)
		r = -E2BIG;
	if (r == 0 && fcntl(fd, F_SETFL, O_NONBLOCK | O_WRONLY) < 0)
		r = -errno;
	if (r == 0)
		r = ssml_parse(&u->text, request->text, request->is_ssml,
			       NULL);
	if (r == 0)
		r = barkd_client_new(&u->client, NULL);
	if (r == 0)
		r = begin(u, request);
	if (r < 0) {
		utterance_free(u);
		return r;
	}
	*ret = u;
	return 0;
}

void utterance_free(struct utterance *u)
{
	if (!u)
		return;
	end_speech(u);
	sd_event_source_disable_unref(u->out);
	barkd_client_free(u->client);
	close(u->fd);
	ssml_clear(&u->text);
	free(u->voice);
	free(u->language);
	sd_event_unref(u->event);
	free(u);
}
