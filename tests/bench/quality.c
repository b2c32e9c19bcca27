/* SPDX-License-Identifier: MIT */
/*
 * What a precision costs: a model in f32 draws the tokens of some texts, and
 * the same model in another precision is asked at each step, given f32's
 * tokens so far, how it would have gone on.
 *
 *   quality MODEL TEXTS PRECISION...
 *
 * TEXTS: a file of one text a line. Prints a table in Markdown, a row for each
 * precision and stage: positions, the share in which both find the same token
 * most probable, and the Kullback-Leibler divergence of the other's
 * distribution from f32's, in nats: the mean, and what 99 of 100 stay below.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bark.h"
#include "stages.h"

#define MAX_ROWS 1024 /* of logits that a step makes */
#define MAX_POSITIONS ((size_t)1 << 22)
#define SEED 1

enum { SEMANTIC, COARSE, FINE, STAGES };

static const char *const stage_names[] = {"semantic", "coarse", "fine"};
static const char *const precision_names[] = {
	[BARK_PRECISION_F32] = "f32",
	[BARK_PRECISION_F16] = "f16",
	[BARK_PRECISION_BF16] = "bf16",
	[BARK_PRECISION_INT8] = "int8",
	[BARK_PRECISION_Q4] = "q4",
};

/* --- the two models, step by step --- */

struct side {
	struct bark_model *model;
	struct bark_compute compute;
	struct bk_ops sampling; /* its argmax is one of the hooks below */
	struct bark_timeline timeline;
};

/* Rows of logits of f32's last step and the tokens drawn from them. The hooks
 * have no argument for this. */
static struct {
	const struct bk_ops *ops;
	float temperature;
	uint64_t random;
	size_t n, next;
	struct {
		float *logits;
		size_t n, token;
	} rows[MAX_ROWS];
} last;

struct result {
	size_t same, n;
	float *kl; /* [n] */
};

static struct result *result;
static size_t counted; /* rows of a step that count; the others are padding */

static void die(const char *why)
{
	fprintf(stderr, "quality: %s\n", why);
	exit(1);
}

static double uniform(void)
{
	last.random ^= last.random << 13;
	last.random ^= last.random >> 7;
	last.random ^= last.random << 17;
	return (double)(last.random >> 11) * 0x1p-53;
}

static double partition(const float *x, size_t n, float max, float temperature)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += exp((double)((x[i] - max) / temperature));
	return sum;
}

static size_t draw(const float *x, size_t n)
{
	const float max = x[last.ops->argmax(x, n)];
	double left = uniform() * partition(x, n, max, last.temperature);
	size_t i;

	for (i = 0; i + 1 < n; i++) {
		left -= exp((double)((x[i] - max) / last.temperature));
		if (left < 0)
			break;
	}
	return i;
}

/* Takes the place of f32's argmax: keeps the logits and draws. */
static size_t keep_and_draw(const float *x, size_t n)
{
	if (last.n == MAX_ROWS)
		die("a step of more rows than expected");
	last.rows[last.n].logits = realloc(last.rows[last.n].logits,
					   n * sizeof(*x));
	if (!last.rows[last.n].logits)
		die("out of memory");
	memcpy(last.rows[last.n].logits, x, n * sizeof(*x));
	last.rows[last.n].n = n;
	last.rows[last.n].token = draw(x, n);
	return last.rows[last.n++].token;
}

static double divergence(const float *p, const float *q, size_t n)
{
	const float mp = p[last.ops->argmax(p, n)];
	const float mq = q[last.ops->argmax(q, n)];
	const double zp = partition(p, n, mp, 1), zq = partition(q, n, mq, 1);
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		double a = (double)(p[i] - mp) - log(zp);
		double b = (double)(q[i] - mq) - log(zq);

		sum += exp(a) * (a - b);
	}
	return sum > 0 ? sum : 0;
}

/* Takes the place of the other's: compares, and gives f32's token. */
static size_t compare_and_follow(const float *x, size_t n)
{
	const size_t i = last.next++;

	if (i >= last.n || last.rows[i].n != n)
		die("the models do not go in step");
	if (i < counted) {
		if (result->n == MAX_POSITIONS)
			die("too many texts");
		result->same += last.ops->argmax(last.rows[i].logits, n) ==
				last.ops->argmax(x, n);
		result->kl[result->n++] =
			(float)divergence(last.rows[i].logits, x, n);
	}
	return last.rows[i].token;
}

/* Which rows count is known after f32's step. */
static void compare(struct side sides[2], struct result *to, float temperature,
		    void (*step)(struct bark_timeline *))
{
	const struct bark_timeline *t = &sides[0].timeline;

	last.n = last.next = 0;
	last.temperature = temperature;
	step(&sides[0].timeline);
	counted = last.n;
	if (step == bark_fine_step && t->n_frames + t->fine_base <
					      t->fine_fill + counted)
		counted = t->n_frames + t->fine_base - t->fine_fill;
	result = to;
	step(&sides[1].timeline);
}

static void run_text(struct side sides[2], const char *text,
		     struct result results[STAGES])
{
	const struct bark_timeline *t = &sides[0].timeline;
	const struct bark_config *c = &t->model->config;
	int32_t *ids = calloc(c->semantic.max_input, sizeof(*ids));
	size_t n;

	if (!ids || !t->model->tokenizer ||
	    bark_tokenizer_encode(t->model->tokenizer, text, strlen(text), ids,
				  c->semantic.max_input, &n) < 0)
		die("a text cannot be tokenised");
	for (int i = 0; i < 2; i++)
		bark_timeline_begin(&sides[i].timeline, ids, n);
	free(ids);
	while (bark_semantic_ready(t))
		compare(sides, &results[SEMANTIC],
			c->semantic.sampling.temperature, bark_semantic_step);
	while (bark_coarse_ready(t))
		compare(sides, &results[COARSE],
			c->coarse.sampling.temperature, bark_coarse_step);
	while (bark_fine_ready(t))
		compare(sides, &results[FINE], c->fine.sampling.temperature,
			bark_fine_step);
}

static void open_side(struct side *s, const char *path,
		      enum bark_precision precision,
		      size_t (*hook)(const float *, size_t))
{
	const struct bark_model_options how = {.precision = precision};
	struct bark_timeline_options opts;
	struct bark_error err = {""};

	if (bark_model_open(&s->model, path, &how, &err) < 0)
		die(err.message);
	bk_ops_init(&s->compute.ops, ~0u);
	bark_timeline_defaults(&opts, &s->model->config, BARK_MODE_EXACT);
	/* The end comes where f32 draws it, for both. */
	opts.min_eos_p = 0;
	if (bk_pool_new(&s->compute.pool, 0, 0) < 0 ||
	    bark_timeline_init(&s->timeline, &s->compute, s->model, NULL,
			       &opts) < 0)
		die("out of memory");
	s->sampling = s->compute.ops;
	s->sampling.argmax = hook;
	s->timeline.sampler.ops = &s->sampling;
	s->timeline.sampler.greedy = true;
}

static void close_side(struct side *s)
{
	bark_timeline_clear(&s->timeline);
	bk_pool_free(s->compute.pool);
	bark_model_unref(s->model);
}

/* --- the table --- */

static int order(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void print_result(const char *precision, const char *stage,
			 struct result *r)
{
	double sum = 0;

	if (r->n == 0)
		return;
	qsort(r->kl, r->n, sizeof(*r->kl), order);
	for (size_t i = 0; i < r->n; i++)
		sum += (double)r->kl[i];
	printf("| %s | %s | %zu | %.2f %% | %.5f | %.4f |\n", precision, stage,
	       r->n, 100.0 * (double)r->same / (double)r->n,
	       sum / (double)r->n, (double)r->kl[r->n * 99 / 100]);
}

static void run(const char *model, const char *texts,
		enum bark_precision precision)
{
	struct side sides[2] = {0};
	struct result results[STAGES] = {0};
	char line[1024];
	FILE *file = fopen(texts, "re");

	if (!file)
		die("the texts cannot be opened");
	for (int i = 0; i < STAGES; i++) {
		results[i].kl = malloc(MAX_POSITIONS * sizeof(float));
		if (!results[i].kl)
			die("out of memory");
	}
	open_side(&sides[0], model, BARK_PRECISION_F32, keep_and_draw);
	open_side(&sides[1], model, precision, compare_and_follow);
	last.ops = &sides[0].compute.ops;
	last.random = SEED;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		run_text(sides, line, results);
	}
	for (int i = 0; i < STAGES; i++) {
		print_result(precision_names[precision], stage_names[i],
			     &results[i]);
		free(results[i].kl);
	}
	close_side(&sides[0]);
	close_side(&sides[1]);
	fclose(file);
}

int main(int argc, char **argv)
{
	const size_t known = sizeof(precision_names) /
			     sizeof(precision_names[0]);

	if (argc < 4)
		die("usage: quality MODEL TEXTS PRECISION...");
	printf("| precision | stage | positions | same token | KL, mean | KL, 99 %% |\n"
	       "|---|---|---|---|---|---|\n");
	for (int i = 3; i < argc; i++) {
		size_t p = 0;

		while (p < known && (!precision_names[p] ||
				     strcmp(precision_names[p], argv[i])))
			p++;
		if (p == known)
			die("no such precision");
		run(argv[1], argv[2], (enum bark_precision)p);
		fflush(stdout);
	}
	for (size_t i = 0; i < MAX_ROWS; i++)
		free(last.rows[i].logits);
	return 0;
}
