/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "reading.h"
#include "session.h"

#define DEFAULT_AHEAD_MS 3000
#define MOST_AHEAD_MS 60000

void bark_utterance_free(struct bark_utterance *u)
{
	if (!u)
		return;
	free(u->segments);
	free(u->ids);
	free(u->ends);
	free(u);
}

static void override(struct bark_sampling *own,
		     const struct bark_session_options *o, float temperature)
{
	if (temperature > 0) {
		own->temperature = temperature;
		own->do_sample = true;
	}
	if (o->top_k > 0)
		own->top_k = o->top_k;
	if (o->top_p > 0)
		own->top_p = o->top_p;
}

static struct bark_timeline_options stage_options(const struct bark_session *s)
{
	const struct bark_config *m = &s->model->config;
	const struct bark_session_options *o = &s->options;
	struct bark_timeline_options t;

	bark_timeline_defaults(&t, m, o->mode);
	override(&t.semantic, o, o->semantic_temperature);
	override(&t.coarse, o, o->coarse_temperature);
	override(&t.fine, o, o->fine_temperature);
	if (o->min_eos_p > 0)
		t.min_eos_p = o->min_eos_p;
	if (o->coarse_history && o->coarse_history < m->coarse.max_history)
		t.coarse_history = o->coarse_history;
	if (o->fine_lookahead)
		t.fine_lookahead = o->fine_lookahead;
	return t;
}

static int take_memory(struct bark_session *s)
{
	const struct bark_config *m = &s->model->config;
	struct bark_timeline_options stages = stage_options(s);
	unsigned ms = s->options.ahead_ms ? s->options.ahead_ms :
					    DEFAULT_AHEAD_MS;
	size_t batch, first, frames = bark_timeline_max_frames(s->model, 0);
	int r;

	r = bark_timeline_init(&s->timeline, &s->engine->compute, s->model,
			       s->voice, &stages);
	if (r < 0)
		return r;
	s->timeline.sampler.seed = s->options.seed;
	s->timeline.sampler.greedy = s->options.greedy;
	r = bark_codec_new(&s->codec, &s->engine->compute, s->model);
	if (r < 0)
		return r;
	first = bark_codec_first_frames(s->codec);
	if (first > BARK_DECODE_FRAMES)
		return -EINVAL;
	batch = (size_t)BARK_DECODE_FRAMES * m->codec.hop;
	s->ahead = (size_t)(ms < MOST_AHEAD_MS ? ms : MOST_AHEAD_MS) *
		   m->codec.rate / 1000;
	bark_level_init(&s->level, m->codec.rate, (double)m->loudness);
	r = bark_trim_init(&s->trim, m->codec.rate, (double)m->loudness, batch);
	if (r < 0)
		return r;
	/* With room for all the silence that is held back, when it comes. */
	s->ring_cap = s->ahead + s->trim.cap;
	s->queue_cap = 2 * frames;
	s->ring = malloc(s->ring_cap * sizeof(*s->ring));
	s->pcm = malloc(batch * sizeof(*s->pcm));
	s->queue = malloc(s->queue_cap * m->fine.n_total * sizeof(*s->queue));
	s->codes = malloc((size_t)BARK_DECODE_FRAMES * m->fine.n_total *
			  sizeof(*s->codes));
	s->carried.semantic = malloc(s->timeline.semantic_cap *
				     sizeof(*s->carried.semantic));
	s->carried.coarse = malloc(frames * m->coarse.n_codebooks *
				   sizeof(*s->carried.coarse));
	s->carried.fine = malloc(frames * m->fine.n_total *
				 sizeof(*s->carried.fine));
	return s->ring && s->pcm && s->queue && s->codes &&
			       s->carried.semantic && s->carried.coarse &&
			       s->carried.fine ? 0 : -ENOMEM;
}

static void release(struct bark_session *s)
{
	bark_timeline_clear(&s->timeline);
	bark_codec_free(s->codec);
	bark_trim_clear(&s->trim);
	bark_utterance_free(s->utterance);
	bark_utterance_free(s->pending);
	free(s->ring);
	free(s->pcm);
	free(s->queue);
	free(s->codes);
	free(s->carried.semantic);
	free(s->carried.coarse);
	free(s->carried.fine);
	free(s->events);
	if (s->fd >= 0)
		close(s->fd);
	pthread_cond_destroy(&s->readable);
	pthread_mutex_destroy(&s->lock);
	bark_voice_unref(s->voice);
	bark_model_unref(s->model);
	free(s->language);
	free(s);
}

static int take_language(struct bark_session *s)
{
	if (!s->options.language)
		return 0;
	s->language = strdup(s->options.language);
	s->options.language = s->language;
	return s->language ? 0 : -ENOMEM;
}

/* By whose rules sentences end; NULL: no language's own. */
static const char *language_of(const struct bark_session *s)
{
	if (s->options.language)
		return s->options.language;
	return s->voice && s->voice->language[0] ? s->voice->language : NULL;
}

int bark_session_new(struct bark_session **ret, struct bark_engine *engine,
		     struct bark_model *model, struct bark_voice *voice,
		     const struct bark_session_options *opts,
		     struct bark_error *err)
{
	struct bark_session *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;
	int r;

	if (!s)
		return bark_fail(err, -ENOMEM, "out of memory");
	s->engine = engine;
	s->model = bark_model_ref(model);
	s->voice = voice ? bark_voice_ref(voice) : NULL;
	if (opts)
		s->options = *opts;
	s->first_audio = -1;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->readable, &attr);
	pthread_condattr_destroy(&attr);
	s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = s->fd < 0 ? -errno : take_memory(s);
	if (r == 0)
		r = take_language(s);
	if (r < 0) {
		release(s);
		return bark_fail(err, r, r == -ENOMEM ? "out of memory" :
				 "the model's windows do not fit its blocks");
	}
	bark_engine_add(engine, s);
	*ret = s;
	return 0;
}

void bark_session_free(struct bark_session *s)
{
	struct bark_engine *engine;

	if (!s)
		return;
	engine = s->engine;
	bark_session_cancel(s);
	bark_engine_remove(engine, s);
	release(s);
	bark_engine_unref(engine);
}

void bark_session_signal(struct bark_session *s)
{
	uint64_t one = 1;

	pthread_cond_broadcast(&s->readable);
	if (s->signalled)
		return;
	/* A counter of one cannot overflow, so this cannot fail. */
	if (write(s->fd, &one, sizeof(one)) == sizeof(one))
		s->signalled = true;
}

/* Under the lock: lets fd rest when nothing more waits. */
static void settle(struct bark_session *s)
{
	uint64_t count;

	if (!s->signalled || s->ring_fill > 0 || s->events_taken < s->n_events ||
	    s->state == BARK_SESSION_COMPLETE ||
	    s->state == BARK_SESSION_CANCELLED)
		return;
	if (read(s->fd, &count, sizeof(count)) == sizeof(count))
		s->signalled = false;
}

/* Hands u to the scheduler; takes ownership on success only. */
static int submit(struct bark_session *s, struct bark_utterance *u)
{
	size_t n = 2 * u->n_segments + 2;
	struct bark_event *events = calloc(n, sizeof(*events));

	u->ends = calloc(u->n_segments, sizeof(*u->ends));
	if (!events || !u->ends) {
		free(events);
		return -ENOMEM;
	}
	pthread_mutex_lock(&s->lock);
	if (s->state == BARK_SESSION_SPEAKING ||
	    s->state == BARK_SESSION_COMPLETE) {
		pthread_mutex_unlock(&s->lock);
		free(events);
		return -EBUSY;
	}
	free(s->events);
	s->events = events;
	s->events_cap = n;
	s->n_events = s->events_taken = 0;
	bark_utterance_free(s->pending);
	s->pending = u;
	s->dropped = true;
	s->ring_at = s->ring_fill = 0;
	s->state = BARK_SESSION_SPEAKING;
	s->started = bark_now();
	s->first_audio = -1;
	settle(s);
	pthread_mutex_unlock(&s->lock);
	bark_engine_wake(s->engine);
	return 0;
}

/* Ids of all segments into u->ids. */
static int tokenize(struct bark_utterance *u, const struct bark_model *model,
		    const struct bark_reading *reading)
{
	size_t most = model->config.semantic.max_input, at = 0;

	u->ids = calloc(u->n_segments * most, sizeof(*u->ids));
	if (!u->ids)
		return -ENOMEM;
	for (size_t i = 0; i < u->n_segments; i++) {
		const struct bark_reading_segment *from = &reading->segments[i];
		size_t n;
		int r = bark_tokenizer_encode(model->tokenizer,
					      reading->text + from->begin,
					      from->end - from->begin,
					      u->ids + at, most, &n);

		if (r < 0)
			return r;
		n = n < most ? n : most;
		/* Events tell places in the text that the client gave. */
		u->segments[i] = (struct bark_segment){
			.begin = from->written_begin,
			.end = from->written_end,
			.n_tokens = (unsigned)n,
		};
		at += n;
	}
	return 0;
}

static int utterance_of(struct bark_utterance **ret,
			const struct bark_model *model,
			const struct bark_reading *reading)
{
	struct bark_utterance *u = calloc(1, sizeof(*u));
	int r = -ENOMEM;

	if (!u)
		return -ENOMEM;
	u->n_segments = reading->n;
	u->segments = calloc(u->n_segments, sizeof(*u->segments));
	if (u->segments)
		r = tokenize(u, model, reading);
	if (r < 0) {
		bark_utterance_free(u);
		return r;
	}
	*ret = u;
	return 0;
}

int bark_session_start(struct bark_session *s, const char *text, size_t len,
		       struct bark_error *err)
{
	struct bark_reading reading;
	struct bark_utterance *u = NULL;
	int r = bark_reading_make(&reading, s->model, text, len,
				  language_of(s), err);

	if (r < 0)
		return r;
	r = utterance_of(&u, s->model, &reading);
	bark_reading_clear(&reading);
	if (r == 0)
		r = submit(s, u);
	if (r < 0) {
		bark_utterance_free(u);
		return bark_fail(err, r, r == -EBUSY ?
				 "the session is speaking" : "out of memory");
	}
	return 0;
}

int bark_session_start_ids(struct bark_session *s, const int32_t *ids, size_t n)
{
	struct bark_utterance *u = calloc(1, sizeof(*u));
	int r = -ENOMEM;

	if (!u)
		return -ENOMEM;
	u->n_segments = 1;
	u->segments = calloc(1, sizeof(*u->segments));
	u->ids = calloc(n ? n : 1, sizeof(*u->ids));
	if (u->segments && u->ids) {
		memcpy(u->ids, ids, n * sizeof(*ids));
		u->segments[0].n_tokens = (unsigned)n;
		r = submit(s, u);
	}
	if (r < 0)
		bark_utterance_free(u);
	return r;
}

static void deadline_after(struct timespec *t, int ms)
{
	clock_gettime(CLOCK_MONOTONIC, t);
	t->tv_sec += ms / 1000;
	t->tv_nsec += (long)(ms % 1000) * 1000000;
	if (t->tv_nsec >= 1000000000) {
		t->tv_nsec -= 1000000000;
		t->tv_sec++;
	}
}

/* Under the lock: waits for samples or the end. */
static void await(struct bark_session *s, int timeout_ms)
{
	struct timespec until;

	if (timeout_ms > 0)
		deadline_after(&until, timeout_ms);
	while (s->state == BARK_SESSION_SPEAKING && s->ring_fill == 0) {
		if (timeout_ms < 0)
			pthread_cond_wait(&s->readable, &s->lock);
		else if (timeout_ms == 0 ||
			 pthread_cond_timedwait(&s->readable, &s->lock,
						&until) == ETIMEDOUT)
			return;
	}
}

ssize_t bark_session_read(struct bark_session *s, float *pcm, size_t n,
			  int timeout_ms)
{
	ssize_t r = -EAGAIN;

	pthread_mutex_lock(&s->lock);
	await(s, timeout_ms);
	if (s->state == BARK_SESSION_CANCELLED) {
		r = -ECANCELED;
	} else if (s->ring_fill > 0 && n > 0) {
		size_t part = s->ring_cap - s->ring_at;

		n = n < s->ring_fill ? n : s->ring_fill;
		part = part < n ? part : n;
		memcpy(pcm, s->ring + s->ring_at, part * sizeof(*pcm));
		memcpy(pcm + part, s->ring, (n - part) * sizeof(*pcm));
		s->ring_at = (s->ring_at + n) % s->ring_cap;
		s->ring_fill -= n;
		r = (ssize_t)n;
	} else if (s->ring_fill == 0 && s->state != BARK_SESSION_SPEAKING) {
		s->state = BARK_SESSION_IDLE;
		r = 0;
	}
	settle(s);
	pthread_mutex_unlock(&s->lock);
	if (r > 0)
		bark_engine_wake(s->engine);
	return r;
}

int bark_session_fd(const struct bark_session *s)
{
	return s->fd;
}

int bark_session_event(struct bark_session *s, struct bark_event *ret)
{
	int r = 0;

	pthread_mutex_lock(&s->lock);
	if (s->events_taken < s->n_events) {
		*ret = s->events[s->events_taken++];
		r = 1;
	}
	settle(s);
	pthread_mutex_unlock(&s->lock);
	return r;
}

void bark_session_cancel(struct bark_session *s)
{
	bool wake = false;

	pthread_mutex_lock(&s->lock);
	if (s->state == BARK_SESSION_SPEAKING ||
	    s->state == BARK_SESSION_COMPLETE) {
		s->state = BARK_SESSION_CANCELLED;
		s->ring_fill = 0;
		s->n_events = s->events_taken = 0;
		bark_utterance_free(s->pending);
		s->pending = NULL;
		s->dropped = wake = true;
		bark_session_signal(s);
	}
	pthread_mutex_unlock(&s->lock);
	if (wake)
		bark_engine_wake(s->engine);
}

void bark_session_set_delay(struct bark_session *s, unsigned ms)
{
	pthread_mutex_lock(&s->lock);
	s->wanted = ms ? bark_now() + ms * 1e-3 : 0;
	pthread_mutex_unlock(&s->lock);
	bark_engine_wake(s->engine);
}

double bark_session_first_audio(const struct bark_session *s)
{
	struct bark_session *lock = (struct bark_session *)(uintptr_t)s;
	double r;

	pthread_mutex_lock(&lock->lock);
	r = s->first_audio;
	pthread_mutex_unlock(&lock->lock);
	return r;
}
