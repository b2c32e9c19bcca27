/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../say.h"
#include "event.h"
#include "ssml.h"
#include "text.h"
#include "voices.h"

/* Kept for a client that reads slowly; then barkd is not read either. */
#define OUT_MAX (256 * 1024)
#define EVENTS_A_TURN 8 /* then others have theirs */
#define STALL_US 10000000u /* a client that reads takes something meanwhile */
#define CHUNK_BYTES 4800 /* 100 ms */
#define NAME_MAX_BYTES 128

struct session {
	struct session_owner owner;
	struct barkd_client *client;
	int in, out;
	sd_event_source *in_io, *out_io, *speech_io;
	sd_event_source *more; /* events that were read already */
	struct event_reader reader;
	char *buf; /* to be sent */
	size_t at, n, room;
	uint64_t moved; /* as session_moved() has it */
	bool waiting;   /* there may be whole events in the reader */
	bool failed;

	struct text_queue text;
	bool is_ssml;     /* the text is read when all of it is there */
	struct ssml ssml; /* of it, once read */
	size_t span;      /* to be spoken next */
	char *voice, *language;
	bool streaming; /* between synthesize-start and -stop */
	bool answering; /* until its end was told */
	bool started;   /* audio-start was sent */
	struct barkd_stream *speech;
	size_t silence; /* bytes of it to come before the speech */
	unsigned char pcm[CHUNK_BYTES];
	size_t n_pcm;
};

static void pump(struct session *s);

/* --- sending --- */

static void put(struct session *s, const void *data, size_t n)
{
	if (s->at && s->n + n > s->room) {
		memmove(s->buf, s->buf + s->at, s->n - s->at);
		s->n -= s->at;
		s->at = 0;
	}
	if (s->n + n > s->room) {
		size_t room = 2 * (s->n + n);
		char *buf = realloc(s->buf, room);

		if (!buf) {
			s->failed = true;
			return;
		}
		s->buf = buf;
		s->room = room;
	}
	memcpy(s->buf + s->n, data, n);
	s->n += n;
}

static void put_event(struct session *s, const char *type, json_t *data,
		      const void *payload, size_t n_payload)
{
	size_t n;
	char *text = event_format(type, data, n_payload, &n);

	if (!text) {
		s->failed = true;
		return;
	}
	put(s, text, n);
	free(text);
	if (n_payload)
		put(s, payload, n_payload);
}

static void put_error(struct session *s, const char *code, const char *words)
{
	put_event(s, "error", json_pack("{s:s, s:s}", "text", words, "code",
					code), NULL, 0);
}

static json_t *audio_format(void)
{
	return json_pack("{s:i, s:i, s:i}", "rate", BARKD_SPEECH_RATE, "width",
			 2, "channels", 1);
}

static void move(struct session *s)
{
	sd_event_now(s->owner.event, CLOCK_MONOTONIC, &s->moved);
}

static bool is_full(const struct session *s)
{
	return s->n - s->at >= OUT_MAX;
}

/* Writes what the client takes; false: it is gone. */
static bool flush(struct session *s)
{
	while (s->at < s->n) {
		ssize_t n = write(s->out, s->buf + s->at, s->n - s->at);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno != EINTR)
			return false;
		s->at += n > 0 ? (size_t)n : 0;
		move(s);
	}
	if (s->at == s->n)
		s->at = s->n = 0;
	sd_event_source_set_enabled(s->out_io,
				    s->n ? SD_EVENT_ON : SD_EVENT_OFF);
	if (s->waiting && !is_full(s))
		sd_event_source_set_enabled(s->more, SD_EVENT_ONESHOT);
	return true;
}

/* --- speaking --- */

static void end_speech(struct session *s)
{
	s->speech_io = sd_event_source_disable_unref(s->speech_io);
	barkd_stream_free(s->speech);
	s->speech = NULL;
	s->n_pcm = s->silence = 0;
}

static void clear_text(struct session *s)
{
	text_queue_clear(&s->text);
	ssml_clear(&s->ssml);
	s->span = 0;
}

static void start_audio(struct session *s)
{
	if (!s->started)
		put_event(s, "audio-start", audio_format(), NULL, 0);
	s->started = true;
}

/* All that was asked for was said, or cannot be. */
static void end_answer(struct session *s, bool streamed)
{
	start_audio(s);
	put_event(s, "audio-stop", NULL, NULL, 0);
	if (streamed)
		put_event(s, "synthesize-stopped", NULL, NULL, 0);
	s->answering = s->started = false;
	clear_text(s);
	free(s->voice);
	free(s->language);
	s->voice = s->language = NULL;
}

static void put_pcm(struct session *s)
{
	/* Half a sample waits for its other half. */
	size_t n = s->n_pcm & ~(size_t)1;

	if (!n)
		return;
	start_audio(s);
	put_event(s, "audio-chunk", audio_format(), s->pcm, n);
	if (s->n_pcm > n)
		s->pcm[0] = s->pcm[n];
	s->n_pcm -= n;
}

static void on_failure(struct session *s, int r)
{
	end_speech(s);
	put_error(s, r == -ENOENT ? "voice-not-found" : "synthesis-failed",
		  barkd_client_message(s->client));
	/* What is left of the text would fail as well. */
	clear_text(s);
}

static int on_speech(sd_event_source *source, int fd, uint32_t revents,
		     void *userdata)
{
	struct session *s = userdata;

	pump(s);
	return 0;
}

/* The text, which is taken, as the span says; "": its pause alone. */
static void next_speech(struct session *s, char *text,
			const struct ssml_span *span)
{
	struct barkd_say say = {
		.text = text,
		.voice = s->voice,
		.language = *span->language ? span->language : s->language,
		.fallback = true,
	};
	int r = text ? 0 : -ENOMEM;

	say_set_factors(&say, span->rate, span->pitch, span->volume,
			CONF_SPEED_MAX);
	s->silence = say_silence_bytes(span->pause_ms);
	if (r == 0 && *text)
		r = barkd_client_speech_start(s->client, &say,
					      BARKD_SPEECH_PCM, &s->speech);
	free(text);
	if (r == 0 && s->speech)
		r = sd_event_add_io(s->owner.event, &s->speech_io,
				    barkd_stream_fd(s->speech), EPOLLIN,
				    on_speech, s);
	if (r < 0)
		on_failure(s, r);
}

static void send_silence(struct session *s)
{
	static const unsigned char zeros[CHUNK_BYTES];

	while (s->silence && !is_full(s)) {
		size_t n = s->silence < CHUNK_BYTES ? s->silence : CHUNK_BYTES;

		start_audio(s);
		put_event(s, "audio-chunk", audio_format(), zeros, n);
		s->silence -= n;
	}
}

static void read_speech(struct session *s)
{
	send_silence(s);
	while (s->speech && !is_full(s)) {
		ssize_t n = barkd_stream_read(s->speech, s->pcm + s->n_pcm,
					      CHUNK_BYTES - s->n_pcm);

		if (n == -EAGAIN)
			break;
		if (n < 0) {
			on_failure(s, (int)n);
			return;
		}
		s->n_pcm += (size_t)n;
		if (n == 0 || s->n_pcm == CHUNK_BYTES)
			put_pcm(s);
		if (n == 0)
			end_speech(s);
	}
	/* What there is goes out, however little. */
	put_pcm(s);
	if (s->speech_io)
		sd_event_source_set_enabled(s->speech_io,
					    is_full(s) ? SD_EVENT_OFF
						       : SD_EVENT_ON);
}

static void finish(struct session *s)
{
	s->owner.ended(s->owner.data, s);
	session_free(s);
}

/* Begins to speak what comes next; false: nothing is there yet. */
static bool speak_next(struct session *s)
{
	static const struct ssml_span plain = {.rate = 1, .pitch = 1,
					       .volume = 1};
	char *text;

	if (s->span < s->ssml.n_spans) {
		const struct ssml_span *span = &s->ssml.spans[s->span++];

		next_speech(s, ssml_span_text(&s->ssml, span), span);
		return true;
	}
	if (s->is_ssml && s->streaming)
		return false;
	text = text_queue_next(&s->text, !s->streaming);
	if (!text)
		return false;
	if (!s->is_ssml) {
		next_speech(s, text, &plain);
		return true;
	}
	ssml_clear(&s->ssml);
	s->span = 0;
	if (ssml_parse(&s->ssml, text, true, NULL) < 0)
		s->failed = true;
	free(text);
	return true;
}

/* Speaks on as far as the client reads. May free the session. */
static void pump(struct session *s)
{
	while (s->answering && !s->failed) {
		if (!s->speech && !s->silence) {
			if (speak_next(s))
				continue;
			if (!s->streaming)
				end_answer(s, s->text.streamed);
			break;
		}
		read_speech(s);
		if (s->speech || s->silence)
			break;
	}
	if (s->failed || !flush(s))
		finish(s);
}

/* --- requests --- */

static char *string_of(const json_t *o, const char *name)
{
	const char *v = json_string_value(json_object_get(o, name));

	return v && *v && strlen(v) <= NAME_MAX_BYTES ? strdup(v) : NULL;
}

static void take_voice(struct session *s, const json_t *data)
{
	const json_t *voice = json_object_get(data, "voice");

	free(s->voice);
	free(s->language);
	/* A speaker is a voice here. */
	s->voice = string_of(voice, "speaker");
	if (!s->voice)
		s->voice = string_of(voice, "name");
	s->language = string_of(voice, "language");
}

static void take_format(struct session *s, const json_t *data)
{
	const char *format =
		json_string_value(json_object_get(data, "text_format"));

	s->is_ssml = format && strcmp(format, "ssml") == 0;
}

static void add_text(struct session *s, const json_t *data)
{
	const char *text = json_string_value(json_object_get(data, "text"));

	if (text && text_queue_add(&s->text, text, SESSION_TEXT_MAX) < 0) {
		put_error(s, "too-long", "the text is too long");
		clear_text(s);
	}
}

static void handle(struct session *s, const struct event *e)
{
	if (strcmp(e->type, "describe") == 0) {
		put_event(s, "info", voices_info(s->client), NULL, 0);
	} else if (strcmp(e->type, "ping") == 0) {
		put_event(s, "pong", json_incref(e->data), NULL, 0);
	} else if (strcmp(e->type, "synthesize") == 0) {
		/* Within a stream it is a copy for servers without. */
		if (s->answering) {
			if (!s->text.streamed)
				put_error(s, "busy",
					  "the last text is not through");
			return;
		}
		take_voice(s, e->data);
		take_format(s, e->data);
		s->answering = true;
		s->text.streamed = false;
		add_text(s, e->data);
	} else if (strcmp(e->type, "synthesize-start") == 0) {
		/* A new one interrupts. */
		end_speech(s);
		clear_text(s);
		take_voice(s, e->data);
		take_format(s, e->data);
		s->answering = s->streaming = true;
		s->text.streamed = true;
	} else if (strcmp(e->type, "synthesize-chunk") == 0) {
		if (s->streaming)
			add_text(s, e->data);
	} else if (strcmp(e->type, "synthesize-stop") == 0) {
		s->streaming = false;
	}
}

/* Takes some of the events that were read; nothing more is read before all
 * are taken, and none is taken from a client that does not read. */
static void take_events(struct session *s)
{
	struct event e;
	int r = 1;

	for (int i = 0; r > 0 && i < EVENTS_A_TURN && !is_full(s); i++) {
		r = event_reader_next(&s->reader, &e);
		if (r <= 0)
			break;
		move(s);
		handle(s, &e);
		event_clear(&e);
	}
	if (r < 0) {
		finish(s);
		return;
	}
	s->waiting = r > 0;
	sd_event_source_set_enabled(s->in_io, s->waiting ? SD_EVENT_OFF
							 : SD_EVENT_ON);
	pump(s);
}

static int on_more(sd_event_source *source, uint64_t usec, void *userdata)
{
	take_events(userdata);
	return 0;
}

static int on_in(sd_event_source *source, int fd, uint32_t revents,
		 void *userdata)
{
	struct session *s = userdata;
	char data[16384];
	ssize_t n = read(fd, data, sizeof(data));
	int r;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	r = n > 0 ? event_reader_feed(&s->reader, data, (size_t)n)
		  : -ECONNRESET;
	if (r < 0)
		finish(s);
	else
		take_events(s);
	return 0;
}

static int on_out(sd_event_source *source, int fd, uint32_t revents,
		  void *userdata)
{
	struct session *s = userdata;

	if (revents & (EPOLLHUP | EPOLLERR))
		finish(s);
	else
		pump(s);
	return 0;
}

/* --- the session --- */

int session_new(struct session **ret, const struct session_owner *owner,
		int in, int out)
{
	struct session *s = calloc(1, sizeof(*s));
	int r = s ? barkd_client_new(&s->client, owner->socket) : -ENOMEM;

	if (!s) {
		close(in);
		if (out != in)
			close(out);
		return r;
	}
	s->owner = *owner;
	s->in = in;
	s->out = out == in ? dup(out) : out;
	if (r == 0 && s->out < 0)
		r = -errno;
	if (r >= 0)
		r = sd_event_add_io(owner->event, &s->in_io, s->in, EPOLLIN,
				    on_in, s);
	if (r >= 0)
		r = sd_event_add_io(owner->event, &s->out_io, s->out, EPOLLOUT,
				    on_out, s);
	if (r >= 0)
		r = sd_event_source_set_enabled(s->out_io, SD_EVENT_OFF);
	/* No deferred source: that would go before all others. */
	if (r >= 0)
		r = sd_event_add_time(owner->event, &s->more, CLOCK_MONOTONIC,
				      0, 1, on_more, s);
	if (r >= 0)
		r = sd_event_source_set_enabled(s->more, SD_EVENT_OFF);
	if (r < 0) {
		session_free(s);
		return r;
	}
	move(s);
	*ret = s;
	return 0;
}

bool session_idle(const struct session *s)
{
	bool speaks = s->answering &&
		      (s->speech || s->silence || !s->streaming);
	uint64_t now = 0;

	sd_event_now(s->owner.event, CLOCK_MONOTONIC, &now);
	return !speaks || (s->n > s->at && now > s->moved + STALL_US);
}

uint64_t session_moved(const struct session *s)
{
	return s->moved;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	end_speech(s);
	sd_event_source_disable_unref(s->in_io);
	sd_event_source_disable_unref(s->more);
	sd_event_source_disable_unref(s->out_io);
	close(s->in);
	if (s->out >= 0)
		close(s->out);
	event_reader_clear(&s->reader);
	clear_text(s);
	barkd_client_free(s->client);
	free(s->voice);
	free(s->language);
	free(s->buf);
	free(s);
}
