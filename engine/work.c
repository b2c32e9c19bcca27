/* SPDX-License-Identifier: MIT */
/* The scheduler's side of a session: which unit is next, and computing it. */
#include <string.h>

#include "session.h"

static size_t n_codes(const struct bark_session *s)
{
	return s->model->config.fine.n_total;
}

/* Puts an event behind the sound that is in the ring; under the lock. */
static void tell(struct bark_session *s, enum bark_event_type type,
		 size_t segment)
{
	const struct bark_segment *seg =
		segment < s->utterance->n_segments ?
			&s->utterance->segments[segment] : NULL;

	if (s->n_events == s->events_cap)
		return;
	s->events[s->n_events++] = (struct bark_event){
		.type = type,
		/* What the trimmer has is sure to come. */
		.sample = s->samples + bark_trim_pending(&s->trim),
		.text_begin = seg ? seg->begin : 0,
		.text_end = seg ? seg->end : 0,
	};
	bark_session_signal(s);
}

/* Takes a pending utterance or forgets a dropped one; under the lock. */
static void adopt(struct bark_session *s)
{
	if (!s->dropped)
		return;
	bark_utterance_free(s->utterance);
	s->utterance = s->pending;
	s->pending = NULL;
	s->dropped = false;
	s->next_segment = 0;
	s->generating = false;
	s->ids_at = 0;
	s->pushed = s->popped = 0;
	s->decoding = 0;
	s->segment_open = false;
	s->samples = 0;
	bark_level_reset(&s->level);
	bark_trim_reset(&s->trim);
	if (!s->voice)
		bark_timeline_set_voice(&s->timeline, NULL);
}

static bool may_begin_segment(const struct bark_session *s)
{
	size_t room = s->queue_cap - (size_t)(s->pushed - s->popped);

	return s->next_segment < s->utterance->n_segments &&
	       room >= s->queue_cap / 2;
}

/* Frames the codec can take now, 0 when it has to wait. */
static size_t decodable(const struct bark_session *s)
{
	size_t complete = s->next_segment - (s->generating ? 1 : 0);
	bool ended = s->decoding < complete;
	uint64_t end = ended ? s->utterance->ends[s->decoding] : s->pushed;
	size_t n = (size_t)(end - s->popped);

	if (!s->segment_open && !ended && n < bark_codec_first_frames(s->codec))
		return 0;
	return n < BARK_DECODE_FRAMES ? n : BARK_DECODE_FRAMES;
}

/* A segment whose every frame is decoded, or that has none, can be closed. */
static bool closable(const struct bark_session *s)
{
	size_t complete = s->next_segment - (s->generating ? 1 : 0);

	return s->decoding < complete &&
	       s->utterance->ends[s->decoding] == s->popped;
}

static bool can_decode(const struct bark_session *s)
{
	size_t n;

	if (s->decoding >= s->utterance->n_segments)
		return false;
	if (closable(s))
		return true;
	n = decodable(s);
	return n > 0 && s->ring_cap - s->ring_fill >=
				n * s->model->config.codec.hop +
					s->trim.n_held;
}

static bool can_generate(const struct bark_session *s)
{
	size_t buffered = s->ring_fill + (size_t)(s->pushed - s->popped) *
						 s->model->config.codec.hop;

	return (s->generating || may_begin_segment(s)) && buffered < s->ahead;
}

double bark_session_deadline(struct bark_session *s)
{
	double deadline = -1;

	pthread_mutex_lock(&s->lock);
	if (s->dropped) {
		/* Nothing is quicker than taking note of it. */
		deadline = 0;
	} else if (s->utterance && s->state == BARK_SESSION_SPEAKING &&
		   (can_decode(s) || can_generate(s))) {
		double now = bark_now();

		deadline = now > s->wanted ? now : s->wanted;
		deadline += (double)s->ring_fill / s->model->config.codec.rate;
	}
	pthread_mutex_unlock(&s->lock);
	return deadline;
}

/* Moves final frames from the timeline to the codec's queue. */
static void push_frames(struct bark_session *s)
{
	struct bark_timeline *t = &s->timeline;
	size_t books = n_codes(s);

	while (s->taken_frames < t->n_fine) {
		const int32_t *from = t->fine +
				      (t->fine_base + s->taken_frames++) * books;

		memcpy(s->queue + (size_t)(s->pushed++ % s->queue_cap) * books,
		       from, books * sizeof(*from));
	}
	if (!bark_fine_done(t))
		return;
	s->utterance->ends[s->next_segment - 1] = (size_t)s->pushed;
	s->generating = false;
	/* Without a voice each segment would get one of its own. */
	if (!t->voice && s->model->config.carry_voice && t->n_semantic > 0 &&
	    s->next_segment < s->utterance->n_segments) {
		bark_timeline_take_voice(t, &s->carried);
		bark_timeline_set_voice(t, &s->carried);
	}
}

static void generate(struct bark_session *s)
{
	if (!s->generating) {
		const struct bark_segment *seg =
			&s->utterance->segments[s->next_segment];

		bark_timeline_begin(&s->timeline, s->utterance->ids + s->ids_at,
				    seg->n_tokens);
		s->timeline.segment = (uint32_t)s->next_segment;
		s->ids_at += seg->n_tokens;
		s->next_segment++;
		s->taken_frames = 0;
		s->generating = true;
	}
	bark_timeline_step(&s->timeline);
	push_frames(s);
}

/* Sound into the ring, unless it was cancelled meanwhile; under the lock. */
static void put_sound(struct bark_session *s, const float *pcm, size_t n)
{
	size_t at;

	if (s->dropped || n == 0)
		return;
	if (s->first_audio < 0)
		s->first_audio = bark_now() - s->started;
	at = (s->ring_at + s->ring_fill) % s->ring_cap;
	for (size_t done = 0; done < n;) {
		size_t part = s->ring_cap - at < n - done ? s->ring_cap - at :
							    n - done;

		memcpy(s->ring + at, pcm + done, part * sizeof(float));
		done += part;
		at = 0;
	}
	s->ring_fill += n;
	s->samples += n;
	bark_session_signal(s);
}

/* The last segment's sound is complete; under the lock. */
static void complete(struct bark_session *s)
{
	size_t n;
	const float *rest = bark_trim_end(&s->trim, &n);

	put_sound(s, rest, n);
	s->state = BARK_SESSION_COMPLETE;
}

static void decode(struct bark_session *s)
{
	size_t books = n_codes(s), n = decodable(s);
	size_t n_sound = n * s->model->config.codec.hop;
	bool last = s->decoding + 1 == s->utterance->n_segments;
	const float *sound = s->pcm;

	if (!s->segment_open) {
		bark_codec_reset(s->codec);
		pthread_mutex_lock(&s->lock);
		if (!s->dropped)
			tell(s, BARK_EVENT_SEGMENT_BEGIN, s->decoding);
		pthread_mutex_unlock(&s->lock);
		s->segment_open = true;
	}
	for (size_t i = 0; i < n; i++)
		memcpy(s->codes + i * books,
		       s->queue + (size_t)((s->popped + i) % s->queue_cap) * books,
		       books * sizeof(*s->codes));
	bark_codec_decode(s->codec, s->codes, n, s->pcm);
	if (s->model->config.loudness != 0)
		bark_level_apply(&s->level, s->pcm, n_sound);
	if (!s->options.keep_silence)
		sound = bark_trim_feed(&s->trim, s->pcm, n_sound, last,
				       &n_sound);
	s->popped += n;
	pthread_mutex_lock(&s->lock);
	put_sound(s, sound, n_sound);
	if (!s->dropped && closable(s)) {
		if (last)
			complete(s);
		tell(s, BARK_EVENT_SEGMENT_END, s->decoding);
		s->segment_open = false;
		s->decoding++;
		if (last)
			tell(s, BARK_EVENT_END, SIZE_MAX);
	}
	pthread_mutex_unlock(&s->lock);
}

void bark_session_work(struct bark_session *s)
{
	bool have, decoding;

	pthread_mutex_lock(&s->lock);
	adopt(s);
	have = s->utterance && s->state == BARK_SESSION_SPEAKING;
	decoding = have && can_decode(s);
	pthread_mutex_unlock(&s->lock);
	if (!have)
		return;
	s->engine->compute.abandon = &s->dropped;
	if (decoding)
		decode(s);
	else
		generate(s);
	s->engine->compute.abandon = NULL;
}
