/* SPDX-License-Identifier: MIT */
#include "speaker.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "loudness.h"
#include "priority.h"

#define BLOCK 480 /* samples read from the session at a time: 20 ms */
/* Room that one block may need: slowed down fourfold, at 192 kHz. */
#define SPACE_MIN 65536
#define POLL_US 3000u
#define NAME_ROOM 132

struct speaker {
	sd_event *event;
	struct outlet *outlet;
	struct sinks *sinks;
	struct speaker_handler handler;
	sd_event_source *io, *timer, *lead_timer;

	unsigned buffer_ms, lead_in_ms;
	int resampler;
	double loudness; /* LUFS or NAN */
	double gain;

	struct chain *chain;
	unsigned in_rate, out_rate; /* of the chain; 0: none */
	int chain_resampler;
	struct loudness *meter;
	unsigned meter_rate;

	struct source *source; /* NULL: idle */
	char voice[NAME_ROOM];
	bool read_all;    /* the source's end was read */
	bool computed;    /* and told */
	bool paused, writes;
	int error;        /* by an event */
	uint64_t begin;   /* position of the utterance's sample `base` */
	uint64_t base;
	uint64_t end;     /* valid once read_all */
	uint64_t written; /* a writing sink: samples of this utterance */
	uint64_t first_write; /* ns */
	uint64_t running; /* ns since when the sink runs; 0: it does not */
	double played_ms; /* of the last utterance */
	struct levels levels;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool usable(const struct speaker *sp)
{
	struct sinks_info i = sinks_info(sp->sinks);

	return i.name && i.rate && (i.state == BARKD_SINK_IDLE ||
				    i.state == BARKD_SINK_RUNNING);
}

static void wait_for(struct speaker *sp, bool source, uint64_t us)
{
	if (sp->io)
		sd_event_source_set_enabled(sp->io, source ? SD_EVENT_ON
							   : SD_EVENT_OFF);
	if (us)
		sd_event_source_set_time_relative(sp->timer, us);
	sd_event_source_set_enabled(sp->timer,
				    us ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

/* The utterance is over, however; the speaker is idle afterwards. */
static void end_utterance(struct speaker *sp)
{
	sp->played_ms = speaker_played_ms(sp);
	sp->io = sd_event_source_disable_unref(sp->io);
	wait_for(sp, false, 0);
	if (sp->meter)
		loudness_end(sp->meter);
	sp->source = NULL;
}

static void finish(struct speaker *sp, int r)
{
	end_utterance(sp);
	sp->handler.finished(sp->handler.data, r);
}

/* --- samples onwards --- */

static int deliver(struct speaker *sp, const struct chain_out *o, bool last)
{
	size_t n = o->n;

	if (sp->writes) {
		int r = n ? sinks_write(sp->sinks, o->pcm, n) : 0;

		if (r < 0)
			return r;
		if (n && !sp->written)
			sp->first_write = now_ns();
		levels_add(&sp->levels, sp->out_rate, sp->written, o->pcm, n);
		sp->written += n;
		return 0;
	}
	if (n > outlet_space(sp->outlet)) {
		log_warning("the ring has no room for %zu samples", n);
		n = outlet_space(sp->outlet);
	}
	levels_add(&sp->levels, sp->out_rate, outlet_written(sp->outlet),
		   o->pcm, n);
	outlet_write(sp->outlet, o->pcm, n, last);
	return 0;
}

/* Reads one block and sends it on; -EAGAIN: nothing there yet. */
static int feed(struct speaker *sp)
{
	float pcm[BLOCK];
	struct chain_out out;
	ssize_t n = source_read(sp->source, pcm, BLOCK);
	int r;

	if (n < 0)
		return (int)n;
	if (n == 0) {
		sp->read_all = true;
		r = chain_finish(sp->chain, &out);
		if (r == 0)
			r = deliver(sp, &out, true);
		sp->end = outlet_written(sp->outlet);
		return r;
	}
	if (sp->meter)
		loudness_add(sp->meter, pcm, (size_t)n);
	r = chain_feed(sp->chain, pcm, (size_t)n, &out);
	return r < 0 ? r : deliver(sp, &out, false);
}

static void take_events(struct speaker *sp)
{
	struct bark_event e;

	while (source_event(sp->source, &e) > 0) {
		if (e.type == BARK_EVENT_ERROR)
			sp->error = e.error < 0 ? e.error : -EIO;
		if (e.type == BARK_EVENT_SEGMENT_BEGIN ||
		    e.type == BARK_EVENT_SEGMENT_END)
			sp->handler.segment(sp->handler.data, &e);
		if (e.type != BARK_EVENT_END || sp->computed)
			continue;
		sp->computed = true;
		sp->handler.computed(sp->handler.data);
	}
}

/* Everything is in the ring: waits until the sink has taken it. */
static void drain(struct speaker *sp)
{
	uint64_t at = outlet_read(sp->outlet);

	if (sp->writes || at >= sp->end) {
		finish(sp, sp->error);
		return;
	}
	wait_for(sp, false,
		 (sp->end - at) * 1000000 / sp->out_rate + POLL_US);
}

static void pump(struct speaker *sp)
{
	uint64_t limit = (uint64_t)sp->out_rate * sp->buffer_ms / 1000;

	if (!sp->source)
		return;
	if (!usable(sp) || sp->paused) {
		/* Woken by speaker_sink_changed() or speaker_pause(). */
		wait_for(sp, false, 0);
		return;
	}
	limit = limit < SPACE_MIN ? limit : SPACE_MIN;
	take_events(sp);
	while (!sp->read_all) {
		uint64_t fill = outlet_written(sp->outlet) -
				outlet_read(sp->outlet);
		int r;

		if (!sp->writes && fill >= limit) {
			wait_for(sp, false, (fill - limit / 2) * 1000000 /
						    sp->out_rate);
			return;
		}
		/* What is dead but not passed by the callback yet. */
		if (!sp->writes && outlet_space(sp->outlet) < SPACE_MIN) {
			wait_for(sp, false, POLL_US);
			return;
		}
		r = feed(sp);
		if (r == -EAGAIN) {
			wait_for(sp, true, 0);
			return;
		}
		if (r < 0) {
			outlet_stop(sp->outlet);
			finish(sp, sp->error ? sp->error : r);
			return;
		}
	}
	take_events(sp);
	drain(sp);
}

static int on_source(sd_event_source *source, int fd, uint32_t revents,
		     void *userdata)
{
	pump(userdata);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	pump(userdata);
	return 0;
}

/* --- one utterance --- */

static int prepare_chain(struct speaker *sp, unsigned rate)
{
	struct chain *chain;
	int r;

	if (sp->chain && sp->in_rate == rate &&
	    sp->chain_resampler == sp->resampler)
		return 0;
	r = chain_new(&chain, rate, sp->out_rate, sp->resampler);
	if (r < 0)
		return r;
	chain_free(sp->chain);
	sp->chain = chain;
	sp->in_rate = rate;
	sp->chain_resampler = sp->resampler;
	return 0;
}

static void prepare_meter(struct speaker *sp, unsigned rate)
{
	if (isnan(sp->loudness)) {
		loudness_free(sp->meter);
		sp->meter = NULL;
		return;
	}
	if (sp->meter && sp->meter_rate == rate)
		return;
	loudness_free(sp->meter);
	sp->meter = NULL;
	if (loudness_new(&sp->meter, rate) == 0)
		sp->meter_rate = rate;
}

int speaker_play(struct speaker *sp, struct source *source, const char *voice,
		 const struct chain_utterance *u)
{
	unsigned rate = source_rate(source);
	struct chain_utterance all = *u;
	int r;

	assert(!sp->source);
	r = prepare_chain(sp, rate);
	if (r < 0)
		return r;
	snprintf(sp->voice, sizeof(sp->voice), "%s", voice);
	prepare_meter(sp, rate);
	all.gain *= sp->gain;
	if (sp->meter) {
		all.gain *= loudness_gain(sp->meter, voice, sp->loudness);
		loudness_begin(sp->meter, voice);
	}
	r = chain_begin(sp->chain, &all);
	if (r == 0 && source_fd(source) >= 0)
		r = sd_event_add_io(sp->event, &sp->io, source_fd(source),
				    EPOLLIN, on_source, sp);
	if (r >= 0 && sp->io)
		r = sd_event_source_set_priority(sp->io, PRIORITY_SOUND);
	if (r < 0)
		return r;
	sp->source = source;
	sp->read_all = sp->computed = false;
	sp->error = 0;
	sp->begin = outlet_begin(sp->outlet);
	sp->base = sp->end = sp->written = sp->first_write = 0;
	/* Not from here: finished() would come before this returns. */
	wait_for(sp, true, 1);
	return 0;
}

void speaker_stop(struct speaker *sp)
{
	if (!sp->source)
		return;
	end_utterance(sp);
	outlet_stop(sp->outlet);
}

void speaker_pause(struct speaker *sp, bool pause)
{
	sp->paused = pause;
	outlet_pause(sp->outlet, pause);
	if (!pause)
		pump(sp);
}

/* Makes what the sink has not taken again, for a sink of another kind. */
static int move_utterance(struct speaker *sp, unsigned rate, bool writes)
{
	struct chain_out out;
	uint64_t from = sp->written;
	int r;

	if (!sp->writes)
		from = outlet_read(sp->outlet) - sp->begin + sp->base;
	r = chain_change_rate(sp->chain, rate, from, &from, &out);
	if (r < 0)
		return r;
	outlet_stop(sp->outlet);
	sp->begin = outlet_begin(sp->outlet);
	sp->base = from;
	sp->out_rate = rate;
	sp->writes = writes;
	sp->written = from;
	r = deliver(sp, &out, sp->read_all);
	sp->end = outlet_written(sp->outlet);
	return r;
}

/* Lets the outlet go, unless the device may still be waking up. */
static void let_go(struct speaker *sp)
{
	uint64_t awake = sp->running + sp->lead_in_ms * UINT64_C(1000000);
	uint64_t now = now_ns();
	bool hold = sp->lead_in_ms && !sp->writes &&
		    (!sp->running || now < awake);

	outlet_hold(sp->outlet, hold);
	sd_event_source_set_enabled(sp->lead_timer, SD_EVENT_OFF);
	if (!hold || !sp->running)
		return;
	sd_event_source_set_time_relative(sp->lead_timer,
					  (awake - now) / 1000 + 1);
	sd_event_source_set_enabled(sp->lead_timer, SD_EVENT_ONESHOT);
}

static int on_lead_timer(sd_event_source *source, uint64_t usec,
			 void *userdata)
{
	struct speaker *sp = userdata;

	if (usable(sp))
		let_go(sp);
	return 0;
}

void speaker_sink_changed(struct speaker *sp)
{
	struct sinks_info i = sinks_info(sp->sinks);
	int r = 0;

	if (i.state != BARKD_SINK_RUNNING)
		sp->running = 0;
	else if (!sp->running)
		sp->running = now_ns();
	if (!usable(sp)) {
		outlet_hold(sp->outlet, true);
		wait_for(sp, false, 0);
		return;
	}
	if (i.rate != sp->out_rate || i.writes != sp->writes) {
		if (sp->source)
			r = move_utterance(sp, i.rate, i.writes);
		sp->out_rate = i.rate;
		sp->writes = i.writes;
		outlet_set_rate(sp->outlet, i.rate);
		if (r < 0 || !sp->source) {
			/* The chain is of another rate now. */
			chain_free(sp->chain);
			sp->chain = NULL;
		}
	}
	let_go(sp);
	if (r < 0) {
		outlet_stop(sp->outlet);
		finish(sp, r);
		return;
	}
	pump(sp);
}

/* --- positions --- */

bool speaker_busy(const struct speaker *sp)
{
	return sp->source != NULL;
}

bool speaker_computed(const struct speaker *sp)
{
	return sp->source && (sp->computed || sp->read_all);
}

double speaker_played_ms(struct speaker *sp)
{
	double frames;

	if (!sp->source)
		return sp->played_ms;
	if (!sp->out_rate)
		return 0;
	if (sp->writes)
		return (double)sp->written * 1000 / sp->out_rate;
	frames = (double)(outlet_read(sp->outlet) - sp->begin + sp->base) -
		 (double)outlet_delay(sp->outlet);
	return frames > 0 ? frames * 1000 / sp->out_rate : 0;
}

uint64_t speaker_first_sound(struct speaker *sp)
{
	return sp->writes ? sp->first_write
			  : outlet_first_pull(sp->outlet);
}

struct level speaker_level(struct speaker *sp)
{
	uint64_t at = sp->writes ? sp->written : outlet_read(sp->outlet);
	/* A file is heard as it is written, but for the unfinished block. */
	uint64_t delay = sp->writes ? sp->out_rate / LEVELS_PER_S + 1
				    : outlet_delay(sp->outlet);

	return levels_at(&sp->levels, at > delay ? at - delay : 0);
}

uint64_t speaker_end(struct speaker *sp)
{
	return sp->end;
}

uint64_t speaker_until_heard(struct speaker *sp, uint64_t end)
{
	int64_t frames;
	bool pulled;

	if (sp->writes || sinks_info(sp->sinks).state != BARKD_SINK_RUNNING)
		return 0;
	frames = outlet_until_heard(sp->outlet, end, &pulled);
	return frames > 0 ? (uint64_t)frames * 1000000 / sp->out_rate : 0;
}

/* --- the speaker --- */

void speaker_configure(struct speaker *sp, const struct conf *conf)
{
	sp->buffer_ms = conf->output.buffer_ms;
	sp->lead_in_ms = conf->output.lead_in_ms;
	sp->resampler = conf->output.resampler;
	sp->loudness = conf->speech.loudness;
	sp->gain = pow(10, conf->speech.gain_db / 20);
	if (usable(sp))
		let_go(sp);
}

static int add_timer(struct speaker *sp, sd_event_source **ret,
		     sd_event_time_handler_t handler)
{
	int r = sd_event_add_time_relative(sp->event, ret, CLOCK_MONOTONIC, 0,
					   1000, handler, sp);

	if (r >= 0)
		r = sd_event_source_set_priority(*ret, PRIORITY_SOUND);
	return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

int speaker_new(struct speaker **ret, sd_event *event, struct outlet *outlet,
		struct sinks *sinks, const struct speaker_handler *handler)
{
	struct speaker *sp = calloc(1, sizeof(*sp));
	int r;

	if (!sp)
		return -ENOMEM;
	sp->event = sd_event_ref(event);
	sp->outlet = outlet;
	sp->sinks = sinks;
	sp->handler = *handler;
	sp->loudness = NAN;
	sp->gain = 1;
	sp->buffer_ms = 300;
	/* Until a sink says otherwise, so that there is a chain to play to. */
	sp->out_rate = 48000;
	r = add_timer(sp, &sp->timer, on_timer);
	if (r >= 0)
		r = add_timer(sp, &sp->lead_timer, on_lead_timer);
	if (r < 0) {
		speaker_free(sp);
		return r;
	}
	*ret = sp;
	return 0;
}

void speaker_free(struct speaker *sp)
{
	if (!sp)
		return;
	sd_event_source_disable_unref(sp->io);
	sd_event_source_disable_unref(sp->timer);
	sd_event_source_disable_unref(sp->lead_timer);
	chain_free(sp->chain);
	loudness_free(sp->meter);
	sd_event_unref(sp->event);
	free(sp);
}
