/* SPDX-License-Identifier: MIT */
#include "fast.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "fast_voice.h"
#include "log.h"
#include "modules.h"
#include "worker.h"

#define MODULE "barkd-fast-espeak.so"
#define SOUND_MAX_S 300
/* About eSpeak NG's; the fast voice is not levelled. */
#define LOUDNESS (-20)

struct fast {
	struct worker *worker;
	bool opening; /* or open, or not to be had */
	bool ready, failed;
	/* The worker's, but while it has no job. */
	const struct barkd_fast_voice *voice;
	int rate;
};

struct fast_order {
	struct job job;
	struct fast *fast;
	char *text, *language;
	void (*done)(void *data, int r, struct sound *sound);
	void *data;
	_Atomic bool cancelled;
	int r;
	int16_t *pcm;
	size_t n, room, most;
	struct sound *sound; /* what came of it */
};

/* --- opening --- */

struct open_job {
	struct job job;
	struct fast *fast;
};

static void open_run(struct job *job)
{
	struct fast *f = ((struct open_job *)job)->fast;
	char why[256];
	const struct barkd_fast_voice *voice =
		module_symbol(MODULE, BARKD_FAST_VOICE_SYMBOL,
			      BARKD_FAST_VOICE_ABI, why, sizeof(why));

	if (!voice)
		return;
	f->rate = voice->open();
	if (f->rate > 0)
		f->voice = voice;
}

static void open_done(struct job *job)
{
	struct fast *f = ((struct open_job *)job)->fast;

	f->ready = f->voice != NULL;
	f->failed = !f->ready;
	log_info(f->ready ? "the fast voice is there"
			  : "there is no fast voice");
	free(job);
}

void fast_open(struct fast *f)
{
	struct open_job *j;

	if (f->opening)
		return;
	j = calloc(1, sizeof(*j));
	if (!j)
		return;
	j->job.run = open_run;
	j->job.done = open_done;
	j->fast = f;
	f->opening = true;
	worker_give(f->worker, &j->job);
}

bool fast_ready(const struct fast *f)
{
	return f->ready;
}

bool fast_possible(const struct fast *f)
{
	return f->opening && !f->failed;
}

/* --- speaking --- */

static bool take(void *data, const int16_t *pcm, size_t n)
{
	struct fast_order *o = data;

	if (atomic_load(&o->cancelled))
		return false;
	if (n > o->most - o->n) {
		o->r = -E2BIG;
		return false;
	}
	if (o->room < o->n + n) {
		size_t room = 2 * (o->n + n);
		int16_t *more = realloc(o->pcm, room * sizeof(*more));

		if (!more) {
			o->r = -ENOMEM;
			return false;
		}
		o->pcm = more;
		o->room = room;
	}
	memcpy(o->pcm + o->n, pcm, n * sizeof(*pcm));
	o->n += n;
	return true;
}

static void order_run(struct job *job)
{
	struct fast_order *o = (struct fast_order *)job;
	struct fast *f = o->fast;
	int r;

	if (atomic_load(&o->cancelled))
		return;
	if (!f->voice) {
		o->r = -ENOENT;
		return;
	}
	o->most = (size_t)f->rate * SOUND_MAX_S;
	r = f->voice->speak(o->text, o->language, take, o);
	if (o->r == 0)
		o->r = r;
	if (o->r < 0)
		return;
	o->sound = sound_trimmed((unsigned)f->rate, o->pcm, o->n, LOUDNESS);
	if (!o->sound)
		o->r = -ENOMEM;
}

static void order_free(struct fast_order *o)
{
	free(o->text);
	free(o->language);
	free(o->pcm);
	sound_unref(o->sound);
	free(o);
}

static void order_done(struct job *job)
{
	struct fast_order *o = (struct fast_order *)job;

	if (!atomic_load(&o->cancelled)) {
		o->done(o->data, o->r, o->sound);
		o->sound = NULL;
	}
	order_free(o);
}

int fast_order(struct fast *f, struct fast_order **ret, const char *text,
	       size_t n, const char *language,
	       void (*done)(void *data, int r, struct sound *sound),
	       void *data)
{
	struct fast_order *o;

	if (n > FAST_TEXT_MAX)
		return -E2BIG;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->job.run = order_run;
	o->job.done = order_done;
	o->fast = f;
	o->done = done;
	o->data = data;
	o->text = strndup(text, n);
	o->language = language ? strdup(language) : NULL;
	if (!o->text || (language && !o->language)) {
		order_free(o);
		return -ENOMEM;
	}
	*ret = o;
	worker_give(f->worker, &o->job);
	return 0;
}

void fast_cancel(struct fast_order *order)
{
	if (order)
		atomic_store(&order->cancelled, true);
}

/* --- the fast voice --- */

int fast_new(struct fast **ret, sd_event *event)
{
	struct fast *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	r = worker_new(&f->worker, event, "barkd-fast");
	if (r < 0) {
		free(f);
		return r;
	}
	*ret = f;
	return 0;
}

void fast_free(struct fast *f)
{
	if (!f)
		return;
	worker_free(f->worker);
	if (f->voice)
		f->voice->close();
	free(f);
}
