/* SPDX-License-Identifier: MIT */
#include "chain.h"

#include <errno.h>
#include <math.h>
#include <samplerate.h>
#include <sonic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "limiter.h"

#define BLOCK 1024
#define MEMORY_S 2
/* An edge louder than this (-50 dBFS) is faded over EDGE_MS. */
#define EDGE_LEVEL 0.003f
#define EDGE_MS 2

struct chain {
	unsigned in_rate, out_rate;
	int resampler;
	SRC_STATE *src;
	struct limiter *limiter;
	sonicStream sonic; /* NULL: rate and pitch are 1 */
	float gain;
	bool started;      /* output has begun */
	bool finished;

	/* The utterance's last samples before resampling. */
	float *memory;     /* [memory_n], sample i at i % memory_n */
	size_t memory_n;
	uint64_t n_fed;    /* into memory, all in all */

	float *out;        /* grows to what one call makes */
	size_t n_out, room;
};

static int make_src(SRC_STATE **ret, int resampler)
{
	static const int types[] = {
		SRC_SINC_FASTEST, SRC_SINC_MEDIUM_QUALITY,
		SRC_SINC_BEST_QUALITY,
	};
	int error;
	SRC_STATE *src;

	if (resampler < 0 || resampler > 2)
		return -EINVAL;
	src = src_new(types[resampler], 1, &error);
	if (!src)
		return -ENOMEM;
	*ret = src;
	return 0;
}

int chain_new(struct chain **ret, unsigned in_rate, unsigned out_rate,
	      int resampler)
{
	struct chain *c;
	int r;

	if (in_rate < 8000 || in_rate > 192000 || out_rate < 8000 ||
	    out_rate > 192000)
		return -EINVAL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->in_rate = in_rate;
	c->out_rate = out_rate;
	c->resampler = resampler;
	c->gain = 1;
	c->memory_n = (size_t)in_rate * MEMORY_S;
	c->memory = calloc(c->memory_n, sizeof(*c->memory));
	c->room = 4096;
	c->out = malloc(c->room * sizeof(*c->out));
	r = c->memory && c->out ? make_src(&c->src, resampler) : -ENOMEM;
	if (r == 0)
		r = limiter_new(&c->limiter, out_rate);
	if (r < 0) {
		chain_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

void chain_free(struct chain *c)
{
	if (!c)
		return;
	if (c->src)
		src_delete(c->src);
	if (c->sonic)
		sonicDestroyStream(c->sonic);
	limiter_free(c->limiter);
	free(c->memory);
	free(c->out);
	free(c);
}

static bool is_one(double v)
{
	return fabs(v - 1) < 1e-6;
}

int chain_begin(struct chain *c, const struct chain_utterance *u)
{
	if (c->sonic)
		sonicDestroyStream(c->sonic);
	c->sonic = NULL;
	if (!is_one(u->rate) || !is_one(u->pitch)) {
		c->sonic = sonicCreateStream((int)c->in_rate, 1);
		if (!c->sonic)
			return -ENOMEM;
		sonicSetSpeed(c->sonic, (float)u->rate);
		sonicSetPitch(c->sonic, (float)u->pitch);
	}
	c->gain = is_one(u->gain) ? 1 : (float)u->gain;
	c->started = c->finished = false;
	c->n_fed = 0;
	src_reset(c->src);
	limiter_reset(c->limiter);
	return 0;
}

/* --- the second half: resampler, limiter, edges --- */

static int reserve(struct chain *c, size_t n)
{
	size_t room = c->room;
	float *out;

	if (c->n_out + n <= c->room)
		return 0;
	while (room < c->n_out + n)
		room *= 2;
	out = realloc(c->out, room * sizeof(*out));
	if (!out)
		return -ENOMEM;
	c->out = out;
	c->room = room;
	return 0;
}

/* A sound that does not begin near zero would click. */
static void soften_start(struct chain *c, size_t at)
{
	size_t n = (size_t)c->out_rate * EDGE_MS / 1000;

	if (c->started || at == c->n_out)
		return;
	c->started = true;
	if (fabsf(c->out[at]) <= EDGE_LEVEL)
		return;
	n = n < c->n_out - at ? n : c->n_out - at;
	for (size_t i = 0; i < n; i++)
		c->out[at + i] *= (float)i / (float)n;
}

static void soften_end(struct chain *c, size_t at)
{
	size_t n = (size_t)c->out_rate * EDGE_MS / 1000;

	if (at == c->n_out || fabsf(c->out[c->n_out - 1]) <= EDGE_LEVEL)
		return;
	n = n < c->n_out - at ? n : c->n_out - at;
	for (size_t i = 0; i < n; i++)
		c->out[c->n_out - 1 - i] *= (float)i / (float)n;
}

static int limit(struct chain *c, const float *pcm, size_t n)
{
	int r = reserve(c, n);

	if (r < 0)
		return r;
	c->n_out += limiter_process(c->limiter, pcm, n, c->out + c->n_out);
	return 0;
}

static int resample(struct chain *c, const float *pcm, size_t n, bool last)
{
	float block[BLOCK];
	SRC_DATA d = {
		.data_in = pcm,
		.input_frames = (long)n,
		.data_out = block,
		.output_frames = BLOCK,
		.end_of_input = last,
		.src_ratio = (double)c->out_rate / (double)c->in_rate,
	};

	if (c->in_rate == c->out_rate)
		return n ? limit(c, pcm, n) : 0;
	for (;;) {
		int r;

		if (src_process(c->src, &d) != 0)
			return -EIO;
		r = limit(c, block, (size_t)d.output_frames_gen);
		if (r < 0)
			return r;
		d.data_in += d.input_frames_used;
		d.input_frames -= d.input_frames_used;
		/* With a full block there may be more of it. */
		if (d.output_frames_gen < BLOCK &&
		    (d.input_frames == 0 || d.input_frames_used == 0))
			return 0;
	}
}

static int finish_second_half(struct chain *c)
{
	size_t before = c->n_out;
	float none = 0;
	int r = resample(c, &none, 0, true);

	if (r == 0)
		r = reserve(c, limiter_reach(c->limiter));
	if (r < 0)
		return r;
	c->n_out += limiter_flush(c->limiter, c->out + c->n_out);
	soften_end(c, before);
	return 0;
}

/* --- the first half: what is kept in memory --- */

static int keep(struct chain *c, float *pcm, size_t n, float scale)
{
	for (size_t i = 0; i < n; i++) {
		pcm[i] *= scale;
		c->memory[c->n_fed++ % c->memory_n] = pcm[i];
	}
	return resample(c, pcm, n, false);
}

static int drain_sonic(struct chain *c)
{
	float block[BLOCK];

	for (;;) {
		int n = sonicReadFloatFromStream(c->sonic, block, BLOCK), r;

		if (n <= 0)
			return 0;
		r = keep(c, block, (size_t)n, c->gain);
		if (r < 0)
			return r;
	}
}

/* libsonic computes in 16 bits and would wrap around past full scale. */
static float clean(float x, bool narrow)
{
	if (!isfinite(x))
		return 0;
	if (!narrow)
		return x;
	return x > 1 ? 1 : x < -1 ? -1 : x;
}

int chain_feed(struct chain *c, const float *pcm, size_t n,
	       struct chain_out *ret)
{
	int r = 0;

	c->n_out = 0;
	while (n > 0 && r == 0) {
		float block[BLOCK];
		size_t k = n < BLOCK ? n : BLOCK;

		for (size_t i = 0; i < k; i++)
			block[i] = clean(pcm[i], c->sonic != NULL);
		if (!c->sonic)
			r = keep(c, block, k, c->gain);
		else if (!sonicWriteFloatToStream(c->sonic, block, (int)k))
			r = -ENOMEM;
		else
			r = drain_sonic(c);
		pcm += k;
		n -= k;
	}
	if (r < 0)
		return r;
	soften_start(c, 0);
	ret->pcm = c->out;
	ret->n = c->n_out;
	return 0;
}

int chain_finish(struct chain *c, struct chain_out *ret)
{
	int r = 0;

	c->n_out = 0;
	if (c->sonic)
		r = sonicFlushStream(c->sonic) ? drain_sonic(c) : -ENOMEM;
	if (r == 0)
		r = finish_second_half(c);
	if (r < 0)
		return r;
	soften_start(c, 0);
	c->finished = true;
	ret->pcm = c->out;
	ret->n = c->n_out;
	return 0;
}

int chain_change_rate(struct chain *c, unsigned out_rate, uint64_t from,
		      uint64_t *ret_from, struct chain_out *ret)
{
	uint64_t at = from * c->in_rate / c->out_rate;
	uint64_t oldest = c->n_fed > c->memory_n ? c->n_fed - c->memory_n : 0;
	struct limiter *limiter;
	int r;

	if (out_rate < 8000 || out_rate > 192000)
		return -EINVAL;
	r = limiter_new(&limiter, out_rate);
	if (r < 0)
		return r;
	limiter_free(c->limiter);
	c->limiter = limiter;
	c->out_rate = out_rate;
	c->n_out = 0;
	c->started = false;
	src_reset(c->src);

	at = at < oldest ? oldest : at > c->n_fed ? c->n_fed : at;
	*ret_from = at * out_rate / c->in_rate;
	while (at < c->n_fed && r == 0) {
		size_t i = (size_t)(at % c->memory_n);
		size_t n = c->memory_n - i;

		n = n < c->n_fed - at ? n : (size_t)(c->n_fed - at);
		r = resample(c, c->memory + i, n, false);
		at += n;
	}
	if (r == 0 && c->finished)
		r = finish_second_half(c);
	if (r < 0)
		return r;
	soften_start(c, 0);
	ret->pcm = c->out;
	ret->n = c->n_out;
	return 0;
}
