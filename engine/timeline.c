/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages.h"


static double coarse_ratio(const struct bark_config *m)
{
	return m->coarse.rate / m->semantic.rate * m->coarse.n_codebooks;
}

size_t bark_timeline_max_frames(const struct bark_model *model,
				unsigned max_semantic)
{
	const struct bark_config *m = &model->config;
	size_t n = max_semantic ? max_semantic : m->semantic.max_new;

	return (size_t)ceil((double)n * coarse_ratio(m) /
			    m->coarse.n_codebooks) + 1;
}

void bark_timeline_defaults(struct bark_timeline_options *ret,
			    const struct bark_config *m, enum bark_mode mode)
{
	bool exact = mode == BARK_MODE_EXACT;
	unsigned most = m->coarse.max_history;

	*ret = (struct bark_timeline_options){
		.mode = mode,
		.semantic = m->semantic.sampling,
		.coarse = m->coarse.sampling,
		.fine = m->fine.sampling,
		.min_eos_p = m->semantic.min_eos_p,
		.coarse_history = exact || most < BARK_LL_COARSE_HISTORY ?
					  most : BARK_LL_COARSE_HISTORY,
		.coarse_window = exact ? m->coarse.window :
					 BARK_LL_COARSE_WINDOW,
		.semantic_ahead = exact ? 0 : BARK_LL_SEMANTIC_AHEAD,
		.fine_lookahead = BARK_LL_FINE_LOOKAHEAD,
	};
}

/* How much of a voice the coarse stage takes, as both references trim. */
static void coarse_history(const struct bark_timeline *t, size_t *ret_semantic,
			   size_t *ret_coarse)
{
	const struct bark_voice *v = t->voice;
	unsigned books = t->model->config.coarse.n_codebooks;
	size_t flat = v->n_coarse * books, n = t->semantic_history;
	size_t even = v->n_semantic - v->n_semantic % 2;
	size_t fit = (size_t)floor((double)flat / t->ratio);

	n = even < n ? even : n;
	n = fit < n ? fit : n;
	*ret_semantic = n;
	*ret_coarse = (size_t)rint((double)n * t->ratio);
	if (*ret_coarse > flat)
		*ret_coarse = flat;
}

static void place_history(struct bark_timeline *t)
{
	const struct bark_config *m = &t->model->config;
	const struct bark_voice *v = t->voice;
	unsigned books = m->coarse.n_codebooks;
	size_t flat = v->n_coarse * books, n_sem, n_coarse;

	coarse_history(t, &n_sem, &n_coarse);
	memcpy(t->semantic, v->semantic + v->n_semantic - n_sem,
	       n_sem * sizeof(*t->semantic));
	t->semantic_base = n_sem;
	/* Both references leave out the last two, for alignment in time. */
	t->coarse_base = n_coarse > 2 ? n_coarse - 2 : 0;
	for (size_t i = 0; i < t->coarse_base; i++) {
		size_t at = flat - n_coarse + i, book = at % books;

		t->coarse[i] = v->coarse[book * v->n_coarse + at / books] +
			       (int32_t)(m->semantic.vocab +
					 book * m->codebook_size);
	}
	t->fine_base = v->n_fine < m->fine.max_history ? v->n_fine :
							 m->fine.max_history;
	for (size_t i = 0; i < t->fine_base; i++)
		for (unsigned b = 0; b < m->fine.n_total; b++)
			t->fine[i * m->fine.n_total + b] =
				v->fine[b * v->n_fine + v->n_fine -
					t->fine_base + i];
}

static int take_memory(struct bark_timeline *t)
{
	const struct bark_config *m = &t->model->config;
	const struct bark_gpt_config *nets[] = { &m->semantic.gpt,
						 &m->coarse.gpt, &m->fine.gpt };
	size_t frames = bark_timeline_max_frames(t->model, t->opts.max_semantic);
	size_t books = m->coarse.n_codebooks, rows, vocab, r;
	enum bk_dtype kv = bark_kv_type(t->model);
	size_t sem_rows = m->semantic.max_input + 1 + t->semantic_cap;
	size_t coarse_rows = m->coarse.max_semantic + 1 +
			     t->opts.coarse_history + t->opts.coarse_window;

	if (sem_rows > m->semantic.gpt.block_size)
		sem_rows = m->semantic.gpt.block_size;
	if (coarse_rows > m->coarse.gpt.block_size ||
	    m->semantic.max_input + 1 >= sem_rows)
		return -EINVAL;
	rows = sem_rows > coarse_rows ? sem_rows : coarse_rows;
	rows = m->fine.max_input > rows ? m->fine.max_input : rows;

	vocab = m->semantic.vocab + 1;
	if (vocab < (size_t)BARK_FINE_LOGIT_ROWS * m->codebook_size)
		vocab = (size_t)BARK_FINE_LOGIT_ROWS * m->codebook_size;

	t->coarse_cap = frames * books;
	t->fine_cap = m->fine.max_history + frames + m->fine.max_input;
	t->text = calloc(m->semantic.max_input, sizeof(*t->text));
	t->semantic = calloc(t->semantic_history + t->semantic_cap,
			     sizeof(*t->semantic));
	t->coarse = calloc((size_t)ceil((double)t->semantic_history * t->ratio) +
				   t->coarse_cap + books, sizeof(*t->coarse));
	t->fine = calloc(t->fine_cap * m->fine.n_total, sizeof(*t->fine));
	t->logits = calloc(vocab, sizeof(*t->logits));
	if (!t->text || !t->semantic || !t->coarse || !t->fine || !t->logits)
		return -ENOMEM;
	r = m->semantic.vocab + 1 > m->codebook_size ? m->semantic.vocab + 1 :
						       m->codebook_size;
	if (bark_sampler_init(&t->sampler, r) < 0 ||
	    bark_scratch_init(&t->scratch, nets, 3, rows,
			      bark_compute_threads(t->compute),
			      t->model->int8) < 0 ||
	    bark_kv_init(&t->semantic_kv, &m->semantic.gpt, kv, sem_rows) < 0 ||
	    bark_kv_init(&t->coarse_kv, &m->coarse.gpt, kv, coarse_rows) < 0 ||
	    bark_kv_init(&t->next_kv, &m->coarse.gpt, kv, coarse_rows) < 0)
		return -ENOMEM;
	t->sampler.ops = &t->compute->ops;
	return 0;
}

/* No context longer than the network has seen, and whole frames. */
static unsigned longest_window(const struct bark_config *m,
			       const struct bark_timeline_options *opts)
{
	unsigned window = m->coarse.window, books = m->coarse.n_codebooks;
	unsigned most = m->coarse.max_history + window;

	if (opts->coarse_history >= most - window ||
	    opts->coarse_window <= window)
		return window;
	most -= opts->coarse_history;
	most = opts->coarse_window < most ? opts->coarse_window : most;
	return most - most % books;
}

int bark_timeline_init(struct bark_timeline *t, struct bark_compute *compute,
		       const struct bark_model *model,
		       const struct bark_voice *voice,
		       const struct bark_timeline_options *opts)
{
	const struct bark_config *m = &model->config;
	int r;

	memset(t, 0, sizeof(*t));
	t->compute = compute;
	t->model = model;
	t->voice = voice;
	t->opts = *opts;
	t->opts.coarse_window = longest_window(m, opts);
	/* A window keeps one frame at least. */
	if (opts->fine_lookahead >= m->fine.max_input)
		t->opts.fine_lookahead = m->fine.max_input - 1;
	t->ratio = coarse_ratio(m);
	t->semantic_history = (size_t)floor(opts->coarse_history / t->ratio);
	t->semantic_cap = opts->max_semantic ? opts->max_semantic :
					       m->semantic.max_new;
	if (t->semantic_history < 1 || t->semantic_cap < 1)
		return -EINVAL;
	r = take_memory(t);
	if (r < 0) {
		bark_timeline_clear(t);
		return r;
	}
	bark_timeline_set_voice(t, voice);
	return 0;
}

void bark_timeline_set_voice(struct bark_timeline *t,
			     const struct bark_voice *voice)
{
	t->voice = voice;
	t->semantic_base = t->coarse_base = t->fine_base = 0;
	if (voice)
		place_history(t);
}

void bark_timeline_take_voice(const struct bark_timeline *t,
			      struct bark_voice *ret)
{
	const struct bark_config *m = &t->model->config;
	size_t n = t->n_fine;

	memcpy(ret->semantic, t->semantic + t->semantic_base,
	       t->n_semantic * sizeof(*ret->semantic));
	for (size_t i = 0; i < n; i++) {
		const int32_t *codes = t->fine +
				       (t->fine_base + i) * m->fine.n_total;

		for (unsigned b = 0; b < m->fine.n_total; b++)
			ret->fine[b * n + i] = codes[b];
		for (unsigned b = 0; b < m->coarse.n_codebooks; b++)
			ret->coarse[b * n + i] = codes[b];
	}
	ret->n_semantic = t->n_semantic;
	ret->n_coarse = ret->n_fine = n;
}

void bark_timeline_clear(struct bark_timeline *t)
{
	free(t->text);
	free(t->semantic);
	free(t->coarse);
	free(t->fine);
	free(t->logits);
	bark_sampler_clear(&t->sampler);
	bark_scratch_clear(&t->scratch);
	bark_kv_clear(&t->semantic_kv);
	bark_kv_clear(&t->coarse_kv);
	bark_kv_clear(&t->next_kv);
	memset(t, 0, sizeof(*t));
}

void bark_timeline_begin(struct bark_timeline *t, const int32_t *ids, size_t n)
{
	size_t most = t->model->config.semantic.max_input;

	t->n_text = n < most ? n : most;
	memcpy(t->text, ids, t->n_text * sizeof(*ids));
	t->n_semantic = t->n_coarse = t->n_frames = t->n_fine = 0;
	t->semantic_begun = t->semantic_done = false;
	t->coarse_left = 0;
	t->coarse_kv_valid = false;
	t->next_kv.n = 0;
	t->fine_window = 0;
	t->fine_book = 0;
}

int bark_timeline_set_semantic(struct bark_timeline *t, const int32_t *tokens,
			       size_t n)
{
	if (n > t->semantic_cap)
		return -E2BIG;
	for (size_t i = 0; i < n; i++) {
		if (tokens[i] < 0 ||
		    (unsigned)tokens[i] >= t->model->config.semantic.vocab)
			return -ERANGE;
		t->semantic[t->semantic_base + i] = tokens[i];
	}
	t->n_semantic = n;
	t->semantic_done = true;
	return 0;
}

/* Codes [books][n] into the frames' first `books` entries. */
static int set_codes(struct bark_timeline *t, const int32_t *codes, size_t n,
		     unsigned books)
{
	const struct bark_config *m = &t->model->config;

	if (n > t->fine_cap - m->fine.max_history - m->fine.max_input)
		return -E2BIG;
	for (size_t i = 0; i < n * books; i++)
		if (codes[i] < 0 || (unsigned)codes[i] >= m->codebook_size)
			return -ERANGE;
	for (size_t i = 0; i < n; i++)
		for (unsigned b = 0; b < books; b++)
			t->fine[(t->fine_base + i) * m->fine.n_total + b] =
				codes[b * n + i];
	t->n_frames = n;
	/* The earlier stages are done whatever they have. */
	t->semantic_done = true;
	t->coarse_left = 0;
	t->n_coarse = n * m->coarse.n_codebooks;
	if (t->n_coarse < bark_coarse_wanted(t))
		t->n_semantic = 0;
	return 0;
}

int bark_timeline_set_coarse(struct bark_timeline *t, const int32_t *codes,
			     size_t n_frames)
{
	return set_codes(t, codes, n_frames,
			 t->model->config.coarse.n_codebooks);
}

int bark_timeline_set_fine(struct bark_timeline *t, const int32_t *codes,
			   size_t n_frames)
{
	int r = set_codes(t, codes, n_frames, t->model->config.fine.n_total);

	if (r < 0)
		return r;
	t->n_fine = n_frames;
	return 0;
}
