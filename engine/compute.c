/* SPDX-License-Identifier: MIT */
#include "compute.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Below this many multiplications waking threads costs more than it saves. */
#define SPLIT_WORK (1u << 19)
/* The same for activations being quantised, in elements. */
#define SPLIT_ROWS (1u << 16)

/* Of one weight, with its share of scale and sum. */
#define I8_SIZE (1 + 8.0 / BK_I8_GROUP)
#define Q4_SIZE (0.5 + 1.0 / BK_Q4_PART + 4.0 / BK_I8_GROUP)

struct product {
	const struct bk_ops *ops;
	float *y;
	const float *x, *bias;
	const char *w;
	enum bk_dtype type;
	size_t ldy, ldx, m, n, k;
};

static void product_part(void *arg, size_t part, size_t parts)
{
	const struct product *p = arg;
	/* Whole cache lines of outputs a thread. */
	size_t step = ((p->n + parts - 1) / parts + 15) & ~(size_t)15;
	size_t begin = part * step, n;

	if (begin >= p->n)
		return;
	n = p->n - begin < step ? p->n - begin : step;
	p->ops->gemm[p->type](p->y + begin, p->ldy, p->x, p->ldx,
			      p->w + begin * p->k * bk_dtype_size(p->type),
			      p->k, p->bias ? p->bias + begin : NULL, p->m, n,
			      p->k);
}

static void count(struct bark_compute *c, size_t m, size_t n, size_t k,
		  double weight_size)
{
	c->work.operations += 2.0 * (double)m * (double)n * (double)k;
	c->work.bytes += (double)n * (double)k * weight_size;
}

static void run_product(struct bark_compute *c, struct product *p)
{
	size_t threads = bk_pool_threads(c->pool);

	p->ops = &c->ops;
	count(c, p->m, p->n, p->k, (double)bk_dtype_size(p->type));
	if (threads > 1 && p->m * p->n * p->k >= SPLIT_WORK)
		bk_pool_run(c->pool, product_part, p, threads);
	else
		product_part(p, 0, 1);
}

/* --- int8 and q4 --- */

int bark_rows_init(struct bark_rows_i8 *rows, size_t k)
{
	const size_t n = BARK_I8_CHUNK * bk_i8_groups(k);

	rows->q = malloc(n * BK_I8_GROUP);
	rows->scale = malloc(n * sizeof(*rows->scale));
	if (rows->q && rows->scale)
		return 0;
	bark_rows_clear(rows);
	return -ENOMEM;
}

void bark_rows_clear(struct bark_rows_i8 *rows)
{
	free(rows->q);
	free(rows->scale);
	*rows = (struct bark_rows_i8){0};
}

struct product_i8 {
	const struct bk_ops *ops;
	float *y;
	const float *x, *bias;
	const struct bk_i8 *w; /* this or q4 */
	const struct bk_q4 *q4;
	struct bark_rows_i8 rows;
	size_t ldy, ldx, m, first, n, k;
};

static void quantize_part(void *arg, size_t part, size_t parts)
{
	const struct product_i8 *p = arg;
	const size_t groups = bk_i8_groups(p->k);

	for (size_t i = part; i < p->m; i += parts)
		p->ops->quantize_i8(p->rows.q + i * groups * BK_I8_GROUP,
				    p->rows.scale + i * groups,
				    p->x + i * p->ldx, p->k);
}

static void product_i8_part(void *arg, size_t part, size_t parts)
{
	const struct product_i8 *p = arg;
	const size_t groups = bk_i8_groups(p->k), ldq = groups * BK_I8_GROUP;
	/* Whole panels a thread, counted from the matrix's first row. */
	const size_t before = p->first / BK_I8_ROWS;
	const size_t panels = bk_i8_panels(p->first + p->n) - before;
	const size_t step = (panels + parts - 1) / parts * BK_I8_ROWS;
	size_t begin = before * BK_I8_ROWS + part * step;
	size_t end = begin + step;
	const float *bias;
	float *y;

	if (begin < p->first)
		begin = p->first;
	if (end > p->first + p->n)
		end = p->first + p->n;
	if (begin >= end)
		return;
	y = p->y + begin - p->first;
	bias = p->bias ? p->bias + begin : NULL;
	if (p->q4)
		p->ops->gemm_q4(y, p->ldy, p->rows.q, ldq, p->rows.scale,
				groups, p->q4, bias, p->m, begin, end - begin);
	else
		p->ops->gemm_i8(y, p->ldy, p->rows.q, ldq, p->rows.scale,
				groups, p->w, bias, p->m, begin, end - begin);
}

static void run_product_i8(struct bark_compute *c, struct product_i8 *p)
{
	const size_t threads = bk_pool_threads(c->pool);
	const size_t work = p->m * p->k;

	p->ops = &c->ops;
	count(c, p->m, p->n, p->k, p->q4 ? Q4_SIZE : I8_SIZE);
	if (threads > 1 && work >= SPLIT_ROWS)
		bk_pool_run(c->pool, quantize_part, p, threads);
	else
		quantize_part(p, 0, 1);
	if (threads > 1 && work * p->n >= SPLIT_WORK)
		bk_pool_run(c->pool, product_i8_part, p, threads);
	else
		product_i8_part(p, 0, 1);
}

/* --- Linears --- */

void bark_linear_rows(struct bark_compute *c, struct bark_rows_i8 *rows,
		      float *y, size_t ldy, const float *x, size_t ldx,
		      const struct bark_linear *lin, size_t first, size_t n,
		      size_t m)
{
	if (!lin->i8.w && !lin->q4.w) {
		struct product p = {
			.y = y, .ldy = ldy, .x = x, .ldx = ldx,
			.w = (const char *)lin->w +
			     first * lin->k * bk_dtype_size(lin->type),
			.bias = lin->bias ? lin->bias + first : NULL,
			.type = lin->type, .m = m, .n = n, .k = lin->k,
		};

		run_product(c, &p);
		return;
	}
	for (size_t i = 0; i < m; i += BARK_I8_CHUNK) {
		struct product_i8 part = {
			.y = y + i * ldy, .ldy = ldy,
			.x = x + i * ldx, .ldx = ldx,
			.w = lin->i8.w ? &lin->i8 : NULL,
			.q4 = lin->q4.w ? &lin->q4 : NULL,
			.bias = lin->bias, .rows = *rows,
			.m = m - i < BARK_I8_CHUNK ? m - i : BARK_I8_CHUNK,
			.first = first, .n = n, .k = lin->k,
		};

		run_product_i8(c, &part);
	}
}

void bark_linear(struct bark_compute *c, struct bark_rows_i8 *rows, float *y,
		 size_t ldy, const float *x, size_t ldx,
		 const struct bark_linear *lin, size_t m)
{
	bark_linear_rows(c, rows, y, ldy, x, ldx, lin, 0, lin->n, m);
}

void bark_product(struct bark_compute *c, float *y, size_t ldy, const float *x,
		  size_t ldx, const float *w, const float *bias, size_t m,
		  size_t n, size_t k)
{
	struct product p = {
		.y = y, .ldy = ldy, .x = x, .ldx = ldx,
		.w = (const char *)w, .bias = bias, .type = BK_F32,
		.m = m, .n = n, .k = k,
	};

	run_product(c, &p);
}

void bark_table_row(struct bark_compute *c, float *y, const void *table,
		    enum bk_dtype type, size_t row, size_t width)
{
	const char *src = (const char *)table +
			  row * width * bk_dtype_size(type);

	switch (type) {
	case BK_F16:
		c->ops.f16_to_f32(y, (const uint16_t *)(const void *)src,
				  width);
		break;
	case BK_BF16:
		c->ops.bf16_to_f32(y, (const uint16_t *)(const void *)src,
				   width);
		break;
	default:
		memcpy(y, src, width * sizeof(*y));
	}
}
