/* SPDX-License-Identifier: MIT */
#include "peaks.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"

#define SECONDS 0.25
/* More than any cache that a share of two cores has. */
#define MEMORY ((size_t)256 << 20)
/* A product of which weights, inputs and outputs lie in the first caches. */
#define ROWS 48
#define COLUMNS 64
#define DEPTH 256

struct reading {
	const uint64_t *words;
	size_t n;
	_Atomic uint64_t sum; /* so that the reads are not left out */
};

static void read_part(void *arg, size_t part, size_t parts)
{
	struct reading *r = arg;
	const size_t n = r->n / parts / 8 * 8;
	const uint64_t *p = r->words + part * n;
	uint64_t sums[8] = {0}, sum = 0;

	for (size_t i = 0; i < n; i += 8)
		for (size_t j = 0; j < 8; j++)
			sums[j] += p[i + j];
	for (size_t j = 0; j < 8; j++)
		sum += sums[j];
	r->sum += sum;
}

struct multiplying {
	const struct bk_ops *ops;
	struct bk_i8 w8;
	float *x, *w, *y; /* y: [threads][ROWS][COLUMNS] */
	int8_t *q, *packed;
	float *scale, *scales;
	int32_t *sums;
	unsigned rounds;
};

static void multiply_part(void *arg, size_t part, size_t parts)
{
	struct multiplying *m = arg;
	float *y = m->y + part * ROWS * COLUMNS;
	const size_t groups = bk_i8_groups(DEPTH);

	for (unsigned i = 0; i < m->rounds; i++) {
		if (m->packed)
			m->ops->gemm_i8(y, COLUMNS, m->q, groups * BK_I8_GROUP,
					m->scale, groups, &m->w8, NULL, ROWS,
					0, COLUMNS);
		else
			m->ops->gemm[BK_F32](y, COLUMNS, m->x, DEPTH, m->w,
					     DEPTH, NULL, ROWS, COLUMNS,
					     DEPTH);
	}
}

/* Runs a task again and again; work: what one run does. */
static double rate(struct bark_compute *c, bk_task task, void *arg, double work)
{
	const size_t threads = bk_pool_threads(c->pool);
	double start, end, best = 0;

	bk_pool_run(c->pool, task, arg, threads);
	start = bark_now();
	do {
		const double from = bark_now();

		bk_pool_run(c->pool, task, arg, threads);
		end = bark_now();
		best = work / (end - from) > best ? work / (end - from) : best;
	} while (end - start < SECONDS);
	return best;
}

static int measure_memory(struct peaks *ret, struct bark_compute *c)
{
	struct reading r = { .n = MEMORY / sizeof(uint64_t) };
	uint64_t *words = malloc(MEMORY);

	if (!words)
		return -ENOMEM;
	memset(words, 1, MEMORY);
	r.words = words;
	ret->bytes = rate(c, read_part, &r, MEMORY);
	free(words);
	return 0;
}

static int pack(struct multiplying *m)
{
	const size_t groups = bk_i8_groups(DEPTH);
	const size_t n = bk_i8_scale_count(COLUMNS, DEPTH);

	m->packed = malloc(bk_i8_weight_bytes(COLUMNS, DEPTH));
	m->scales = malloc(n * sizeof(*m->scales));
	m->sums = malloc(n * sizeof(*m->sums));
	m->q = malloc(ROWS * groups * BK_I8_GROUP);
	m->scale = malloc(ROWS * groups * sizeof(*m->scale));
	if (!m->packed || !m->scales || !m->sums || !m->q || !m->scale)
		return -ENOMEM;
	bk_i8_pack(m->packed, m->scales, m->sums, m->w, DEPTH, 0, COLUMNS,
		   DEPTH);
	m->w8 = (struct bk_i8){ .w = m->packed, .scale = m->scales,
				.sum = m->sums, .n = COLUMNS, .k = DEPTH };
	for (size_t i = 0; i < ROWS; i++)
		m->ops->quantize_i8(m->q + i * groups * BK_I8_GROUP,
				    m->scale + i * groups, m->x + i * DEPTH,
				    DEPTH);
	return 0;
}

static int measure_products(struct peaks *ret, struct bark_compute *c,
			    bool int8)
{
	const size_t threads = bk_pool_threads(c->pool);
	struct multiplying m = {
		.ops = &c->ops,
		.x = malloc(ROWS * DEPTH * sizeof(float)),
		.w = malloc(COLUMNS * DEPTH * sizeof(float)),
		.y = malloc(threads * ROWS * COLUMNS * sizeof(float)),
		.rounds = 64,
	};
	int r = m.x && m.w && m.y ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ROWS * DEPTH; i++)
		m.x[i] = (float)(i % 17) / 16;
	for (size_t i = 0; r == 0 && i < COLUMNS * DEPTH; i++)
		m.w[i] = (float)(i % 13) / 16;
	if (r == 0 && int8)
		r = pack(&m);
	if (r == 0)
		ret->operations = rate(c, multiply_part, &m,
				       2.0 * ROWS * COLUMNS * DEPTH * m.rounds *
					       (double)threads);
	free(m.x);
	free(m.w);
	free(m.y);
	free(m.q);
	free(m.packed);
	free(m.scale);
	free(m.scales);
	free(m.sums);
	return r;
}

int peaks_measure(struct peaks *ret, struct bark_compute *compute, bool int8)
{
	int r = measure_memory(ret, compute);

	return r < 0 ? r : measure_products(ret, compute, int8);
}
