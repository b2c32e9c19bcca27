/* SPDX-License-Identifier: MIT */
/*
 * The products. Lane l of an output's sum takes the elements j = l, l + VL, ...
 * in turn and the lanes are added by one tree, whichever of the paths below
 * computes it: so no split over rows or outputs changes a bit.
 */
#ifndef BK_SIMD_GEMM_H
#define BK_SIMD_GEMM_H

/* From this many rows on, copying weights to f32 in tile order pays. */
#define GEMM_PACK_ROWS 8
/* A packed block: outputs by elements of k, for the first-level cache. */
#define GEMM_NB (2 * GEMM_NR)
#define GEMM_KB 512
/* Rows of x that go over one packed block. */
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

/* Adds the lanes of one row's GEMM_NR sums and stores the first nr. */
VF void finish_row(float *y, const vf *acc, const float *bias, size_t nr)
{
	float sums[GEMM_NR];

	for (size_t r = 0; r < GEMM_NR; r += 4)
		vf_sum4(sums + r, acc[r], acc[r + 1], acc[r + 2], acc[r + 3]);
	if (nr == GEMM_NR && bias)
		for (size_t r = 0; r < GEMM_NR; r++)
			y[r] = sums[r] + bias[r];
	else
		for (size_t r = 0; r < nr; r++)
			y[r] = bias ? sums[r] + bias[r] : sums[r];
}

/*
 * mr rows of x against GEMM_NR rows of w where they lie. Of the latter only nr
 * exist; the last stands in for the missing.
 */
VF void tile_direct(float *y, size_t ldy, const float *x, size_t ldx,
		    const void *w, size_t ldw, const float *bias, size_t mr,
		    size_t nr, size_t k, enum bk_dtype type)
{
	const void *wr[GEMM_NR];
	vf acc[GEMM_MR][GEMM_NR], xv[GEMM_MR], wv;
	size_t j = 0;

	for (size_t r = 0; r < GEMM_NR; r++)
		wr[r] = weight_row(w, r < nr ? r : nr - 1, ldw, type);
	for (size_t i = 0; i < mr; i++)
		for (size_t r = 0; r < GEMM_NR; r++)
			acc[i][r] = vf_zero();
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

VF void gemm_direct(float *y, size_t ldy, const float *x, size_t ldx,
		    const void *w, size_t ldw, const float *bias, size_t m,
		    size_t n, size_t k, enum bk_dtype type)
{
	for (size_t o = 0; o < n; o += GEMM_NR) {
		const void *wo = weight_row(w, o, ldw, type);
		const float *bo = bias ? bias + o : NULL;
		size_t nr = n - o < GEMM_NR ? n - o : GEMM_NR, i = 0;

		for (; i + GEMM_MR <= m; i += GEMM_MR)
			tile_direct(y + i * ldy + o, ldy, x + i * ldx, ldx, wo,
				    ldw, bo, GEMM_MR, nr, k, type);
		/* Two calls at most: the tile's height must be a constant. */
		if (GEMM_MR > 2 && m - i >= 2) {
			tile_direct(y + i * ldy + o, ldy, x + i * ldx, ldx, wo,
				    ldw, bo, 2, nr, k, type);
			i += 2;
		}
		for (; i < m; i++)
			tile_direct(y + i * ldy + o, ldy, x + i * ldx, ldx, wo,
				    ldw, bo, 1, nr, k, type);
	}
}

/* Rows o.. of w, elements j..j + kb, as [NB / NR][kb / VL][NR][VL] floats. */
VF void pack(float *dst, const void *w, size_t ldw, size_t n, size_t j,
	     size_t kb, enum bk_dtype type)
{
	size_t steps = (kb + VL - 1) / VL;

	for (size_t r = 0; r < GEMM_NB && r / GEMM_NR * GEMM_NR < n; r++) {
		const void *wr = weight_row(w, r < n ? r : n - 1, ldw, type);
		float *d = dst + r / GEMM_NR * steps * GEMM_NR * VL +
			   r % GEMM_NR * VL;
		size_t e = 0;

		for (; e + VL <= kb; e += VL, d += GEMM_NR * VL)
			vf_store(d, weights(wr, j + e, type));
		if (e < kb)
			vf_store(d, weights_n(wr, j + e, kb - e, type));
	}
}

/*
 * GEMM_MR rows of x against one packed tile; the sums begin at zero if `first`,
 * else in saved; they end in y if `last`, else in saved.
 */
VF void tile_packed(float *y, size_t ldy, const float *const *x,
		    const float *w, const float *bias, size_t mr, size_t nr,
		    size_t kb, vf *saved, int first, int last)
{
	vf acc[GEMM_MR][GEMM_NR], xv[GEMM_MR], wv;
	size_t j = 0;

	for (size_t i = 0; i < GEMM_MR; i++)
		for (size_t r = 0; r < GEMM_NR; r++)
			acc[i][r] = first ? vf_zero() :
					    saved[i * GEMM_NR + r];
	for (; j + VL <= kb; j += VL, w += GEMM_NR * VL) {
		for (size_t i = 0; i < GEMM_MR; i++)
			xv[i] = vf_load(x[i] + j);
		for (size_t r = 0; r < GEMM_NR; r++) {
			wv = vf_load(w + r * VL);
			for (size_t i = 0; i < GEMM_MR; i++)
				acc[i][r] = vf_fma(xv[i], wv, acc[i][r]);
		}
	}
	if (j < kb) {
		for (size_t i = 0; i < GEMM_MR; i++)
			xv[i] = vf_load_n(x[i] + j, kb - j);
		for (size_t r = 0; r < GEMM_NR; r++) {
			wv = vf_load(w + r * VL);
			for (size_t i = 0; i < GEMM_MR; i++)
				acc[i][r] = vf_fma(xv[i], wv, acc[i][r]);
		}
	}
	if (last) {
		for (size_t i = 0; i < GEMM_MR; i++)
			if (i < mr)
				finish_row(y + i * ldy, acc[i], bias, nr);
	} else {
		for (size_t i = 0; i < GEMM_MR; i++)
			for (size_t r = 0; r < GEMM_NR; r++)
				saved[i * GEMM_NR + r] = acc[i][r];
	}
}

/* Up to GEMM_MB rows against up to GEMM_NB outputs. */
VF void gemm_block(float *y, size_t ldy, const float *x, size_t ldx,
		   const void *w, size_t ldw, const float *bias, size_t m,
		   size_t n, size_t k, enum bk_dtype type)
{
	_Alignas(64) float packed[GEMM_NB * GEMM_KB];
	vf saved[GEMM_MB * GEMM_NB];

	for (size_t j = 0; j < k; j += GEMM_KB) {
		size_t kb = k - j < GEMM_KB ? k - j : GEMM_KB;
		size_t tile = (kb + VL - 1) / VL * GEMM_NR * VL;

		pack(packed, w, ldw, n, j, kb, type);
		for (size_t i = 0; i < m; i += GEMM_MR) {
			const float *xr[GEMM_MR];
			size_t mr = m - i < GEMM_MR ? m - i : GEMM_MR;

			for (size_t r = 0; r < GEMM_MR; r++)
				xr[r] = x + (i + (r < mr ? r : mr - 1)) * ldx + j;
			for (size_t o = 0; o < n; o += GEMM_NR)
				tile_packed(y + i * ldy + o, ldy, xr,
					    packed + o / GEMM_NR * tile,
					    bias ? bias + o : NULL, mr,
					    n - o < GEMM_NR ? n - o : GEMM_NR,
					    kb,
					    saved + i * GEMM_NB + o * GEMM_MR,
					    j == 0, j + kb == k);
		}
	}
}

VF void gemm(float *y, size_t ldy, const float *x, size_t ldx, const void *w,
	     size_t ldw, const float *bias, size_t m, size_t n, size_t k,
	     enum bk_dtype type)
{
	if (m < GEMM_PACK_ROWS || k == 0) {
		gemm_direct(y, ldy, x, ldx, w, ldw, bias, m, n, k, type);
		return;
	}
	for (size_t i = 0; i < m; i += GEMM_MB)
		for (size_t o = 0; o < n; o += GEMM_NB)
			gemm_block(y + i * ldy + o, ldy, x + i * ldx, ldx,
				   weight_row(w, o, ldw, type), ldw,
				   bias ? bias + o : NULL,
				   m - i < GEMM_MB ? m - i : GEMM_MB,
				   n - o < GEMM_NB ? n - o : GEMM_NB, k, type);
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
