/* SPDX-License-Identifier: MIT */
#include "codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Frames decoded at once: bounds the widest buffers and keeps them cached. */
#define CODEC_FRAMES 16

/* A convolution's input: pad rows of the past, then the rows at hand. */
struct tape {
	float *rows;     /* [pad + cap][width] */
	size_t pad, width;
	bool started;    /* the past holds real rows */
};

struct codec_lstm {
	float *h, *c;    /* [width] */
};

struct codec_res {
	struct tape in_1, in_2;
};

struct bark_codec {
	struct bark_compute *compute;
	const struct bark_model *model;
	size_t batch;    /* frames decoded at once */
	struct tape first, last;
	struct codec_lstm lstm[BARK_MAX_LSTM];
	float *overlap[BARK_MAX_RATIOS]; /* [stride][c_out] of the frame before */
	struct codec_res res[BARK_MAX_RATIOS][4];
	float *a, *b, *wide, *gates, *patch;
	void *storage[128];
	size_t n_storage;
};

static float *take(struct bark_codec *c, size_t n)
{
	float *p = c->n_storage < sizeof(c->storage) / sizeof(*c->storage) ?
			   calloc(n ? n : 1, sizeof(float)) : NULL;

	if (p)
		c->storage[c->n_storage++] = p;
	return p;
}

static int make_tape(struct bark_codec *c, struct tape *t,
		     const struct bark_conv *conv, size_t cap)
{
	t->pad = (size_t)(conv->kernel - 1) * conv->dilation;
	t->width = conv->c_in;
	t->rows = take(c, (t->pad + cap) * t->width);
	return t->rows ? 0 : -ENOMEM;
}

static int take_buffers(struct bark_codec *c)
{
	const struct bark_codec_config *g = &c->model->config.codec;
	const struct bark_codec_weights *w = &c->model->codec;
	size_t rows = c->batch, n_ab = rows * w->lstm_width, n_wide = 0;
	size_t n_patch = 0;

	if (make_tape(c, &c->first, &w->first, rows) < 0)
		return -ENOMEM;
	if (rows * g->dim > n_ab)
		n_ab = rows * g->dim;
	for (unsigned i = 0; i < g->n_lstm; i++) {
		c->lstm[i].h = take(c, w->lstm_width);
		c->lstm[i].c = take(c, w->lstm_width);
		if (!c->lstm[i].h || !c->lstm[i].c)
			return -ENOMEM;
	}
	for (unsigned i = 0; i < g->n_ratios; i++) {
		const struct bark_upconv *up = &w->up[i];
		size_t n = rows * up->kernel * up->c_out;

		n_wide = n > n_wide ? n : n_wide;
		rows *= up->stride;
		n_ab = rows * up->c_out > n_ab ? rows * up->c_out : n_ab;
		c->overlap[i] = take(c, (size_t)up->stride * up->c_out);
		if (!c->overlap[i])
			return -ENOMEM;
		for (unsigned j = 0; j < g->n_residual; j++) {
			const struct bark_resunit *r = &w->res[i][j];

			if (make_tape(c, &c->res[i][j].in_1, &r->conv_1, rows) ||
			    make_tape(c, &c->res[i][j].in_2, &r->conv_2, rows))
				return -ENOMEM;
			if (r->conv_1.dilation > 1 &&
			    (size_t)r->conv_1.kernel * r->conv_1.c_in > n_patch)
				n_patch = (size_t)r->conv_1.kernel *
					  r->conv_1.c_in;
		}
	}
	if (make_tape(c, &c->last, &w->last, rows) < 0)
		return -ENOMEM;
	c->a = take(c, n_ab);
	c->b = take(c, n_ab);
	c->wide = take(c, n_wide);
	c->gates = take(c, (c->batch + 1) * 4 * w->lstm_width);
	c->patch = take(c, n_patch);
	return c->a && c->b && c->wide && c->gates && c->patch ? 0 : -ENOMEM;
}

int bark_codec_new(struct bark_codec **ret, struct bark_compute *compute,
		   const struct bark_model *model)
{
	struct bark_codec *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->compute = compute;
	c->model = model;
	c->batch = bark_codec_first_frames(c);
	if (c->batch < CODEC_FRAMES)
		c->batch = CODEC_FRAMES;
	r = take_buffers(c);
	if (r < 0) {
		bark_codec_free(c);
		return r;
	}
	bark_codec_reset(c);
	*ret = c;
	return 0;
}

void bark_codec_free(struct bark_codec *codec)
{
	if (!codec)
		return;
	for (size_t i = 0; i < codec->n_storage; i++)
		free(codec->storage[i]);
	free(codec);
}

void bark_codec_reset(struct bark_codec *c)
{
	const struct bark_codec_config *g = &c->model->config.codec;
	size_t width = c->model->codec.lstm_width;

	c->first.started = c->last.started = false;
	for (unsigned i = 0; i < g->n_lstm; i++) {
		memset(c->lstm[i].h, 0, width * sizeof(float));
		memset(c->lstm[i].c, 0, width * sizeof(float));
	}
	for (unsigned i = 0; i < g->n_ratios; i++) {
		const struct bark_upconv *up = &c->model->codec.up[i];

		memset(c->overlap[i], 0,
		       (size_t)up->stride * up->c_out * sizeof(float));
		for (unsigned j = 0; j < g->n_residual; j++)
			c->res[i][j].in_1.started =
				c->res[i][j].in_2.started = false;
	}
}

/* Frames whose rows at a layer reach past that layer's reflection. */
static size_t frames_for(size_t pad, size_t rows_per_frame)
{
	return (pad + rows_per_frame) / rows_per_frame;
}

size_t bark_codec_first_frames(const struct bark_codec *c)
{
	const struct bark_codec_config *g = &c->model->config.codec;
	const struct bark_codec_weights *w = &c->model->codec;
	size_t most = frames_for(w->first.kernel - 1, 1), per_frame = 1, n;

	for (unsigned i = 0; i < g->n_ratios; i++) {
		per_frame *= w->up[i].stride;
		for (unsigned j = 0; j < g->n_residual; j++) {
			const struct bark_conv *v = &w->res[i][j].conv_1;

			n = frames_for((size_t)(v->kernel - 1) * v->dilation,
				       per_frame);
			most = n > most ? n : most;
		}
	}
	n = frames_for(w->last.kernel - 1, per_frame);
	return n > most ? n : most;
}

/*
 * Sets up the rows before the first n: reflected around row 0, as if zeros
 * followed an input too short for that (encodec's pad1d), or zeros.
 */
static void start_tape(struct tape *t, size_t n, bool reflect)
{
	for (size_t i = 0; i < t->pad; i++) {
		float *row = t->rows + i * t->width;
		size_t source = t->pad - i; /* distance from row 0 */

		if (reflect && source < n)
			memcpy(row, t->rows + (t->pad + source) * t->width,
			       t->width * sizeof(float));
		else
			memset(row, 0, t->width * sizeof(float));
	}
	t->started = true;
}

static float *tape_input(const struct tape *t)
{
	return t->rows + t->pad * t->width;
}

/* y[n][c_out] from the n rows placed at tape_input(t). */
static void convolve(struct bark_codec *c, const struct bark_conv *v,
		     struct tape *t, float *y, size_t n)
{
	size_t k = (size_t)v->kernel * v->c_in;

	if (!t->started)
		start_tape(t, n, c->model->config.codec.pad_reflect);
	if (v->dilation == 1) {
		bark_product(c->compute, y, v->c_out, t->rows, v->c_in, v->w,
			     v->bias, n, v->c_out, k);
	} else {
		for (size_t i = 0; i < n; i++) {
			for (unsigned tap = 0; tap < v->kernel; tap++)
				memcpy(c->patch + tap * v->c_in,
				       t->rows + (i + (size_t)tap * v->dilation) *
							 v->c_in,
				       v->c_in * sizeof(float));
			bark_product(c->compute, y + i * v->c_out, v->c_out,
				     c->patch, k, v->w, v->bias, 1, v->c_out,
				     k);
		}
	}
	memmove(t->rows, t->rows + n * t->width,
		t->pad * t->width * sizeof(float));
}

static void run_lstm(struct bark_codec *c, float *x, size_t n)
{
	const struct bark_codec_weights *w = &c->model->codec;
	unsigned layers = c->model->config.codec.n_lstm;
	size_t width = w->lstm_width;
	float *recurrent = c->gates + c->batch * 4 * width;

	/* The output is the last layer's plus the input (a skip). */
	memcpy(c->b, x, n * width * sizeof(float));
	for (unsigned i = 0; i < layers; i++) {
		const struct bark_lstm_layer *l = &w->lstm[i];
		struct codec_lstm *s = &c->lstm[i];

		bark_product(c->compute, c->gates, 4 * width, c->b, width,
			     l->w_ih, l->bias, n, 4 * width, width);
		for (size_t t = 0; t < n; t++) {
			float *gates = c->gates + t * 4 * width;

			bark_product(c->compute, recurrent, 4 * width, s->h,
				     width, l->w_hh, NULL, 1, 4 * width, width);
			c->compute->ops.add(gates, recurrent, 4 * width);
			c->compute->ops.lstm_cell(s->h, s->c, gates, width);
			memcpy(c->b + t * width, s->h, width * sizeof(float));
		}
	}
	if (layers)
		c->compute->ops.add(x, c->b, n * width);
}

/* y[n * stride][c_out] from x[n][c_in]; x is overwritten by ELU(x). */
static void upsample(struct bark_codec *c, unsigned ratio, float *x, float *y,
		     size_t n)
{
	const struct bark_upconv *up = &c->model->codec.up[ratio];
	size_t frame = (size_t)up->stride * up->c_out;
	float *before = c->overlap[ratio];

	c->compute->ops.elu(x, x, n * up->c_in);
	bark_product(c->compute, c->wide, 2 * frame, x, up->c_in, up->w, NULL,
		     n, 2 * frame, up->c_in);
	for (size_t t = 0; t < n; t++) {
		const float *taps = c->wide + t * 2 * frame;
		float *out = y + t * frame;

		for (size_t i = 0; i < up->stride; i++)
			memcpy(out + i * up->c_out, up->bias,
			       up->c_out * sizeof(float));
		c->compute->ops.add(out, taps, frame);
		c->compute->ops.add(out, before, frame);
		before = c->wide + t * 2 * frame + frame;
	}
	memcpy(c->overlap[ratio], before, frame * sizeof(float));
}

/* x[n][width] in place. */
static void residual(struct bark_codec *c, unsigned ratio, unsigned unit,
		     float *x, float *t, size_t n)
{
	const struct bark_resunit *r = &c->model->codec.res[ratio][unit];
	struct codec_res *s = &c->res[ratio][unit];
	size_t width = r->conv_1.c_in;

	c->compute->ops.elu(tape_input(&s->in_1), x, n * width);
	convolve(c, &r->conv_1, &s->in_1, t, n);
	c->compute->ops.elu(tape_input(&s->in_2), t, n * r->conv_2.c_in);
	convolve(c, &r->conv_2, &s->in_2, t, n);
	if (r->shortcut.w) {
		bark_product(c->compute, c->wide, width, x, width,
			     r->shortcut.w, r->shortcut.bias, n, width, width);
		memcpy(x, c->wide, n * width * sizeof(float));
	}
	c->compute->ops.add(x, t, n * width);
}

static void decode_batch(struct bark_codec *c, const int32_t *codes, size_t n,
			 float *pcm)
{
	const struct bark_config *m = &c->model->config;
	const struct bark_codec_weights *w = &c->model->codec;
	float *x = tape_input(&c->first), *a = c->a, *b = c->b;

	memset(x, 0, n * m->codec.dim * sizeof(float));
	for (size_t i = 0; i < n; i++)
		for (unsigned book = 0; book < m->fine.n_total; book++)
			c->compute->ops.add(
				x + i * m->codec.dim,
				w->codebooks[book] +
					(size_t)codes[i * m->fine.n_total + book] *
						m->codec.dim,
				m->codec.dim);
	convolve(c, &w->first, &c->first, a, n);
	run_lstm(c, a, n);
	for (unsigned i = 0; i < m->codec.n_ratios; i++) {
		float *t;

		upsample(c, i, a, b, n);
		n *= w->up[i].stride;
		for (unsigned j = 0; j < m->codec.n_residual; j++)
			residual(c, i, j, b, a, n);
		t = a;
		a = b;
		b = t;
	}
	c->compute->ops.elu(tape_input(&c->last), a, n * w->last.c_in);
	convolve(c, &w->last, &c->last, pcm, n);
}

void bark_codec_decode(struct bark_codec *c, const int32_t *codes, size_t n,
		       float *pcm)
{
	const struct bark_config *m = &c->model->config;

	while (n > 0) {
		size_t part = n < c->batch ? n : c->batch;

		decode_batch(c, codes, part, pcm);
		codes += part * m->fine.n_total;
		pcm += part * m->codec.hop;
		n -= part;
	}
}
