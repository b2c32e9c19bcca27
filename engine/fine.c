/* SPDX-License-Identifier: MIT */
/*
 * The remaining codebooks by the non-causal network, one pass a codebook.
 * Exact mode takes the whole segment in windows of max_input frames as both
 * references do. Low-latency mode predicts short windows as soon as the
 * frames and a few behind them are there, and keeps all but those few.
 */
#include <math.h>
#include <string.h>

#include "stages.h"

bool bark_fine_done(const struct bark_timeline *t)
{
	return bark_coarse_done(t) && t->n_fine == t->n_frames &&
	       t->fine_book == 0;
}

static int exact(const struct bark_timeline *t)
{
	return t->opts.mode == BARK_MODE_EXACT;
}

/* Small first, for the ear, then larger, as each window computes its history
 * and look-ahead again. */
static size_t wished_frames(const struct bark_timeline *t)
{
	const struct bark_coarse_config *g = &t->model->config.coarse;
	size_t frames = g->window / g->n_codebooks;

	if (t->n_fine == 0)
		return frames > t->opts.fine_lookahead ?
			       frames - t->opts.fine_lookahead : 1;
	if (t->n_fine < (size_t)g->rate)
		return frames;
	return t->n_fine < 3 * (size_t)g->rate ? 2 * frames : 4 * frames;
}

/* Frames that the next low-latency window keeps. */
static size_t chunk_frames(const struct bark_timeline *t)
{
	size_t wished = wished_frames(t);
	size_t most = t->model->config.fine.max_input - t->opts.fine_lookahead;

	return wished < most ? wished : most;
}

bool bark_fine_ready(const struct bark_timeline *t)
{
	if (t->fine_book)
		return true;
	if (bark_coarse_done(t))
		return t->n_fine < t->n_frames;
	return !exact(t) && t->n_frames - t->n_fine >=
				    chunk_frames(t) + t->opts.fine_lookahead;
}

/* The codebooks to predict are unknown in these frames. */
static void mark_unknown(struct bark_timeline *t, size_t from, size_t to,
			 unsigned first_book)
{
	unsigned books = t->model->config.fine.n_total;
	int32_t unknown = (int32_t)t->model->config.codebook_size;

	for (size_t i = from; i < to; i++)
		for (unsigned b = first_book; b < books; b++)
			t->fine[i * books + b] = unknown;
}

static size_t exact_rows(const struct bark_timeline *t)
{
	size_t rows = t->fine_base + t->n_frames;
	size_t least = t->model->config.fine.max_input;

	return rows > least ? rows : least;
}

static size_t exact_windows(const struct bark_timeline *t)
{
	const struct bark_fine_config *g = &t->model->config.fine;
	double over = (double)t->n_frames + (double)t->fine_base -
		      (double)g->max_input;

	return (over > 0 ? (size_t)ceil(over / g->max_history) : 0) + 1;
}

static void begin_exact(struct bark_timeline *t)
{
	const struct bark_fine_config *g = &t->model->config.fine;
	size_t rows = exact_rows(t), hop = t->fine_window * g->max_history;

	if (t->fine_window == 0) {
		mark_unknown(t, t->fine_base, t->fine_base + t->n_frames,
			     t->model->config.coarse.n_codebooks);
		mark_unknown(t, t->fine_base + t->n_frames, rows, 0);
	}
	t->fine_rows = g->max_input;
	t->fine_start = hop < rows - g->max_input ? hop : rows - g->max_input;
	t->fine_fill = t->fine_base + hop < rows - g->max_history ?
			       t->fine_base + hop : rows - g->max_history;
	t->fine_keep = ++t->fine_window == exact_windows(t) ? t->n_frames :
							      t->n_fine;
}

static void begin_early(struct bark_timeline *t)
{
	size_t left = t->n_frames - t->n_fine;
	size_t chunk = chunk_frames(t), ahead = t->opts.fine_lookahead;
	bool last = left < chunk + ahead;
	size_t rows, most = t->model->config.fine.max_input;

	t->fine_fill = t->fine_base + t->n_fine;
	t->fine_start = t->fine_fill > BARK_LL_FINE_HISTORY ?
				t->fine_fill - BARK_LL_FINE_HISTORY : 0;
	rows = t->fine_fill - t->fine_start + (last ? left : chunk + ahead);
	if (rows > most) {
		t->fine_start += rows - most;
		rows = most;
	}
	t->fine_rows = rows;
	t->fine_keep = last ? t->n_frames : t->n_fine + chunk;
	mark_unknown(t, t->fine_fill, t->fine_start + rows,
		     t->model->config.coarse.n_codebooks);
}

/* The network's input for codebook `book`: tables 0..book summed. */
static void embed(struct bark_timeline *t, unsigned book)
{
	const struct bark_gpt_weights *w = &t->model->fine;
	unsigned books = t->model->config.fine.n_total;
	size_t width = t->model->config.fine.gpt.width;
	float *row = t->scratch.a;

	for (size_t i = 0; i < t->fine_rows; i++) {
		const int32_t *codes = t->fine + (t->fine_start + i) * books;
		float *x = t->scratch.x + i * width;

		bark_table_row(t->compute, x, w->tables[0], w->type,
			       (size_t)codes[0], width);
		for (unsigned b = 1; b <= book; b++) {
			bark_table_row(t->compute, row, w->tables[b], w->type,
				       (size_t)codes[b], width);
			t->compute->ops.add(x, row, width);
		}
	}
}

static void predict(struct bark_timeline *t, unsigned book)
{
	const struct bark_config *m = &t->model->config;
	const struct bark_linear *head =
		&t->model->fine.heads[book - m->fine.n_given];
	size_t width = m->fine.gpt.width;
	size_t first = t->fine_fill - t->fine_start;

	embed(t, book);
	bark_gpt_full(t->compute, &m->fine.gpt, &t->model->fine, &t->scratch,
		      t->fine_rows, first);
	for (size_t i = first; i < t->fine_rows; i += BARK_FINE_LOGIT_ROWS) {
		size_t n = t->fine_rows - i < BARK_FINE_LOGIT_ROWS ? t->fine_rows - i :
							   BARK_FINE_LOGIT_ROWS;

		bark_linear_rows(t->compute, &t->scratch.rows, t->logits,
				 m->codebook_size, t->scratch.x + i * width,
				 width, head, 0, m->codebook_size, n);
		for (size_t j = 0; j < n; j++) {
			size_t frame = t->fine_start + i + j;
			size_t code = bark_sample(
				&t->sampler, t->logits + j * m->codebook_size,
				m->codebook_size, &t->opts.fine,
				t->segment, BARK_STAGE_FINE + book,
				(uint32_t)frame);

			t->fine[frame * m->fine.n_total + book] = (int32_t)code;
		}
	}
}

void bark_fine_step(struct bark_timeline *t)
{
	const struct bark_config *m = &t->model->config;

	if (t->fine_book == 0) {
		if (exact(t))
			begin_exact(t);
		else
			begin_early(t);
		t->fine_book = m->coarse.n_codebooks;
	}
	predict(t, t->fine_book);
	if (++t->fine_book < m->fine.n_total)
		return;
	t->fine_book = 0;
	t->n_fine = t->fine_keep;
}

bool bark_timeline_step(struct bark_timeline *t)
{
	if (bark_fine_ready(t))
		bark_fine_step(t);
	else if (bark_coarse_ready(t) &&
		 !(bark_coarse_starved(t) && bark_semantic_ready(t)))
		bark_coarse_step(t);
	else if (bark_semantic_ready(t))
		bark_semantic_step(t);
	else
		return false;
	return true;
}
