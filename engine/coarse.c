/* SPDX-License-Identifier: MIT */
/*
 * Semantic tokens to the first codebooks, alternating. Every `window` tokens
 * the context is built anew from a slice of semantic tokens and the tail of
 * the codes; while neither has moved, the keys and values stay valid.
 *
 * Low-latency mode has a short tail, so that its windows can be longer than
 * the model's within the positions that the network knows. They grow with
 * what was said: the first must wait for little, and most of the work is in
 * building contexts.
 */
#include <math.h>

#include "stages.h"

size_t bark_coarse_wanted(const struct bark_timeline *t)
{
	unsigned books = t->model->config.coarse.n_codebooks;

	/* Whole frames, as both references round. */
	return (size_t)floor((double)t->n_semantic * t->ratio / books) * books;
}

/* Index in t->semantic where the window that starts now has its present. */
static size_t present(const struct bark_timeline *t)
{
	/* Half to even, as Python's round(). */
	return t->semantic_base + (size_t)rint((double)t->n_coarse / t->ratio);
}

static size_t slice_begin(const struct bark_timeline *t)
{
	size_t now = present(t);

	return now > t->semantic_history ? now - t->semantic_history : 0;
}

/* Tokens of the window that starts now. */
static size_t window_length(const struct bark_timeline *t)
{
	size_t least = t->model->config.coarse.window;
	size_t n = t->n_coarse > least ? t->n_coarse : least;

	return n < t->opts.coarse_window ? n : t->opts.coarse_window;
}

static size_t slice_length(const struct bark_timeline *t)
{
	const struct bark_coarse_config *g = &t->model->config.coarse;
	size_t most = g->max_semantic;
	size_t longer = window_length(t) - g->window;
	size_t bounded = present(t) - slice_begin(t) + t->opts.semantic_ahead +
			 (size_t)ceil((double)longer / t->ratio);

	return t->opts.semantic_ahead && bounded < most ? bounded : most;
}

bool bark_coarse_done(const struct bark_timeline *t)
{
	return t->semantic_done && t->coarse_left == 0 &&
	       t->n_coarse >= bark_coarse_wanted(t);
}

bool bark_coarse_ready(const struct bark_timeline *t)
{
	size_t window = window_length(t);
	size_t wanted = bark_coarse_wanted(t);

	if (t->coarse_left > 0)
		return true;
	if (t->semantic_done)
		return t->n_coarse < wanted;
	/* What the window sees must be final, and it must be a whole one. */
	return t->semantic_base + t->n_semantic >=
		       slice_begin(t) + slice_length(t) &&
	       wanted >= t->n_coarse + window;
}

/* Embeds slice, infer token and tail; returns the number of rows. */
static size_t embed_window(struct bark_timeline *t, size_t tail_start)
{
	const struct bark_coarse_config *g = &t->model->config.coarse;
	const struct bark_gpt_weights *w = &t->model->coarse;
	size_t begin = slice_begin(t), length = slice_length(t);
	size_t end = t->semantic_base + t->n_semantic;
	size_t total = t->coarse_base + t->n_coarse;
	float *x = t->scratch.x;

	for (size_t i = 0; i < g->max_semantic; i++, x += g->gpt.width) {
		bool known = i < length && begin + i < end;
		size_t id = known ? (size_t)t->semantic[begin + i] :
				    g->semantic_pad;

		bark_table_row(t->compute, x, w->tables[0], w->type, id,
			       g->gpt.width);
	}
	bark_table_row(t->compute, x, w->tables[0], w->type, g->infer,
		       g->gpt.width);
	x += g->gpt.width;
	for (size_t i = tail_start; i < total; i++, x += g->gpt.width)
		bark_table_row(t->compute, x, w->tables[0], w->type,
			       (size_t)t->coarse[i], g->gpt.width);
	return g->max_semantic + 1 + total - tail_start;
}

/* Appends the newest code to the cache. */
static void append_last(struct bark_timeline *t)
{
	const struct bark_coarse_config *g = &t->model->config.coarse;
	const struct bark_gpt_weights *w = &t->model->coarse;
	int32_t last = t->coarse[t->coarse_base + t->n_coarse - 1];

	bark_table_row(t->compute, t->scratch.x, w->tables[0], w->type,
		       (size_t)last, g->gpt.width);
	bark_gpt_causal(t->compute, &g->gpt, w, &t->coarse_kv, &t->scratch, 1);
}

static void begin_window(struct bark_timeline *t)
{
	const struct bark_coarse_config *g = &t->model->config.coarse;
	size_t total = t->coarse_base + t->n_coarse;
	size_t tail = total > t->opts.coarse_history ?
			      total - t->opts.coarse_history : 0;
	size_t left = bark_coarse_wanted(t) - t->n_coarse;
	size_t window = window_length(t);
	size_t slice = slice_begin(t);
	/* A bounded slice grows with each window, so its pads move. */
	bool same = t->coarse_kv_valid && slice == t->slice_start &&
		    tail == t->tail_start &&
		    (t->opts.semantic_ahead == 0 ||
		     slice_length(t) == g->max_semantic);

	t->coarse_left = left < window ? left : window;
	if (same) {
		append_last(t);
		return;
	}
	t->slice_start = slice;
	t->tail_start = tail;
	t->coarse_kv_valid = t->opts.semantic_ahead == 0 ||
			     slice_length(t) == g->max_semantic;
	t->coarse_kv.n = 0;
	bark_gpt_causal(t->compute, &g->gpt, &t->model->coarse, &t->coarse_kv,
			&t->scratch, embed_window(t, tail));
}

void bark_coarse_step(struct bark_timeline *t)
{
	const struct bark_config *m = &t->model->config;
	const struct bark_coarse_config *g = &m->coarse;
	size_t book = t->n_coarse % g->n_codebooks, first, code;

	if (t->coarse_left == 0)
		begin_window(t);
	else
		append_last(t);
	/* Only this codebook's rows can be drawn: compute no others. */
	first = m->semantic.vocab + book * m->codebook_size;
	bark_linear_rows(t->compute, &t->scratch.rows, t->logits,
			 m->codebook_size, t->scratch.x, g->gpt.width,
			 &t->model->coarse.heads[0], first, m->codebook_size,
			 1);
	code = bark_sample(&t->sampler, t->logits, m->codebook_size,
			   &t->opts.coarse, t->segment,
			   BARK_STAGE_COARSE, (uint32_t)t->n_coarse);
	t->coarse[t->coarse_base + t->n_coarse++] = (int32_t)(first + code);
	t->coarse_left--;
	if (book + 1 == g->n_codebooks) {
		size_t frame = t->fine_base + t->n_frames++;
		int32_t *to = t->fine + frame * m->fine.n_total;
		const int32_t *from = t->coarse + t->coarse_base +
				      t->n_coarse - g->n_codebooks;

		for (unsigned i = 0; i < g->n_codebooks; i++)
			to[i] = from[i] - (int32_t)(m->semantic.vocab +
						    i * m->codebook_size);
	}
}
