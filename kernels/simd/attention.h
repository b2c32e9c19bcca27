/* SPDX-License-Identifier: MIT */
/*
 * Blocks of keys against blocks of queries, with a running maximum, so that
 * the scores stay in the first-level cache. Key blocks begin at multiples of
 * ATT_KEYS and each query sums its own keys only: its bits do not depend on
 * which queries share the call.
 */
#ifndef BK_SIMD_ATTENTION_H
#define BK_SIMD_ATTENTION_H

#include "elementary.h"
#include "gemm.h"

#define ATT_ROWS (GEMM_MR * 8)
#define ATT_KEYS 64
/* Vectors of a value row that are summed in registers at a time. */
#define ATT_VECS 4

/* What a query carries from one block of keys to the next. */
struct running {
	float max;
	float sum;
};

/*
 * Turns n scores into exponentials against the new maximum; returns the factor
 * for what was summed against the old one.
 */
VF float softmax_block(float *s, size_t n, float scale, struct running *run)
{
	vf max = vf_set1(-INFINITY), sum = vf_zero(), f = vf_set1(scale), e;
	float top = run->max, old = run->max, factor[VL];
	size_t j = 0;

	for (; j + VL <= n; j += VL) {
		e = vf_mul(vf_load(s + j), f);
		vf_store(s + j, e);
		max = vf_max(max, e);
	}
	for (; j < n; j++) {
		s[j] *= scale;
		top = s[j] > top ? s[j] : top;
	}
	max = vf_max(max, vf_set1(top));
	top = vf_hmax(max);
	max = vf_set1(top);
	for (j = 0; j + VL <= n; j += VL) {
		e = vf_exp(vf_sub(vf_load(s + j), max));
		vf_store(s + j, e);
		sum = vf_add(sum, e);
	}
	if (j < n) {
		e = vf_exp(vf_sub(vf_load_n(s + j, n - j), max));
		vf_store_n(s + j, e, n - j);
		sum = vf_add(sum, vf_load_n(s + j, n - j));
	}
	vf_store(factor, vf_exp(vf_set1(old - top)));
	run->max = top;
	run->sum = run->sum * factor[0] + vf_sum(sum);
	return factor[0];
}

/*
 * out = out * factor + p . v over keys j0..j1, for mr queries and nv vectors
 * of a value row; the last vector has only `width` elements if that is not VL.
 */
VF void values_tile(float *out, size_t ldo, const float *p, const float *v,
		    size_t ldkv, const float *factor, size_t mr, size_t nv,
		    size_t j0, size_t j1, size_t width)
{
	vf acc[GEMM_MR][ATT_VECS], vv[ATT_VECS], pv;

	for (size_t i = 0; i < mr; i++)
		for (size_t c = 0; c < nv; c++) {
			const float *o = out + i * ldo + c * VL;

			pv = width == VL ? vf_load(o) : vf_load_n(o, width);
			acc[i][c] = vf_mul(pv, vf_set1(factor[i]));
		}
	for (size_t j = j0; j < j1; j++) {
		for (size_t c = 0; c < nv; c++) {
			const float *vj = v + j * ldkv + c * VL;

			vv[c] = width == VL ? vf_load(vj) :
					      vf_load_n(vj, width);
		}
		for (size_t i = 0; i < mr; i++) {
			pv = vf_set1(p[i * ATT_KEYS + j]);
			for (size_t c = 0; c < nv; c++)
				acc[i][c] = vf_fma(pv, vv[c], acc[i][c]);
		}
	}
	for (size_t i = 0; i < mr; i++)
		for (size_t c = 0; c < nv; c++) {
			float *o = out + i * ldo + c * VL;

			if (width == VL)
				vf_store(o, acc[i][c]);
			else
				vf_store_n(o, acc[i][c], width);
		}
}

VF void values(float *out, size_t ldo, const float *p, const float *v,
	       size_t ldkv, const float *factor, size_t mr, size_t j0,
	       size_t j1, size_t hd)
{
	size_t c = 0;

	for (; c + ATT_VECS * VL <= hd; c += ATT_VECS * VL)
		values_tile(out + c, ldo, p, v + c, ldkv, factor, mr, ATT_VECS,
			    j0, j1, VL);
	for (; c + VL <= hd; c += VL)
		values_tile(out + c, ldo, p, v + c, ldkv, factor, mr, 1, j0,
			    j1, VL);
	if (c < hd)
		values_tile(out + c, ldo, p, v + c, ldkv, factor, mr, 1, j0,
			    j1, hd - c);
}

static BK_ALONE void values_one(float *out, const float *p, const float *v,
				size_t ldkv, const float *factor, size_t j0,
				size_t j1, size_t hd)
{
	values(out, 0, p, v, ldkv, factor, 1, j0, j1, hd);
}

/* All rows of a block; row r has the first n[r] keys. */
VF void values_block(float *out, size_t ldo, const float *p, const float *v,
		     size_t ldkv, const float *factor, const size_t *n,
		     size_t rows, size_t hd)
{
	static const float one = 1;
	size_t r = 0;

	/* n never falls from row to row: the first's keys are in common. */
	for (; r + GEMM_MR <= rows; r += GEMM_MR) {
		values(out + r * ldo, ldo, p + r * ATT_KEYS, v, ldkv,
		       factor + r, GEMM_MR, 0, n[r], hd);
		for (size_t i = r + 1; i < r + GEMM_MR; i++)
			if (n[i] > n[r])
				values_one(out + i * ldo, p + i * ATT_KEYS, v,
					   ldkv, &one, n[r], n[i], hd);
	}
	for (; r < rows; r++)
		values_one(out + r * ldo, p + r * ATT_KEYS, v, ldkv,
			   factor + r, 0, n[r], hd);
}

VF void divide_row(float *out, float by, size_t hd)
{
	vf d = vf_set1(by);
	size_t c = 0;

	for (; c + VL <= hd; c += VL)
		vf_store(out + c, vf_div(vf_load(out + c), d));
	for (; c < hd; c++)
		out[c] /= by;
}

static void attention(float *out, size_t ldo, const float *q, size_t ldq,
		      const float *k, const float *v, size_t ldkv, size_t m,
		      size_t n_past, size_t hd, int causal, float scale,
		      float *scratch)
{
	_Alignas(64) float p[ATT_ROWS * ATT_KEYS];
	struct running run[ATT_ROWS];
	float factor[ATT_ROWS];
	size_t n[ATT_ROWS];

	(void)scratch;
	for (size_t first = 0; first < m; first += ATT_ROWS) {
		size_t rows = m - first < ATT_ROWS ? m - first : ATT_ROWS;
		size_t keys = n_past + (causal ? first + rows : m);
		float *o = out + first * ldo;

		for (size_t r = 0; r < rows; r++) {
			run[r] = (struct running){.max = -INFINITY};
			memset(o + r * ldo, 0, hd * sizeof(*o));
		}
		for (size_t b = 0; b < keys; b += ATT_KEYS) {
			size_t nb = keys - b < ATT_KEYS ? keys - b : ATT_KEYS;

			gemm_direct(p, ATT_KEYS, q + first * ldq, ldq,
				    k + b * ldkv, ldkv, NULL, rows, nb, hd,
				    BK_F32);
			for (size_t r = 0; r < rows; r++) {
				size_t end = causal ? n_past + first + r + 1 :
						      keys;

				n[r] = end < b ? 0 : end - b < nb ? end - b : nb;
				factor[r] = n[r] ? softmax_block(p + r * ATT_KEYS,
						n[r], scale, &run[r]) : 1;
			}
			values_block(o, ldo, p, v + b * ldkv, ldkv, factor, n,
				     rows, hd);
		}
		for (size_t r = 0; r < rows; r++)
			divide_row(o + r * ldo, run[r].sum, hd);
	}
}

#endif
