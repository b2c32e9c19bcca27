/* SPDX-License-Identifier: MIT */
#include "render.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base64.h"
#include "chain.h"
#include "daemon.h"
#include "encoding.h"
#include "fast_speech.h"
#include "log.h"
#include "priority.h"
#include "spiel_frames.h"
#include "utf8.h"
#include "words.h"

#define BLOCK 480          /* samples read from the session at a time: 20 ms */
#define TURN_BLOCKS 16     /* then others have their turn */
#define STORE (320 * 1024) /* bytes for a client that is slow */
/* A block slowed down fourfold, and what a resampler or a stretcher held. */
#define SAMPLES_MAX (16 * 1024)
/* What one block may need: slowed down fourfold, in base64. */
#define ROOM_MIN (160 * 1024)
#define FRAME_HZ 75        /* EnCodec's frames */
/* FLAC, whose head has its length: about five minutes. */
#define HOLD_MAX (8 * 1024 * 1024)
#define SILENCE (ENCODER_RATE / 10) /* samples of a text without words */

struct render {
	struct daemon *d;
	struct http_request *req;
	struct speech_request request;
	struct studio_order *order;
	struct bark_session *session;
	struct fast_speech *fast;
	struct source *source; /* of either */
	struct chain *chain;
	struct encoding *encoding;
	sd_event_source *io;
	bool begun;       /* the answer */
	int error;        /* by an event */
	uint64_t samples; /* made, at ENCODER_RATE */
	/* Spiel's events. */
	struct words *words;
	size_t next_word;
	ssize_t segment;
	struct render *prev, *next;
};

static void render_free(struct render *r)
{
	struct daemon *d = r->d;

	if (r->prev)
		r->prev->next = r->next;
	else
		d->renders = r->next;
	if (r->next)
		r->next->prev = r->prev;
	d->n_renders--;
	sd_event_source_disable_unref(r->io);
	studio_cancel(r->order);
	source_free(r->source);
	studio_return(d->studio, r->session);
	fast_speech_free(r->fast);
	chain_free(r->chain);
	encoding_free(r->encoding);
	words_free(r->words);
	speech_request_clear(&r->request);
	free(r);
	idle_update(d);
}

/* --- the answer --- */

/* n: bytes that are written at once. */
static int begin(struct render *r, size_t n)
{
	int e;

	if (r->begun)
		return 0;
	/* A proxy is not to gather what comes bit by bit. */
	http_add_header(r->req, "X-Accel-Buffering", "no");
	http_add_header(r->req, "Cache-Control", "no-store");
	e = http_stream_begin(r->req, 200,
			      r->request.sse	 ? "text/event-stream"
			      : r->request.spiel ? "audio/x-spiel"
						 : encoder_type(
							   r->request.format),
			      n + STORE);
	r->begun = e == 0;
	if (e == 0 && r->request.spiel && !r->request.sse)
		e = http_stream_write(r->req, SPIEL_VERSION,
				      SPIEL_VERSION_BYTES);
	return e;
}

/* --- Spiel's frames --- */

static int send_spiel(struct render *r, const void *data, size_t n)
{
	const uint32_t size = (uint32_t)n;
	unsigned char head[SPIEL_AUDIO_HEAD] = {SPIEL_AUDIO};
	int e;

	memcpy(head + 1, &size, sizeof(size));
	e = http_stream_write(r->req, head, sizeof(head));
	return e < 0 ? e : http_stream_write(r->req, data, n);
}

static int send_spiel_event(struct render *r, enum spiel_event type,
			    size_t begin, size_t end)
{
	/* Start, end, and the length of a mark's name. */
	const uint32_t numbers[] = {(uint32_t)begin, (uint32_t)end, 0};
	unsigned char frame[SPIEL_EVENT_HEAD] = {
		SPIEL_EVENT, (unsigned char)type,
	};

	memcpy(frame + 2, numbers, sizeof(numbers));
	return http_stream_write(r->req, frame, sizeof(frame));
}

/* What begins before the sample that is sent next. */
static int send_spiel_events(struct render *r, uint64_t sample)
{
	double ms = (double)sample * 1e3 / ENCODER_RATE * r->request.speed;
	const char *text = r->request.text;
	size_t begin, end;
	ssize_t segment = words_segment_at(r->words, ms, &begin, &end);
	int e = 0;

	if (segment > r->segment) {
		r->segment = segment;
		e = send_spiel_event(r, SPIEL_SENTENCE, utf8_characters(text, begin),
				     utf8_characters(text, end));
	}
	r->next_word = words_next(r->words, r->next_word);
	while (e == 0 && r->next_word < words_count(r->words) &&
	       words_time(r->words, r->next_word) <= ms) {
		const struct word *w = words_get(r->words, r->next_word);

		e = send_spiel_event(r, SPIEL_WORD, w->char_begin, w->char_end);
		r->next_word = words_next(r->words, r->next_word + 1);
	}
	return e;
}

static void take_segment(struct render *r, const struct bark_event *event)
{
	double ms = (double)event->sample * 1e3 / source_rate(r->source);

	if (!r->words)
		return;
	if (event->type == BARK_EVENT_SEGMENT_BEGIN)
		words_segment_begin(r->words, event->text_begin,
				    event->text_end, ms);
	else if (event->type == BARK_EVENT_SEGMENT_END)
		words_segment_end(r->words, ms);
}

static int send_event(struct render *r, json_t *event)
{
	char *text = event ? json_dumps(event, JSON_COMPACT) : NULL, *line;
	int n, e;

	json_decref(event);
	n = text ? asprintf(&line, "data: %s\n\n", text) : -1;
	free(text);
	if (n < 0)
		return -ENOMEM;
	e = http_stream_write(r->req, line, (size_t)n);
	free(line);
	return e;
}

static int send(struct render *r, const void *data, size_t n)
{
	char *text;
	int e;

	if (n == 0)
		return 0;
	e = begin(r, n);
	if (e < 0)
		return e;
	if (r->words) {
		/* A block is short: its events may stand before it. */
		e = send_spiel_events(r, r->samples + n / 2);
		if (e < 0)
			return e;
	}
	if (!r->request.sse)
		return r->request.spiel
			       ? send_spiel(r, data, n)
			       : http_stream_write(r->req, data, n);
	text = base64(data, n);
	if (!text)
		return -ENOMEM;
	e = send_event(r, json_pack("{s:s, s:s}", "type", "speech.audio.delta",
				    "audio", text));
	free(text);
	return e;
}

static int encode(struct render *r, const struct chain_out *o)
{
	for (size_t i = 0; i < o->n; i += ENCODER_BLOCK_MAX) {
		size_t n = o->n - i < ENCODER_BLOCK_MAX ? o->n - i
							: ENCODER_BLOCK_MAX;
		int e = encoding_feed(r->encoding, o->pcm + i, n);

		if (e < 0)
			return e;
		r->samples += n;
	}
	return 0;
}

static int send_done(struct render *r)
{
	json_int_t in = (json_int_t)utf8_characters(r->request.text,
						     r->request.n_text);
	json_int_t out = (json_int_t)(r->samples * FRAME_HZ / ENCODER_RATE);

	return send_event(r, json_pack("{s:s, s:{s:I, s:I, s:I}}", "type",
				       "speech.audio.done", "usage",
				       "input_tokens", in, "output_tokens",
				       out, "total_tokens", in + out));
}

/* A file without any sound is one that players take for broken. */
static int encode_silence(struct render *r)
{
	static const float silence[SILENCE];
	const struct chain_out out = {.pcm = silence, .n = SILENCE};

	return r->samples || r->request.spiel ? 0 : encode(r, &out);
}

/* Answers, or ends the answer, and is no more. */
static void end(struct render *r, int e)
{
	struct counters *c = &r->d->counters;

	if (e < 0)
		log_warning("speech for a client: %s (%s)", strerror(-e),
			    http_id(r->req));
	if (e < 0)
		c->render_failed++;
	else
		c->rendered++;
	if (r->begun)
		http_stream_end(r->req, e < 0);
	else
		api_error_reply(r->req, 500, NULL, "synthesis_failed",
				"cannot speak: %s", strerror(-e));
	render_free(r);
}

/* The last encoded byte was sent. */
static void complete(struct render *r)
{
	int e = begin(r, 0);

	if (e == 0 && r->request.sse)
		e = send_done(r);
	end(r, e);
}

/* All was read: what the chain and the encoder still hold. */
static void finish(struct render *r)
{
	struct chain_out out = {0};
	int e = r->chain ? chain_finish(r->chain, &out) : 0;

	r->io = sd_event_source_disable_unref(r->io);
	if (e == 0)
		e = encode(r, &out);
	if (e == 0)
		e = encode_silence(r);
	if (e == 0)
		e = encoding_finish(r->encoding);
	if (e < 0)
		end(r, e);
	else if (e > 0)
		complete(r);
}

/* --- samples --- */

static int feed(struct render *r)
{
	float pcm[BLOCK];
	struct chain_out out;
	struct bark_event event;
	ssize_t n = source_read(r->source, pcm, BLOCK);
	int e;

	while (source_event(r->source, &event) > 0) {
		take_segment(r, &event);
		if (event.type == BARK_EVENT_ERROR)
			r->error = event.error < 0 ? event.error : -EIO;
	}
	if (n < 0)
		return (int)n;
	if (n == 0)
		return r->error ? r->error : 1;
	e = chain_feed(r->chain, pcm, (size_t)n, &out);
	return e < 0 ? e : encode(r, &out);
}

/* The client is slow; on_drained() comes when it has read. */
static bool is_full(struct render *r)
{
	if (!r->begun || http_stream_room(r->req) >= ROOM_MIN)
		return false;
	http_stream_wait(r->req);
	return true;
}

static int on_source(sd_event_source *source, int fd, uint32_t revents,
		      void *userdata)
{
	struct render *r = userdata;

	for (int i = 0; i < TURN_BLOCKS; i++) {
		int e;

		/* The engine stops by itself when nobody reads. */
		if (encoding_room(r->encoding, SAMPLES_MAX) < SAMPLES_MAX ||
		    is_full(r)) {
			sd_event_source_set_enabled(r->io, SD_EVENT_OFF);
			return 0;
		}
		e = feed(r);
		if (e == -EAGAIN)
			return 0;
		if (e != 0) {
			if (e < 0)
				end(r, e);
			else
				finish(r);
			return 0;
		}
	}
	return 0;
}

static void on_drained(void *data, struct http_request *req)
{
	struct render *r = data;

	encoding_pause(r->encoding, false);
	if (r->io)
		sd_event_source_set_enabled(r->io, SD_EVENT_ON);
}

static int on_output(void *data, const void *bytes, size_t n)
{
	struct render *r = data;
	int e = send(r, bytes, n);

	if (e == 0 && is_full(r))
		encoding_pause(r->encoding, true);
	return e;
}

static void on_room(void *data)
{
	struct render *r = data;

	if (r->io)
		sd_event_source_set_enabled(r->io, SD_EVENT_ON);
}

static void on_encoded(void *data, int e)
{
	struct render *r = data;

	if (e < 0)
		end(r, e);
	else
		complete(r);
}

static void on_gone(void *data, struct http_request *req)
{
	struct render *r = data;

	r->d->counters.render_gone++;
	render_free(r);
}

/* --- the beginning --- */

static struct studio_request request_of(const struct render *r)
{
	const struct speech_request *q = &r->request;

	return voice_request(r->d, q->text, q->n_text, q->voice, q->language);
}

static void start_reading(struct render *r)
{
	const struct chain_utterance how = {
		.rate = r->request.speed,
		.pitch = r->request.pitch,
		.gain = r->request.volume,
	};
	int e = chain_new(&r->chain, source_rate(r->source), ENCODER_RATE,
			  r->d->conf.output.resampler);

	if (e == 0)
		e = chain_begin(r->chain, &how);
	if (e == 0)
		e = sd_event_add_io(r->d->event, &r->io, source_fd(r->source),
				    EPOLLIN, on_source, r);
	if (e >= 0)
		e = sd_event_source_set_priority(r->io, PRIORITY_RENDER);
	if (e < 0)
		end(r, e);
}

static void refuse(struct render *r, int e, const char *why)
{
	r->d->counters.render_failed++;
	if (e == -ENOENT)
		api_error_reply(r->req, 503, "model", "model_unavailable",
				"%s", why);
	else if (e == -ESRCH)
		api_error_reply(r->req, 404, "voice", "voice_not_found", "%s",
				why);
	else if (e == -EDOM)
		api_error_reply(r->req, 422, "input", "unspeakable", "%s", why);
	else
		api_error_reply(r->req, 500, NULL, "synthesis_failed", "%s",
				why);
	render_free(r);
}

static int order(struct render *r, bool any_language);

static void on_fast(void *data, int e, struct source *source)
{
	struct render *r = data;

	if (e == 0) {
		r->source = source;
		start_reading(r);
		return;
	}
	fast_speech_free(r->fast);
	r->fast = NULL;
	e = order(r, true);
	if (e < 0)
		end(r, e);
}

static int order_fast(struct render *r)
{
	struct studio_request q = request_of(r);
	struct fast *fast = supply_other_voice(r->d->supply);

	/* The configuration may be another by now. */
	if (!fast || !*q.must_speak)
		return -ENOENT;
	return fast_speech_new(&r->fast, fast, q.text, q.n_text, q.must_speak,
			       true, on_fast, r);
}

static void on_order(void *data, int e, struct bark_session *session,
		     const char *why)
{
	struct render *r = data;

	r->order = NULL;
	r->session = session;
	if (e == -ENOTSUP) {
		e = order_fast(r);
		if (e < 0)
			e = order(r, true);
		if (e < 0)
			end(r, e);
	} else if (e == -ENODATA) {
		/* White space alone is a moment of nothing. */
		finish(r);
	} else if (e < 0) {
		refuse(r, e, why);
	} else {
		r->source = source_of_session(
			session, studio_info(r->d->studio).rate, 0);
		if (r->source)
			start_reading(r);
		else
			end(r, -ENOMEM);
	}
}

/* any_language: whatever comes of it. */
static int order(struct render *r, bool any_language)
{
	struct studio_request q = request_of(r);

	q.has_seed = r->request.has_seed;
	q.seed = r->request.seed;
	if (any_language)
		q.must_speak[0] = '\0';
	return studio_order(r->d->studio, &r->order, &q, on_order, r);
}

int render_start(struct daemon *d, struct http_request *req,
		 struct speech_request *request)
{
	static const struct http_watch watch = {on_gone, on_drained};
	static const struct encoding_handler handler = {
		on_output, on_room, on_encoded,
	};
	struct render *r;
	int e;

	if (d->n_renders >= d->conf.http.streams) {
		speech_request_clear(request);
		return -EBUSY;
	}
	r = calloc(1, sizeof(*r));
	if (!r) {
		speech_request_clear(request);
		return -ENOMEM;
	}
	r->d = d;
	r->req = req;
	r->request = *request;
	*request = (struct speech_request){0};
	r->next = d->renders;
	if (r->next)
		r->next->prev = r;
	d->renders = r;
	d->n_renders++;
	/* A client that reads events takes the sound as it comes. */
	e = encoding_new(&r->encoding, d->event, PRIORITY_RENDER,
			 r->request.format, r->request.sse ? 0 : HOLD_MAX,
			 &handler, r);
	if (e == 0 && r->request.spiel && !r->request.sse)
		e = words_new(&r->words);
	if (e == 0 && r->words)
		e = words_scan(r->words, r->request.text, r->request.n_text,
			       r->request.language);
	r->segment = -1;
	if (e == 0)
		e = order(r, false);
	if (e < 0) {
		render_free(r);
		return e;
	}
	http_set_watch(req, &watch, r);
	return 0;
}

void render_clear(struct daemon *d)
{
	while (d->renders)
		end(d->renders, -ECANCELED);
}
