/* SPDX-License-Identifier: MIT */
#include "outlet.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "locked.h"
#include "ring.h"

#define FADE_MS 5
/* Sound that must gather after an underrun before it goes on. */
#define GATHER_MS 150
#define OPEN UINT64_MAX

enum mode {
	MODE_SILENT,  /* nothing to play, or not enough after an underrun */
	MODE_PLAY,
	MODE_STOP,    /* fading out samples that are dead */
	MODE_PAUSE,   /* fading out, position held */
	MODE_HELD,    /* silent, position held */
	MODE_DECAY,   /* from the last sample to zero, the ring is dry */
};

struct outlet {
	struct ring ring;

	/* Written by the control side. */
	_Atomic uint64_t dead;      /* samples before this are not played */
	_Atomic uint64_t begin;     /* of the utterance being written */
	_Atomic uint64_t end;       /* behind its last sample; OPEN */
	_Atomic bool pause, hold;
	bool locked;                /* in RAM, with the code that reads it */
	_Atomic uint32_t fade_n, gather_n;
	unsigned rate;              /* the control side's alone */

	/* Written by the callback. */
	_Atomic uint32_t delay, underruns, xruns;
	_Atomic uint64_t first_pull; /* ns, for the utterance at `begin` */
	/* A consistent view of the clock, guarded by seq. */
	_Atomic uint32_t seq;
	_Atomic uint64_t view_read;    /* position behind the last pull */
	_Atomic uint64_t view_out;     /* frames pulled, silence included */
	_Atomic uint64_t view_sound;   /* frames pulled behind the last sound */
	_Atomic uint64_t view_time;    /* ns */

	/* The callback's alone. */
	enum mode mode;
	uint64_t at;       /* position; published as ring.read */
	uint64_t peek;     /* MODE_PAUSE: what is faded */
	float gain, gain_step; /* MODE_PLAY: fading in while gain < 1 */
	uint32_t fade_left, fade_total; /* STOP, PAUSE, DECAY */
	float last;        /* sample put out last */
	bool fade_in;      /* the next sound begins in the middle */
	bool gather;
	uint64_t out, sound; /* frames */
	uint64_t seen_begin;
};

/* --- control side --- */

/* Each of them, also behind one that could not be locked. */
static void lock(struct outlet *o)
{
	int r = locked_data(o->ring.data,
			    o->ring.size * sizeof(*o->ring.data));

	r |= locked_data(o, sizeof(*o));
	r |= locked_code((const void *)outlet_pull);
	r |= locked_code((const void *)memcpy);
	o->locked = r == 0;
}

int outlet_new(struct outlet **ret, size_t size)
{
	struct outlet *o;
	size_t room = 1024;

	while (room < size)
		room *= 2;
	o = aligned_alloc(64, sizeof(*o));
	if (!o)
		return -ENOMEM;
	memset(o, 0, sizeof(*o));
	o->ring.data = calloc(room, sizeof(*o->ring.data));
	o->ring.size = room;
	if (!o->ring.data) {
		outlet_free(o);
		return -ENOMEM;
	}
	lock(o);
	outlet_set_rate(o, 48000);
	*ret = o;
	return 0;
}

void outlet_free(struct outlet *o)
{
	if (!o)
		return;
	munlock(o->ring.data, o->ring.size * sizeof(*o->ring.data));
	munlock(o, sizeof(*o));
	free(o->ring.data);
	free(o);
}

bool outlet_locked(const struct outlet *o)
{
	return o->locked;
}

void outlet_set_rate(struct outlet *o, unsigned rate)
{
	o->rate = rate;
	atomic_store(&o->fade_n, rate * FADE_MS / 1000);
	atomic_store(&o->gather_n, rate * GATHER_MS / 1000);
}

uint64_t outlet_written(struct outlet *o)
{
	return atomic_load_explicit(&o->ring.written, memory_order_relaxed);
}

uint64_t outlet_begin(struct outlet *o)
{
	uint64_t at = outlet_written(o);

	atomic_store(&o->first_pull, 0);
	atomic_store(&o->begin, at);
	atomic_store(&o->end, OPEN);
	return at;
}

size_t outlet_space(struct outlet *o)
{
	return ring_space(&o->ring);
}

void outlet_write(struct outlet *o, const float *pcm, size_t n, bool last)
{
	uint64_t at = outlet_written(o);

	ring_put(&o->ring, at, pcm, n);
	/* First the end, so that the callback never sees the last sample
	 * played and the utterance still open: that is an underrun. */
	if (last)
		atomic_store(&o->end, at + n);
	ring_publish(&o->ring, at + n);
}

uint64_t outlet_read(struct outlet *o)
{
	uint64_t at = atomic_load_explicit(&o->ring.read, memory_order_acquire);
	uint64_t dead = atomic_load(&o->dead);

	return at < dead ? dead : at;
}

void outlet_stop(struct outlet *o)
{
	uint64_t at = outlet_written(o);

	atomic_store(&o->end, at);
	atomic_store(&o->dead, at);
}

void outlet_pause(struct outlet *o, bool pause)
{
	atomic_store(&o->pause, pause);
}

void outlet_hold(struct outlet *o, bool hold)
{
	atomic_store(&o->hold, hold);
}

void outlet_unplug(struct outlet *o)
{
	/* A fade that the dead sink did not finish is over. */
	if (o->mode == MODE_STOP)
		o->at = atomic_load(&o->dead);
	if (o->mode != MODE_SILENT)
		o->fade_in = true;
	o->mode = MODE_SILENT;
	o->last = 0;
	atomic_store(&o->ring.read, o->at);
	atomic_store(&o->delay, 0);
}

int64_t outlet_until_heard(struct outlet *o, uint64_t at, bool *ret_pulled)
{
	uint64_t read, out, sound, time;
	uint32_t before, after;
	struct timespec now;
	int64_t until = (int64_t)atomic_load(&o->delay), elapsed;

	do {
		before = atomic_load(&o->seq);
		read = atomic_load(&o->view_read);
		out = atomic_load(&o->view_out);
		sound = atomic_load(&o->view_sound);
		time = atomic_load(&o->view_time);
		after = atomic_load(&o->seq);
	} while (before != after || (before & 1));

	clock_gettime(CLOCK_MONOTONIC, &now);
	elapsed = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec -
		  (int64_t)time;
	if (time)
		until -= elapsed * (int64_t)o->rate / 1000000000;
	*ret_pulled = read >= at;
	if (read == at)
		until -= (int64_t)(out - sound);
	else
		until += (int64_t)(at - read); /* negative when behind */
	return until;
}

unsigned outlet_delay(struct outlet *o)
{
	return atomic_load(&o->delay);
}

unsigned outlet_underruns(struct outlet *o)
{
	return atomic_load(&o->underruns);
}

unsigned outlet_xruns(struct outlet *o)
{
	return atomic_load(&o->xruns);
}

uint64_t outlet_first_pull(struct outlet *o)
{
	return atomic_load(&o->first_pull);
}

/* --- the sink's callback: everything below is RT safe --- */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void start_fade(struct outlet *o, enum mode mode, size_t n)
{
	o->mode = mode;
	o->fade_total = o->fade_left = (uint32_t)n;
}

static void go_silent(struct outlet *o)
{
	o->mode = MODE_SILENT;
	o->last = 0;
}

/* Behind the dead part, where a whole new utterance begins. */
static void leave_dead(struct outlet *o, uint64_t dead)
{
	o->at = dead;
	o->fade_in = o->gather = false;
}

/* One sample less of a fade; its factor falls from `gain` to nothing. */
static float fade_factor(struct outlet *o)
{
	float f = (float)o->fade_left / (float)(o->fade_total + 1);

	o->fade_left--;
	return f * o->gain;
}

static size_t fade(struct outlet *o, uint64_t *at, float *out, size_t n)
{
	size_t k = n < o->fade_left ? n : o->fade_left;

	ring_get(&o->ring, *at, out, k);
	for (size_t i = 0; i < k; i++)
		out[i] *= fade_factor(o);
	*at += k;
	return k;
}

static size_t play(struct outlet *o, float *out, size_t n)
{
	uint64_t begin = atomic_load(&o->begin);

	if (o->seen_begin != begin || !atomic_load(&o->first_pull)) {
		if (o->at >= begin) {
			o->seen_begin = begin;
			atomic_store(&o->first_pull, now_ns());
		}
	}
	ring_get(&o->ring, o->at, out, n);
	for (size_t i = 0; i < n && o->gain < 1; i++) {
		out[i] *= o->gain;
		o->gain += o->gain_step;
	}
	if (o->gain > 1)
		o->gain = 1;
	o->at += n;
	return n;
}

/* The ring is empty at `at`: the end, or an underrun? */
static void run_dry(struct outlet *o)
{
	uint64_t end = atomic_load(&o->end);

	/* Between two utterances, or before the first sample of one. */
	if (end != OPEN || o->at <= atomic_load(&o->begin)) {
		go_silent(o);
		return;
	}
	if (atomic_load_explicit(&o->ring.written, memory_order_acquire) !=
	    o->at)
		return;
	atomic_fetch_add(&o->underruns, 1);
	start_fade(o, MODE_DECAY, atomic_load(&o->fade_n));
}

static void start_sound(struct outlet *o)
{
	o->mode = MODE_PLAY;
	o->gain = o->fade_in ? 0 : 1;
	o->gain_step = 1.0f / (float)atomic_load(&o->fade_n);
	o->fade_in = o->gather = false;
}

/* In silence: begins to play if there is something; true if it did. */
static bool try_sound(struct outlet *o, bool held, uint64_t available)
{
	if (held) {
		o->mode = MODE_HELD;
		return true;
	}
	if (!available)
		return false;
	if (o->gather && available < atomic_load(&o->gather_n) &&
	    atomic_load(&o->end) == OPEN)
		return false;
	start_sound(o);
	return true;
}

/* Puts out at most n frames of one mode; 0: the mode changed, or, in
 * silence, there is nothing to play. *sound: they were samples. */
static size_t step(struct outlet *o, float *out, size_t n, bool *sound)
{
	bool held = atomic_load(&o->pause) || atomic_load(&o->hold);
	uint64_t dead = atomic_load(&o->dead);
	uint64_t written = atomic_load_explicit(&o->ring.written,
						memory_order_acquire);
	uint64_t available;
	size_t fade_n = atomic_load(&o->fade_n), k;

	/* `dead` was read first, so it is not ahead of `written`. */
	*sound = true;
	available = written - o->at;

	switch (o->mode) {
	case MODE_SILENT:
		*sound = false;
		if (o->at < dead) {
			leave_dead(o, dead);
			available = written - dead;
		}
		try_sound(o, held, available);
		return 0;
	case MODE_PLAY:
		if (o->at < dead) {
			k = (size_t)(dead - o->at);
			start_fade(o, MODE_STOP, k < fade_n ? k : fade_n);
			return 0;
		}
		if (held) {
			o->peek = o->at;
			start_fade(o, MODE_PAUSE,
				   available < fade_n ? (size_t)available
						      : fade_n);
			return 0;
		}
		if (!available) {
			run_dry(o);
			return 0;
		}
		return play(o, out, n < available ? n : (size_t)available);
	case MODE_STOP:
		if (o->fade_left)
			return fade(o, &o->at, out, n);
		leave_dead(o, dead);
		go_silent(o);
		return 0;
	case MODE_PAUSE:
		if (o->fade_left)
			return fade(o, &o->peek, out, n);
		o->mode = MODE_HELD;
		o->fade_in = true;
		return 0;
	case MODE_HELD:
		*sound = false;
		o->last = 0;
		if (o->at < dead)
			leave_dead(o, dead);
		if (!held)
			o->mode = MODE_SILENT;
		return 0;
	case MODE_DECAY:
		*sound = false;
		if (!o->fade_left) {
			go_silent(o);
			o->fade_in = o->gather = true;
			return 0;
		}
		k = n < o->fade_left ? n : o->fade_left;
		for (size_t i = 0; i < k; i++)
			out[i] = o->last * (float)o->fade_left-- /
				 (float)(o->fade_total + 1);
		return k;
	}
	return 0;
}

size_t outlet_pull(void *data, float *out, size_t n)
{
	struct outlet *o = data;
	size_t done = 0, n_sound = 0;
	unsigned idle = 0; /* turns without a frame: silence when all rest */

	while (done < n) {
		bool sound;
		size_t k = step(o, out + done, n - done, &sound);

		if (k == 0) {
			/* SILENT and HELD may each hand over to the other. */
			bool rest = o->mode == MODE_SILENT ||
				    o->mode == MODE_HELD;

			if (rest && ++idle > 3)
				break;
			continue;
		}
		idle = 0;
		if (o->mode != MODE_DECAY)
			o->last = out[done + k - 1];
		done += k;
		if (sound) {
			n_sound += k;
			o->sound = o->out + done;
		}
	}
	memset(out + done, 0, (n - done) * sizeof(*out));
	o->out += n;
	atomic_store_explicit(&o->ring.read, o->at, memory_order_release);

	atomic_fetch_add(&o->seq, 1);
	atomic_store(&o->view_read, o->at);
	atomic_store(&o->view_out, o->out);
	atomic_store(&o->view_sound, o->sound);
	atomic_store(&o->view_time, now_ns());
	atomic_fetch_add(&o->seq, 1);
	return n_sound;
}

void outlet_set_delay(void *data, uint32_t frames)
{
	struct outlet *o = data;

	atomic_store(&o->delay, frames);
}

void outlet_count_xrun(void *data)
{
	struct outlet *o = data;

	atomic_fetch_add(&o->xruns, 1);
}
