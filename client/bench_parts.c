/* SPDX-License-Identifier: MIT */
#include "bench_parts.h"

#include <string.h>

#include "gpt.h"
#include "session.h"

#define STEPS 20
#define WINDOWS 2

struct parts {
	struct bark_compute *compute;
	const struct bark_model *model;
	struct bark_scratch scratch;
};

static size_t at_most(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Embeddings of any tokens do. */
static void fill(struct parts *p, size_t rows, size_t width)
{
	for (size_t i = 0; i < rows * width; i++)
		p->scratch.x[i] = (float)(i * 7919 % 1021) / 1021 - 0.5f;
}

static void keep_best(struct bench_figure *f, double seconds)
{
	if (f->seconds == 0 || seconds < f->seconds)
		f->seconds = seconds;
}

/* The work of the last of n equal rounds. */
static struct bark_work share(const struct bark_compute *c,
			      const struct bark_work *before, size_t n)
{
	return (struct bark_work){
		(c->work.operations - before->operations) / (double)n,
		(c->work.bytes - before->bytes) / (double)n,
	};
}

static int causal(struct parts *p, const struct bark_gpt_config *g,
		  const struct bark_gpt_weights *w, struct bench_figure *step,
		  struct bench_figure *prefill)
{
	struct bark_work before;
	struct bark_kv kv;
	int r;

	step->rows = at_most(BENCH_CONTEXT, g->block_size - STEPS);
	prefill->rows = at_most(BENCH_PREFILL, g->block_size);
	r = bark_kv_init(&kv, g, bark_kv_type(p->model),
			 prefill->rows > step->rows + STEPS ?
				 prefill->rows : step->rows + STEPS);
	if (r < 0)
		return r;
	before = p->compute->work;
	for (int i = 0; i < WINDOWS; i++) {
		double at;

		kv.n = 0;
		fill(p, prefill->rows, g->width);
		at = bark_now();
		bark_gpt_causal(p->compute, g, w, &kv, &p->scratch,
				prefill->rows);
		keep_best(prefill, bark_now() - at);
	}
	prefill->work = share(p->compute, &before, WINDOWS);
	kv.n = 0;
	fill(p, step->rows, g->width);
	bark_gpt_causal(p->compute, g, w, &kv, &p->scratch, step->rows);
	before = p->compute->work;
	for (int i = 0; i < STEPS; i++) {
		double at;

		fill(p, 1, g->width);
		at = bark_now();
		bark_gpt_causal(p->compute, g, w, &kv, &p->scratch, 1);
		keep_best(step, bark_now() - at);
	}
	step->work = share(p->compute, &before, STEPS);
	bark_kv_clear(&kv);
	return 0;
}

static void fine(struct parts *p, struct bench_figure *f)
{
	const struct bark_fine_config *g = &p->model->config.fine;
	const struct bark_work before = p->compute->work;
	/* The first codebooks are the coarse stage's. */
	const unsigned passes = g->n_total -
				p->model->config.coarse.n_codebooks;

	/* Passes differ in nothing: one stands for all. */
	f->rows = g->max_input;
	for (int i = 0; i < WINDOWS; i++) {
		double at;

		fill(p, f->rows, g->gpt.width);
		at = bark_now();
		bark_gpt_full(p->compute, &g->gpt, &p->model->fine, &p->scratch,
			      f->rows, 0);
		keep_best(f, (bark_now() - at) * passes);
	}
	f->work = share(p->compute, &before, WINDOWS);
	f->work.operations *= passes;
	f->work.bytes *= passes;
}

int bench_parts(struct bench_figure ret[BENCH_PARTS],
		struct bark_compute *compute, const struct bark_model *model)
{
	const struct bark_config *m = &model->config;
	const struct bark_gpt_config *nets[] = { &m->semantic.gpt,
						 &m->coarse.gpt, &m->fine.gpt };
	struct parts p = { .compute = compute, .model = model };
	struct bench_figure unused = { 0 };
	size_t rows = m->fine.max_input;
	int r;

	memset(ret, 0, BENCH_PARTS * sizeof(*ret));
	for (int i = 0; i < 2; i++)
		if (rows < nets[i]->block_size)
			rows = nets[i]->block_size;
	r = bark_scratch_init(&p.scratch, nets, 3, rows,
			      bk_pool_threads(compute->pool), model->int8);
	if (r == 0)
		r = causal(&p, nets[0], &model->semantic,
			   &ret[PART_SEMANTIC_STEP], &unused);
	if (r == 0)
		r = causal(&p, nets[1], &model->coarse, &ret[PART_COARSE_STEP],
			   &ret[PART_COARSE_PREFILL]);
	if (r == 0)
		fine(&p, &ret[PART_FINE_WINDOW]);
	bark_scratch_clear(&p.scratch);
	return r;
}
