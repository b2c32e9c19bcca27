/* SPDX-License-Identifier: MIT */
#include "limiter.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define REACH_MS 5
#define RELEASE_MS 60
/* Closer to one than this the gain snaps to one. */
#define SNAP 1e-4f

/*
 * For each sample the gain it needs is known `reach` samples ahead. The least
 * gain of that window, let go slowly, averaged over another window of the same
 * length, has reached what a peak needs exactly when the peak comes out: every
 * value in the average covers the peak.
 */
struct limiter {
	size_t reach;
	float release;
	size_t count;     /* samples taken */
	float held;       /* the last least gain, let go slowly */
	double sum;       /* of gains[] */
	size_t n_reduced; /* of gains[], those below one */
	size_t head, n_mins; /* deque of mins[] */
	struct {
		size_t at;
		float gain;
	} *mins;          /* [reach], rising gains */
	float *delay;     /* [reach] the samples held back */
	float *gains;     /* [reach] */
};

void limiter_reset(struct limiter *l)
{
	l->count = 0;
	l->held = 1;
	l->sum = (double)l->reach;
	l->n_reduced = 0;
	l->head = l->n_mins = 0;
	for (size_t i = 0; i < l->reach; i++)
		l->gains[i] = 1;
}

int limiter_new(struct limiter **ret, unsigned rate)
{
	struct limiter *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->reach = (size_t)rate * REACH_MS / 1000;
	l->release = 1 - expf(-1000.0f / ((float)rate * RELEASE_MS));
	l->mins = calloc(l->reach, sizeof(*l->mins));
	l->delay = calloc(l->reach, sizeof(*l->delay));
	l->gains = calloc(l->reach, sizeof(*l->gains));
	if (!l->mins || !l->delay || !l->gains) {
		limiter_free(l);
		return -ENOMEM;
	}
	limiter_reset(l);
	*ret = l;
	return 0;
}

void limiter_free(struct limiter *l)
{
	if (!l)
		return;
	free(l->mins);
	free(l->delay);
	free(l->gains);
	free(l);
}

size_t limiter_reach(const struct limiter *l)
{
	return l->reach;
}

/* The least gain that any of the last `reach` samples needs. */
static float least(struct limiter *l, float gain)
{
	size_t n = l->reach;

	if (l->n_mins && l->mins[l->head].at + n <= l->count) {
		l->head = (l->head + 1) % n;
		l->n_mins--;
	}
	while (l->n_mins &&
	       l->mins[(l->head + l->n_mins - 1) % n].gain >= gain)
		l->n_mins--;
	l->mins[(l->head + l->n_mins) % n].at = l->count;
	l->mins[(l->head + l->n_mins) % n].gain = gain;
	l->n_mins++;
	return l->mins[l->head].gain;
}

/* Takes one sample; true when *out was set. */
static int step(struct limiter *l, float x, float *out)
{
	float level = fabsf(x);
	float need = level > LIMITER_CEILING ? LIMITER_CEILING / level : 1;
	float low = least(l, need);
	float held = l->held + (1 - l->held) * l->release;
	size_t at = l->count % l->reach, oldest;

	held = held > 1 - SNAP ? 1 : held;
	l->held = held < low ? held : low;
	l->n_reduced += (l->held < 1);
	l->n_reduced -= (l->gains[at] < 1);
	l->sum += (double)l->held - (double)l->gains[at];
	l->gains[at] = l->held;
	l->delay[at] = x;
	l->count++;
	if (l->count < l->reach)
		return 0;

	/* The oldest sample comes out with the average of the last gains. */
	oldest = l->count % l->reach;
	if (!l->n_reduced)
		l->sum = (double)l->reach;
	*out = l->n_reduced ? l->delay[oldest] *
				      (float)(l->sum / (double)l->reach)
			    : l->delay[oldest];
	return 1;
}

size_t limiter_process(struct limiter *l, const float *in, size_t n, float *out)
{
	size_t done = 0;

	for (size_t i = 0; i < n; i++)
		done += (size_t)step(l, in[i], &out[done]);
	return done;
}

size_t limiter_flush(struct limiter *l, float *out)
{
	size_t held = l->count < l->reach - 1 ? l->count : l->reach - 1;
	size_t short_by = l->reach - 1 - held, done = 0;
	float unused;

	/* Silence pushes the rest out; a very short sound needs more of it. */
	for (size_t i = 0; i < short_by; i++)
		step(l, 0, &unused);
	for (size_t i = 0; i < held; i++)
		done += (size_t)step(l, 0, &out[done]);
	limiter_reset(l);
	return done;
}
