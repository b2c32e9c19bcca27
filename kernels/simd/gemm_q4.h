/* SPDX-License-Identifier: MIT */
/*
 * Products of 4-bit weights over what the level has defined:
 *   q4_group  an i8_add_group of a bk_q4
 */
#ifndef BK_SIMD_GEMM_Q4_H
#define BK_SIMD_GEMM_Q4_H

#include "gemm_i8.h"

static void gemm_q4(float *y, size_t ldy, const int8_t *q, size_t ldq,
		    const float *qs, size_t ldqs, const struct bk_q4 *w,
		    const float *bias, size_t m, size_t first, size_t n)
{
	const struct i8_shape shape = {w, bk_i8_groups(w->k)};

	i8_product(y, ldy, q, ldq, qs, ldqs, shape, q4_group, bias, m, first,
		   n);
}

#endif
