/* SPDX-License-Identifier: MIT */
/* Kernels and threads together: products large enough are split. */
#ifndef BARK_COMPUTE_H
#define BARK_COMPUTE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "../kernels/kernels.h"
#include "../kernels/pool.h"
#include "model.h"

/* What was computed so far, for who measures. */
struct bark_work {
	double operations; /* of products and attention; a multiply-add is 2 */
	double bytes;      /* of weights and caches that they read */
};

struct bark_compute {
	struct bk_ops ops;
	struct bk_pool *pool; /* the scheduler's alone where crews take turns */
	/* At most so many in any pool that it gets, set once; 0: as many as
	 * the pool has, which stays. */
	unsigned threads;
	struct bark_work work;
	/* Where it says true, nobody wants the result; NULL: all is wanted. */
	const atomic_bool *abandon;
};

/* How many threads there may be at once. May be asked by any thread. */
static inline unsigned bark_compute_threads(const struct bark_compute *c)
{
	return c->threads ? c->threads : bk_pool_threads(c->pool);
}

static inline bool bark_abandoned(const struct bark_compute *c)
{
	return c->abandon &&
	       atomic_load_explicit(c->abandon, memory_order_relaxed);
}

/* Rows of activations that are quantised at once. */
#define BARK_I8_CHUNK 128

/* Their room, for Linears that are quantised. */
struct bark_rows_i8 {
	int8_t *q;    /* [CHUNK][k, up to whole groups] */
	float *scale; /* [CHUNK][groups] */
};

/* For inputs of up to k elements. Errors: -ENOMEM. */
int bark_rows_init(struct bark_rows_i8 *rows, size_t k);
void bark_rows_clear(struct bark_rows_i8 *rows);

/*
 * y[m][n] (rows ldy apart) = x[m][k] (rows ldx apart) * lin + bias. rows: of
 * a size for lin->k; not used unless lin is quantised. Allocates nothing.
 */
void bark_linear(struct bark_compute *c, struct bark_rows_i8 *rows, float *y,
		 size_t ldy, const float *x, size_t ldx,
		 const struct bark_linear *lin, size_t m);

/* Rows first..first+n-1 of lin alone. */
void bark_linear_rows(struct bark_compute *c, struct bark_rows_i8 *rows,
		      float *y, size_t ldy, const float *x, size_t ldx,
		      const struct bark_linear *lin, size_t first, size_t n,
		      size_t m);

/* The same for plain f32 matrices [n][k]. */
void bark_product(struct bark_compute *c, float *y, size_t ldy, const float *x,
		  size_t ldx, const float *w, const float *bias, size_t m,
		  size_t n, size_t k);

/* Rows of a table of the given type, as floats. */
void bark_table_row(struct bark_compute *c, float *y, const void *table,
		    enum bk_dtype type, size_t row, size_t width);

#endif
