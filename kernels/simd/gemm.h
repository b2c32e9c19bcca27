/* SPDX-License-Identifier: MIT */
/*
 * The products. Lane l of an output's sum takes the elements j = l, l + VL, ...
 * in turn and the lanes are added by one tree, whichever of the paths below
 * computes it: so no split over rows or outputs changes a bit.
 */
#ifndef BK_SIMD_GEMM_H
#define BK_SIMD_GEMM_H

#include "alone.h"

/* From this many rows on, widening 16-bit weights to f32 once pays. */
#define GEMM_WIDEN_ROWS 9
/* The longest rows that are widened, for the second-level cache and the stack. */
#define GEMM_WIDEN_K 4096
/* Rows of x that share one pass over the weights. */
#define GEMM_MB (GEMM_MR * 32)

VF vf weights(const void *w, size_t j, enum bk_dtype type)
{
	switch (type) {
	case BK_F16:
		return vf_load_f16((const uint16_t *)w + j);
	case BK_BF16:
		return vf_load_bf16((const uint16_t *)w + j);
	default:
		return vf_load((const float *)w + j);
	}
}

VF vf weights_n(const void *w, size_t j, size_t n, enum bk_dtype type)
{
	switch (type) {
	case BK_F16:
		return vf_load_f16_n((const uint16_t *)w + j, n);
	case BK_BF16:
		return vf_load_bf16_n((const uint16_t *)w + j, n);
	default:
		return vf_load_n((const float *)w + j, n);
	}
}

VF const void *weight_row(const void *w, size_t o, size_t ldw,
			  enum bk_dtype type)
{
	if (type == BK_F32)
		return (const float *)w + o * ldw;
	return (const uint16_t *)w + o * ldw;
}

/* Adds the lanes of one row's four sums and stores the first nr. */
VF void finish_row(float *y, const vf *acc, const float *bias, size_t nr)
{
	v4 sums = vf_sum4(acc[0], acc[1], acc[2], acc[3]);
	float part[GEMM_NR];

	if (nr == GEMM_NR) {
		v4_store(y, bias ? v4_add(sums, v4_load(bias)) : sums);
		return;
	}
	v4_store(part, sums);
	for (size_t r = 0; r < nr; r++)
		y[r] = bias ? part[r] + bias[r] : part[r];
}

/*
 * mr rows of x against GEMM_NR rows of w where they lie. Of the latter only nr
 * exist; the last stands in for the missing.
 */
VF void tile(float *y, size_t ldy, const float *x, size_t ldx, const void *w,
	     size_t ldw, const float *bias, size_t mr, size_t nr, size_t k,
	     enum bk_dtype type)
{
	const void *wr[GEMM_NR];
	vf acc[GEMM_MR][GEMM_NR], xv[GEMM_MR], wv;
	size_t j = 0;

	for (size_t r = 0; r < GEMM_NR; r++)
		wr[r] = weight_row(w, r < nr ? r : nr - 1, ldw, type);
	for (size_t i = 0; i < mr; i++)
		for (size_t r = 0; r < GEMM_NR; r++)
			acc[i][r] = vf_zero();
#pragma GCC unroll 2 /* at short k the branch is a tenth of the time */
	for (; j + VL <= k; j += VL) {
		for (size_t i = 0; i < mr; i++)
			xv[i] = vf_load(x + i * ldx + j);
		for (size_t r = 0; r < GEMM_NR; r++) {
			wv = weights(wr[r], j, type);
			for (size_t i = 0; i < mr; i++)
				acc[i][r] = vf_fma(xv[i], wv, acc[i][r]);
		}
	}
	if (j < k) {
		for (size_t i = 0; i < mr; i++)
			xv[i] = vf_load_n(x + i * ldx + j, k - j);
		for (size_t r = 0; r < GEMM_NR; r++) {
			wv = weights_n(wr[r], j, k - j, type);
			for (size_t i = 0; i < mr; i++)
				acc[i][r] = vf_fma(xv[i], wv, acc[i][r]);
		}
	}
	for (size_t i = 0; i < mr; i++)
		finish_row(y + i * ldy, acc[i], bias, nr);
}

/* The next rows, as many as the constant mr says. */
#define GEMM_TILE(mr)                                                        \
	do {                                                                 \
		tile(y + i * ldy, ldy, x + i * ldx, ldx, w, ldw, bias, (mr), \
		     nr, k, type);                                           \
		i += (mr);                                                   \
	} while (0)

/* m rows of x against the first nr of GEMM_NR rows of w. */
VF void column_any(float *y, size_t ldy, const float *x, size_t ldx,
		   const void *w, size_t ldw, const float *bias, size_t m,
		   size_t nr, size_t k, enum bk_dtype type)
{
	size_t i = 0;

	while (m - i >= GEMM_MR)
		GEMM_TILE(GEMM_MR);
	if (GEMM_MR > 4 && m - i >= 4)
		GEMM_TILE(4);
	if (GEMM_MR > 2 && m - i >= 2)
		GEMM_TILE(2);
	if (m - i >= 1)
		GEMM_TILE(1);
}

#define GEMM_COLUMN(name, type)                                           \
	static BK_ALONE void name(                                        \
		float *y, size_t ldy, const float *x, size_t ldx,         \
		const void *w, size_t ldw, const float *bias, size_t m,   \
		size_t nr, size_t k)                                      \
	{                                                                 \
		column_any(y, ldy, x, ldx, w, ldw, bias, m, nr, k, type); \
	}

GEMM_COLUMN(column_f32, BK_F32)
GEMM_COLUMN(column_f16, BK_F16)
GEMM_COLUMN(column_bf16, BK_BF16)

VF void column(float *y, size_t ldy, const float *x, size_t ldx, const void *w,
	       size_t ldw, const float *bias, size_t m, size_t nr, size_t k,
	       enum bk_dtype type)
{
	if (type == BK_F16)
		column_f16(y, ldy, x, ldx, w, ldw, bias, m, nr, k);
	else if (type == BK_BF16)
		column_bf16(y, ldy, x, ldx, w, ldw, bias, m, nr, k);
	else
		column_f32(y, ldy, x, ldx, w, ldw, bias, m, nr, k);
}

VF void gemm_direct(float *y, size_t ldy, const float *x, size_t ldx,
		    const void *w, size_t ldw, const float *bias, size_t m,
		    size_t n, size_t k, enum bk_dtype type)
{
	for (size_t o = 0; o < n; o += GEMM_NR)
		column(y + o, ldy, x, ldx, weight_row(w, o, ldw, type), ldw,
		       bias ? bias + o : NULL, m,
		       n - o < GEMM_NR ? n - o : GEMM_NR, k, type);
}

/* The same for 16-bit weights and many rows of x; k <= GEMM_WIDEN_K. */
VF void gemm_widened(float *y, size_t ldy, const float *x, size_t ldx,
		     const void *w, size_t ldw, const float *bias, size_t m,
		     size_t n, size_t k, enum bk_dtype type)
{
	_Alignas(64) float wide[GEMM_NR * GEMM_WIDEN_K];
	size_t ld = (k + VL - 1) / VL * VL, j;

	for (size_t o = 0; o < n; o += GEMM_NR) {
		size_t nr = n - o < GEMM_NR ? n - o : GEMM_NR;

		for (size_t r = 0; r < nr; r++) {
			const void *wr = weight_row(w, o + r, ldw, type);

			for (j = 0; j + VL <= k; j += VL)
				vf_store(wide + r * ld + j,
					 weights(wr, j, type));
			if (j < k)
				vf_store(wide + r * ld + j,
					 weights_n(wr, j, k - j, type));
		}
		column(y + o, ldy, x, ldx, wide, ld, bias ? bias + o : NULL, m,
		       nr, k, BK_F32);
	}
}

VF void gemm(float *y, size_t ldy, const float *x, size_t ldx, const void *w,
	     size_t ldw, const float *bias, size_t m, size_t n, size_t k,
	     enum bk_dtype type)
{
	for (size_t i = 0, mb; i < m; i += mb) {
		mb = m - i < GEMM_MB ? m - i : GEMM_MB;
		if (type != BK_F32 && mb >= GEMM_WIDEN_ROWS &&
		    k <= GEMM_WIDEN_K)
			gemm_widened(y + i * ldy, ldy, x + i * ldx, ldx, w, ldw,
				     bias, mb, n, k, type);
		else
			gemm_direct(y + i * ldy, ldy, x + i * ldx, ldx, w, ldw,
				    bias, mb, n, k, type);
	}
}

static void gemm_f32(float *y, size_t ldy, const float *x, size_t ldx,
		     const void *w, size_t ldw, const float *bias, size_t m,
		     size_t n, size_t k)
{
	gemm(y, ldy, x, ldx, w, ldw, bias, m, n, k, BK_F32);
}

static void gemm_f16(float *y, size_t ldy, const float *x, size_t ldx,
		     const void *w, size_t ldw, const float *bias, size_t m,
		     size_t n, size_t k)
{
	gemm(y, ldy, x, ldx, w, ldw, bias, m, n, k, BK_F16);
}

static void gemm_bf16(float *y, size_t ldy, const float *x, size_t ldx,
		      const void *w, size_t ldw, const float *bias, size_t m,
		      size_t n, size_t k)
{
	gemm(y, ldy, x, ldx, w, ldw, bias, m, n, k, BK_BF16);
}

#endif
