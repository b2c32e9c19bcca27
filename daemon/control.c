/* SPDX-License-Identifier: MIT */
/*
 * Utterances on their way: queued, a session ordered, spoken, heard. The
 * queue's rules decide who; control_step() does what follows from them.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon.h"
#include "log.h"

#define POLL_US 2000u
/* After this a stop's fade has been taken, and what the server still has in
 * store can be dropped. */
#define FLUSH_US 12000u
/* A session made ahead is not urgent before the current one is through. */
#define AHEAD_DELAY_MS 1000

uint64_t daemon_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct utterance *utterance_of(struct queue_item *item)
{
	return (struct utterance *)item;
}

static struct utterance *current_of(const struct daemon *d)
{
	return d->queue.current ? utterance_of(d->queue.current) : NULL;
}

static struct utterance *find(const struct daemon *d, uint64_t id)
{
	struct queue_item *item = queue_find(&d->queue, id);

	return item ? utterance_of(item) : NULL;
}

static const char *voice_of(const struct daemon *d, const struct utterance *u)
{
	return u->request.voice ? u->request.voice : voice_default(d);
}

static void arm(sd_event_source *timer, uint64_t us)
{
	sd_event_source_set_time_relative(timer, us);
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

void control_wake(struct daemon *d)
{
	sd_event_source_set_enabled(d->step, SD_EVENT_ONESHOT);
}

/* --- the end of an utterance --- */

/* Gives back what it holds. */
static void let_go(struct daemon *d, struct utterance *u)
{
	supply_release(d->supply, u);
	if (d->ahead == u)
		d->ahead = NULL;
}

static const char *const outcome_names[] = {"done", "stopped", "dropped",
					    "failed"};

/* u is out of the queue and the speaker does not have it. */
static void utterance_free(struct daemon *d, struct utterance *u)
{
	let_go(d, u);
	utterance_events_clear(&u->events);
	speak_request_clear(&u->request);
	free(u);
}

/* Likewise; its client and those who listen are told. */
static void end(struct daemon *d, struct utterance *u, enum outcome outcome)
{
	struct counters *c = &d->counters;
	uint64_t *counts[] = {&c->spoken, &c->stopped, &c->dropped, &c->failed};

	let_go(d, u);
	(*counts[outcome])++;
	if (u->waiter)
		api_answer(u, outcome);
	log_debug("utterance %llu: %s after %.0f ms",
		  (unsigned long long)u->item.id,
		  outcome_names[outcome],
		  u->played_ms);
	events_end(d->events, u, outcome_names[outcome]);
	utterance_free(d, u);
	control_wake(d);
}

/* Takes the current utterance from the speaker, whatever it is doing. */
static void silence(struct daemon *d, struct utterance *u)
{
	if (!speaker_busy(d->speaker))
		return;
	u->played_ms = speaker_played_ms(d->speaker);
	speaker_stop(d->speaker);
	arm(d->flush_timer, FLUSH_US);
}

/* The queue's drop(): u is out of it already. */
static void on_drop(void *data, struct queue_item *item)
{
	struct daemon *d = data;
	struct utterance *u = utterance_of(item);

	/* Only the current one is with the speaker, and only it has played. */
	if (u->source && u != d->ahead)
		silence(d, u);
	end(d, u, OUTCOME_DROPPED);
}

__attribute__((format(printf, 5, 6))) static void
fail(struct daemon *d, struct utterance *u, unsigned status, const char *code,
     const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(u->why, sizeof(u->why), fmt, ap);
	va_end(ap);
	u->status = status;
	u->code = code;
	log_warning("utterance %llu: %s", (unsigned long long)u->item.id,
		    u->why);
	queue_remove(&d->queue, &u->item);
	end(d, u, OUTCOME_FAILED);
}

/* --- heard to the end --- */

static int on_tail(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct daemon *d = userdata;
	uint64_t next = 0;

	for (struct utterance **at = &d->tail; *at;) {
		struct utterance *u = *at;
		uint64_t us = speaker_until_heard(d->speaker, u->end);

		if (us == 0) {
			*at = u->next;
			end(d, u, OUTCOME_DONE);
			continue;
		}
		next = next && next < us ? next : us;
		at = &u->next;
	}
	if (next)
		arm(d->tail_timer, next < POLL_US ? POLL_US : next);
	return 0;
}

static void on_finished(void *data, int r)
{
	struct daemon *d = data;
	struct utterance *u = current_of(d), **at = &d->tail;

	u->played_ms = speaker_played_ms(d->speaker);
	u->end = speaker_end(d->speaker);
	u->events.length_ms =
		u->played_ms +
		(double)speaker_until_heard(d->speaker, u->end) / 1e3;
	if (r < 0) {
		fail(d, u, 500, "synthesis_failed", "the speech broke off: %s",
		     strerror(-r));
		return;
	}
	/* A model may end a text before it begins. */
	if (u->events.length_ms <= 0) {
		fail(d, u, 500, "synthesis_failed",
		     "no sound was made of the text");
		return;
	}
	if (u->session)
		d->first_audio_ms =
			bark_session_first_audio(u->session) * 1000;
	supply_finished(d->supply, u);
	if (speaker_first_sound(d->speaker)) {
		d->first_sound_ms = ((double)speaker_first_sound(d->speaker) -
				     (double)u->asked) / 1e6;
		histogram_add(&d->first_sound, d->first_sound_ms / 1e3);
	}
	queue_done(&d->queue);
	let_go(d, u);
	while (*at)
		at = &(*at)->next;
	u->next = NULL;
	*at = u;
	on_tail(NULL, 0, d);
	control_wake(d);
}

static void on_segment(void *data, const struct bark_event *event)
{
	struct daemon *d = data;

	events_segment(d->events, current_of(d), event);
}

static void on_computed(void *data)
{
	control_wake(data);
}

/* What was taken by the sink but not heard is stopped as well. */
static unsigned stop_tail(struct daemon *d, uint64_t id)
{
	unsigned n = 0;

	for (struct utterance **at = &d->tail; *at;) {
		struct utterance *u = *at;

		if (id && u->item.id != id) {
			at = &u->next;
			continue;
		}
		*at = u->next;
		end(d, u, OUTCOME_STOPPED);
		n++;
	}
	if (n)
		arm(d->flush_timer, FLUSH_US);
	return n;
}

static int on_flush(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct daemon *d = userdata;

	/* Not if the next one is already on its way to the server. */
	if (!speaker_busy(d->speaker))
		sinks_flush(d->sinks);
	return 0;
}

/* --- sessions --- */

/* Whether the voice is why, and one that can be had is to speak. */
static bool falls_back(struct utterance *u, int r)
{
	if (!u->request.fallback || !u->request.voice || r == -ENODATA ||
	    r == -ENOENT || r == -ENOMEM)
		return false;
	voice_missing(u->daemon, u->request.voice);
	free(u->request.voice);
	u->request.voice = NULL;
	return true;
}

void control_supplied(struct utterance *u, int r, const char *why)
{
	struct daemon *d = u->daemon;

	if (r < 0 && falls_back(u, r)) {
		supply_order(d->supply, u);
	} else if (r == 0) {
		if (u == d->ahead && u->session)
			bark_session_set_delay(u->session, AHEAD_DELAY_MS);
		control_wake(d);
	} else if (r == -ENODATA) {
		/* White space alone has been said at once. */
		snprintf(u->why, sizeof(u->why), "%s", why);
		log_info("utterance %llu: %s", (unsigned long long)u->item.id,
			 why);
		queue_remove(&d->queue, &u->item);
		end(d, u, OUTCOME_DONE);
	} else if (r == -EDOM) {
		fail(d, u, 422, "unspeakable", "%s", why);
	} else if (r == -ENOENT) {
		fail(d, u, 503, "model_unavailable", "%s", why);
	} else if (r == -ESRCH) {
		fail(d, u, 404, "voice_not_found", "%s", why);
	} else if (r == -ENOMEM) {
		fail(d, u, 500, "out_of_memory", "out of memory");
	} else {
		fail(d, u, 500, "synthesis_failed", "%s", why);
	}
}

static double clamp(double v, double low, double high)
{
	return v < low ? low : v > high ? high : v;
}

static void play(struct daemon *d, struct utterance *u)
{
	const struct conf *conf = &d->conf;
	const struct speak_request *q = &u->request;
	struct chain_utterance how = {
		.rate = clamp(q->rate * conf->speech.rate, CONF_RATE_MIN,
			      CONF_RATE_MAX),
		.pitch = clamp(q->pitch * conf->speech.pitch, CONF_PITCH_MIN,
			       CONF_PITCH_MAX),
		.gain = clamp(q->volume * conf->speech.volume, 0,
			      CONF_VOLUME_MAX),
	};
	int r;

	if (u->session)
		bark_session_set_delay(u->session, 0);
	events_play(d->events, u, how.rate);
	r = speaker_play(d->speaker, u->source,
			 u->by_fast ? "" : voice_of(d, u), &how);
	if (r < 0)
		fail(d, u, 500, "synthesis_failed", "cannot play: %s",
		     strerror(-r));
}

/* --- the step --- */

/* The one to come gets its session while the current one plays out. */
static void prepare_ahead(struct daemon *d)
{
	struct queue_item *item = queue_peek(&d->queue);
	struct utterance *u = item ? utterance_of(item) : NULL;

	if (d->ahead && d->ahead != u) {
		let_go(d, d->ahead);
		d->ahead = NULL;
	}
	if (!u || supply_has(u))
		return;
	d->ahead = u;
	supply_order(d->supply, u);
}

static void check_sink(struct daemon *d)
{
	struct sinks_info info = sinks_info(d->sinks);
	/* A server without a device, or without a session manager, comes no
	 * further than idle, or to it again and again. */
	bool away = info.state != BARKD_SINK_RUNNING;
	struct utterance *u = current_of(d);
	double wait_ns = d->conf.output.wait_for_sink_s * 1e9;
	uint64_t now = daemon_now_ns(), since;

	if (!away || d->paused)
		d->sink_away = 0;
	else if (!d->sink_away)
		d->sink_away = now;
	sd_event_source_set_enabled(d->sink_timer, SD_EVENT_OFF);
	if (!away || !u || d->paused)
		return;
	since = u->asked > d->sink_away ? u->asked : d->sink_away;
	if ((double)(now - since) >= wait_ns) {
		silence(d, u);
		fail(d, u, 503, "sink_unavailable",
		     "no audio server for %.0f s: %s", wait_ns / 1e9,
		     info.why ? info.why : "none answers");
	} else if (wait_ns < 1e18) {
		arm(d->sink_timer,
		    (uint64_t)((wait_ns - (double)(now - since)) / 1000) +
			    1000);
	}
}

static int on_step(sd_event_source *source, void *userdata)
{
	struct daemon *d = userdata;
	struct utterance *u = current_of(d);

	if (d->stopping)
		return 0;
	if (!u && !d->paused) {
		struct queue_item *item = queue_next(&d->queue);

		u = item ? utterance_of(item) : NULL;
		if (u && u == d->ahead)
			d->ahead = NULL;
	}
	if (u && !supply_has(u))
		supply_order(d->supply, u);
	/* Ordering may have failed. */
	u = current_of(d);
	if (u && u->source && !speaker_busy(d->speaker))
		play(d, u);
	if (current_of(d) && speaker_computed(d->speaker))
		prepare_ahead(d);
	idle_update(d);
	check_sink(d);
	return 0;
}

static int on_timer_step(sd_event_source *source, uint64_t usec,
			 void *userdata)
{
	return on_step(source, userdata);
}

void control_sink_changed(void *data)
{
	struct daemon *d = data;

	speaker_sink_changed(d->speaker);
	control_wake(d);
}

void control_studio_changed(void *data)
{
	service_status(data);
	control_wake(data);
}

/* --- commands --- */

static void on_waiter_gone(void *data, struct http_request *req)
{
	struct utterance *u = data;

	u->waiter = NULL;
	if (u->request.cancel_on_disconnect)
		control_stop(u->daemon, u->item.id);
}

static const struct http_watch waiter_watch = {.gone = on_waiter_gone};

int control_speak(struct daemon *d, struct speak_request *request,
		  struct http_request *waiter, uint64_t *ret_id,
		  bool *ret_dropped)
{
	struct utterance *u;
	uint64_t dropped = d->counters.dropped, id;

	if (d->queue.n_waiting >= d->conf.service.queue_length) {
		speak_request_clear(request);
		return -ENOBUFS;
	}
	u = calloc(1, sizeof(*u));
	if (!u) {
		speak_request_clear(request);
		return -ENOMEM;
	}
	u->request = *request;
	*request = (struct speak_request){0};
	id = u->item.id = ++d->last_id;
	u->item.priority = u->request.priority;
	u->item.patient = !u->request.interrupt;
	u->waiter = waiter;
	if (waiter)
		http_set_watch(waiter, &waiter_watch, u);
	u->asked = daemon_now_ns();
	u->daemon = d;
	events_queued(d->events, u);
	queue_push(&d->queue, &u->item);

	/* Only a notification can be refused, and then it alone is. */
	*ret_dropped = d->counters.dropped > dropped && !find(d, id);
	*ret_id = id;
	/* The stream wakes up while the first sound is computed. */
	control_wake(d);
	return 0;
}

void control_forget(struct daemon *d, struct utterance *u)
{
	if (u == current_of(d))
		silence(d, u);
	queue_remove(&d->queue, &u->item);
	utterance_free(d, u);
}

unsigned control_stop(struct daemon *d, uint64_t id)
{
	unsigned n = stop_tail(d, id);

	d->counters.stops++;
	for (;;) {
		struct utterance *u = id ? find(d, id) : NULL;

		if (!id) {
			u = current_of(d);
			if (!u && queue_peek(&d->queue))
				u = utterance_of(queue_peek(&d->queue));
		}
		if (!u)
			break;
		if (u == current_of(d))
			silence(d, u);
		queue_remove(&d->queue, &u->item);
		end(d, u, OUTCOME_STOPPED);
		n++;
	}
	if (!id && d->paused)
		control_pause(d, false);
	return n;
}

uint64_t control_skip(struct daemon *d)
{
	struct utterance *u = current_of(d);
	uint64_t id;

	if (!u)
		return 0;
	id = u->item.id;
	control_stop(d, id);
	return id;
}

void control_pause(struct daemon *d, bool pause)
{
	d->paused = pause;
	speaker_pause(d->speaker, pause);
	events_paused(d->events, pause);
	control_wake(d);
}

/* --- the beginning and the end --- */

static int add_timer(struct daemon *d, sd_event_source **ret,
		     sd_event_time_handler_t handler)
{
	int r = sd_event_add_time_relative(d->event, ret, CLOCK_MONOTONIC, 0,
					   1000, handler, d);

	return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

int control_init(struct daemon *d)
{
	const struct speaker_handler handler = {
		.computed = on_computed,
		.segment = on_segment,
		.finished = on_finished,
		.data = d,
	};
	int r;

	queue_init(&d->queue, on_drop, d);
	r = speaker_new(&d->speaker, d->event, d->outlet, d->sinks, &handler);
	if (r >= 0)
		r = sd_event_add_defer(d->event, &d->step, on_step, d);
	if (r >= 0)
		r = add_timer(d, &d->tail_timer, on_tail);
	if (r >= 0)
		r = add_timer(d, &d->sink_timer, on_timer_step);
	if (r >= 0)
		r = add_timer(d, &d->flush_timer, on_flush);
	return r < 0 ? r : 0;
}

void control_clear(struct daemon *d)
{
	sd_event_source_disable_unref(d->step);
	sd_event_source_disable_unref(d->tail_timer);
	sd_event_source_disable_unref(d->sink_timer);
	sd_event_source_disable_unref(d->flush_timer);
	speaker_free(d->speaker);
	for (int i = 0; i < VOICES_MISSING_MAX; i++)
		free(d->missing[i]);
}
