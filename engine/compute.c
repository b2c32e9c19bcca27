/* SPDX-License-Identifier: MIT */
#include "compute.h"

#include <string.h>

/* Below this many multiplications waking threads costs more than it saves. */
#define SPLIT_WORK (1u << 19)

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

static void run_product(struct bark_compute *c, struct product *p)
{
	size_t threads = bk_pool_threads(c->pool);

	p->ops = &c->ops;
	if (threads > 1 && p->m * p->n * p->k >= SPLIT_WORK)
		bk_pool_run(c->pool, product_part, p, threads);
	else
		product_part(p, 0, 1);
}

void bark_linear_rows(struct bark_compute *c, float *y, size_t ldy,
		      const float *x, size_t ldx, const struct bark_linear *lin,
		      size_t first, size_t n, size_t m)
{
	struct product p = {
		.y = y, .ldy = ldy, .x = x, .ldx = ldx,
		.w = (const char *)lin->w +
		     first * lin->k * bk_dtype_size(lin->type),
		.bias = lin->bias ? lin->bias + first : NULL,
		.type = lin->type, .m = m, .n = n, .k = lin->k,
	};

	run_product(c, &p);
}

void bark_linear(struct bark_compute *c, float *y, size_t ldy, const float *x,
		 size_t ldx, const struct bark_linear *lin, size_t m)
{
	bark_linear_rows(c, y, ldy, x, ldx, lin, 0, lin->n, m);
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
