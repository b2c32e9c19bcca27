/* SPDX-License-Identifier: MIT */
/*
 * Semantic tokens to the first codebooks, alternating. Every `window` tokens
 * the context is built anew from a slice of semantic tokens and the tail of
 * the codes; while neither has moved, the keys and values stay valid.
 *
 * The context of the window that follows is built beside the steps of the one
 * in progress, a few rows at each: a step is bound by reading the weights, so
 * these rows cost only their arithmetic.
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

/* What a context is built from. */
struct window {
	size_t at;     /* coarse tokens before it */
	size_t begin, length; /* of the slice of t->semantic */
	size_t tail;   /* index in t->coarse */
};

/* Tokens of the window that starts behind `at` tokens. */
static size_t window_length(const struct bark_timeline *t, size_t at)
{
	size_t least = t->model->config.coarse.window;
	size_t n = at > least ? at : least;

	return n < t->opts.coarse_window ? n : t->opts.coarse_window;
}

static struct window describe(const struct bark_timeline *t, size_t at)
{
	const struct bark_coarse_config *g = &t->model->config.coarse;
	/* Index in t->semantic of the present. Half to even, as Python's
	 * round(). */
	size_t now = t->semantic_base + (size_t)rint((double)at / t->ratio);
	size_t total = t->coarse_base + at, most = g->max_semantic, bounded;
	size_t longer = window_length(t, at) - g->window;
	struct window w = { .at = at };

	w.begin = now > t->semantic_history ? now - t->semantic_history : 0;
	bounded = now - w.begin + t->opts.semantic_ahead +
		  (size_t)ceil((double)longer / t->ratio);
	w.length = t->opts.semantic_ahead && bounded < most ? bounded : most;
	w.tail = total > t->opts.coarse_history ?
			 total - t->opts.coarse_history : 0;
	return w;
}

/* Whether what a window sees of the semantic tokens is final. */
static bool is_final(const struct bark_timeline *t, const struct window *w)
{
	return t->semantic_done ||
	       t->semantic_base + t->n_semantic >= w->begin + w->length;
}

bool bark_coarse_done(const struct bark_timeline *t)
{
	return t->semantic_done && t->coarse_left == 0 &&
	       t->n_coarse >= bark_coarse_wanted(t);
}

bool bark_coarse_ready(const struct bark_timeline *t)
{
	struct window w = describe(t, t->n_coarse);
	size_t wanted = bark_coarse_wanted(t);

	if (t->coarse_left > 0)
		return true;
	if (t->semantic_done)
		return t->n_coarse < wanted;
	/* It must be a whole one. */
	return is_final(t, &w) &&
	       wanted >= t->n_coarse + window_length(t, t->n_coarse);
}

/* Whether the cache in use serves that window too. A bounded slice grows with
 * each window, so its pads move. */
static bool same_context(const struct bark_timeline *t, const struct window *w)
{
	return t->coarse_kv_valid && w->begin == t->slice_start &&
	       w->tail == t->tail_start &&
	       w->length == t->model->config.coarse.max_semantic;
}

/* Rows of a window's context that are known: slice, infer token and tail. */
static size_t known_rows(const struct bark_timeline *t, const struct window *w)
{
	size_t total = t->coarse_base + t->n_coarse;

	return t->model->config.coarse.max_semantic + 1 +
	       (total > w->tail ? total - w->tail : 0);
}

/* Embeds rows from..from + n - 1 of a window's context into x. */
static void embed_rows(struct bark_timeline *t, const struct window *win,
		       float *x, size_t from, size_t n)
{
	const struct bark_coarse_config *g = &t->model->config.coarse;
	const struct bark_gpt_weights *w = &t->model->coarse;
	size_t end = t->semantic_base + t->n_semantic;

	for (size_t i = from; i < from + n; i++, x += g->gpt.width) {
		size_t id;

		if (i < g->max_semantic)
			id = i < win->length && win->begin + i < end ?
				     (size_t)t->semantic[win->begin + i] :
				     g->semantic_pad;
		else if (i == g->max_semantic)
			id = g->infer;
		else
			id = (size_t)t->coarse[win->tail + i -
					       g->max_semantic - 1];
		bark_table_row(t->compute, x, w->tables[0], w->type, id,
			       g->gpt.width);
	}
}

/* While the first second of sound is awaited, nothing is done in advance. */
static bool may_prepare(const struct bark_timeline *t)
{
	const struct bark_coarse_config *g = &t->model->config.coarse;

	return t->opts.mode == BARK_MODE_EXACT || t->segment > 0 ||
	       t->n_coarse >= (size_t)g->rate * g->n_codebooks;
}

bool bark_coarse_starved(const struct bark_timeline *t)
{
	struct window next;

	if (t->coarse_left > 0 || !may_prepare(t))
		return false;
	next = describe(t, t->n_coarse + window_length(t, t->n_coarse));
	return !is_final(t, &next);
}

/*
 * Embeds into x what is to be appended to the next window's context beside
 * the next step of this one: the context is complete when this window is.
 * Returns the number of rows.
 */
static size_t prepare_next(struct bark_timeline *t, float *x)
{
	struct window next = describe(t, t->n_coarse + t->coarse_left);
	size_t rows, known, n;

	if (!may_prepare(t) || same_context(t, &next) || !is_final(t, &next) ||
	    (t->semantic_done && next.at >= bark_coarse_wanted(t)))
		return 0;
	if (t->next_at != next.at) {
		t->next_at = next.at;
		t->next_kv.n = 0;
	}
	/* The last row is the next window's first step. */
	rows = t->model->config.coarse.max_semantic + t->coarse_base + next.at -
	       next.tail;
	known = known_rows(t, &next);
	n = (rows - t->next_kv.n + t->coarse_left - 1) / t->coarse_left;
	if (n > known - t->next_kv.n)
		n = known - t->next_kv.n;
	embed_rows(t, &next, x, t->next_kv.n, n);
	return n;
}

/* Appends the newest code to the cache, leaving what the next is drawn from. */
static void append_last(struct bark_timeline *t)
{
	const struct bark_coarse_config *g = &t->model->config.coarse;
	const struct bark_gpt_weights *w = &t->model->coarse;
	int32_t last = t->coarse[t->coarse_base + t->n_coarse - 1];
	float *x = t->scratch.x;
	struct bark_lane lanes[2] = {
		{ &t->next_kv, prepare_next(t, x) }, { &t->coarse_kv, 1 },
	};
	bool alone = lanes[0].m == 0;

	bark_table_row(t->compute, x + lanes[0].m * g->gpt.width, w->tables[0],
		       w->type, (size_t)last, g->gpt.width);
	bark_gpt_lanes(t->compute, &g->gpt, w, lanes + alone, 2 - alone,
		       &t->scratch);
}

static void begin_window(struct bark_timeline *t)
{
	const struct bark_coarse_config *g = &t->model->config.coarse;
	struct window w = describe(t, t->n_coarse);
	size_t left = bark_coarse_wanted(t) - t->n_coarse;
	size_t length = window_length(t, t->n_coarse), rows;

	t->coarse_left = left < length ? left : length;
	if (same_context(t, &w)) {
		append_last(t);
		return;
	}
	t->slice_start = w.begin;
	t->tail_start = w.tail;
	t->coarse_kv_valid = w.length == g->max_semantic;
	t->coarse_kv.n = 0;
	if (t->next_kv.n > 0 && t->next_at == w.at) {
		struct bark_kv other = t->coarse_kv;

		t->coarse_kv = t->next_kv;
		t->next_kv = other;
	}
	rows = known_rows(t, &w) - t->coarse_kv.n;
	embed_rows(t, &w, t->scratch.x, t->coarse_kv.n, rows);
	bark_gpt_causal(t->compute, &g->gpt, &t->model->coarse, &t->coarse_kv,
			&t->scratch, rows);
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
