/* SPDX-License-Identifier: MIT */
/* Linears quantised while a model is loaded, a panel of rows at a time. */
#ifndef BARK_QUANTIZE_H
#define BARK_QUANTIZE_H

#include "../kernels/pool.h"
#include "weights.h"

/* Writes elements first..first+n-1, in C order, of what `from` is as floats;
 * called from several threads at once. */
typedef void (*bark_read_elements)(const void *from, float *dst, size_t first,
				   size_t n);

/*
 * Takes a matrix's arrays from the arena and, unless that is counting, fills
 * them over the pool's threads. Errors: -ENOMEM.
 */
int bark_quantize(struct bk_i8 *ret, struct bark_arena *arena,
		  struct bk_pool *pool, size_t n, size_t k,
		  bark_read_elements read, const void *from);
int bark_quantize_q4(struct bk_q4 *ret, struct bark_arena *arena,
		     struct bk_pool *pool, size_t n, size_t k,
		     bark_read_elements read, const void *from);

#endif
