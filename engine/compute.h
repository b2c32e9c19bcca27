/* SPDX-License-Identifier: MIT */
/* Kernels and threads together: products large enough are split. */
#ifndef BARK_COMPUTE_H
#define BARK_COMPUTE_H

#include "../kernels/kernels.h"
#include "../kernels/pool.h"
#include "model.h"

struct bark_compute {
	struct bk_ops ops;
	struct bk_pool *pool;
};

/* y[m][n] (rows ldy apart) = x[m][k] (rows ldx apart) * lin + bias */
void bark_linear(struct bark_compute *c, float *y, size_t ldy, const float *x,
		 size_t ldx, const struct bark_linear *lin, size_t m);

/* Rows first..first+n-1 of lin alone. */
void bark_linear_rows(struct bark_compute *c, float *y, size_t ldy,
		      const float *x, size_t ldx, const struct bark_linear *lin,
		      size_t first, size_t n, size_t m);

/* The same for plain f32 matrices [n][k]. */
void bark_product(struct bark_compute *c, float *y, size_t ldy, const float *x,
		  size_t ldx, const float *w, const float *bias, size_t m,
		  size_t n, size_t k);

/* Rows of a table of the given type, as floats. */
void bark_table_row(struct bark_compute *c, float *y, const void *table,
		    enum bk_dtype type, size_t row, size_t width);

#endif
