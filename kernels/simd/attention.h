/* SPDX-License-Identifier: MIT */
/*
 * Blocks of keys against blocks of queries, with a running maximum, so that
 * the scores stay in the first-level cache. Key blocks begin at multiples of
 * ATT_KEYS and each query sums its own keys only: its bits do not depend on
 * which queries share the call.
 */
#ifndef BK_SIMD_ATTENTION_H
#define BK_SIMD_ATTENTION_H

#include "convert.h"
#include "elementary.h"
#include "gemm.h"

#define ATT_ROWS (GEMM_MR * 8)
#define ATT_KEYS 64
/* Vectors of a value row that are summed in registers at a time. */
#define ATT_VECS 4

/* From this many queries on, widening 16-bit keys and values once pays. */
#define ATT_WIDEN_ROWS 9
/* The longest rows that are widened, for the second-level cache and the stack. */
#define ATT_WIDEN 128

/* What a query carries from one block of keys to the next. */
struct running {
	float max;
	float sum;
};

/* A block of queries; each has `keys` keys, or if causal one more a row. */
struct queries {
	float *out;
	const float *q;
	size_t ldo, ldq, rows, hd, keys;
	int causal;
	float scale;
	struct running run[ATT_ROWS];
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
VF void values_tile(float *out, size_t ldo, const float *p, const void *v,
		    size_t ldkv, const float *factor, size_t mr, size_t nv,
		    size_t j0, size_t j1, size_t width, enum bk_dtype type)
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
			const void *vj = weight_row(v, j, ldkv, type);

			vv[c] = width == VL ?
				weights(vj, c * VL, type) :
				weights_n(vj, c * VL, width, type);
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

VF void values(float *out, size_t ldo, const float *p, const void *v,
	       size_t ldkv, const float *factor, size_t mr, size_t j0,
	       size_t j1, size_t hd, enum bk_dtype type)
{
	const void *vc;
	size_t c = 0, nv, width;

	for (; c < hd; c += nv * VL) {
		nv = hd - c >= ATT_VECS * VL ? ATT_VECS : 1;
		width = hd - c < VL ? hd - c : VL;
		vc = weight_row(v, c, 1, type);
		if (nv == ATT_VECS)
			values_tile(out + c, ldo, p, vc, ldkv, factor, mr,
				    ATT_VECS, j0, j1, VL, type);
		else if (width == VL)
			values_tile(out + c, ldo, p, vc, ldkv, factor, mr, 1,
				    j0, j1, VL, type);
		else
			values_tile(out + c, ldo, p, vc, ldkv, factor, mr, 1,
				    j0, j1, width, type);
	}
}

#define ATT_VALUES_ONE(name, type)                                          \
	static BK_ALONE void name(float *out, const float *p,               \
				  const void *v, size_t ldkv,               \
				  const float *factor, size_t j0,           \
				  size_t j1, size_t hd)                     \
	{                                                                   \
		values(out, 0, p, v, ldkv, factor, 1, j0, j1, hd, type);    \
	}

ATT_VALUES_ONE(values_one_f32, BK_F32)
ATT_VALUES_ONE(values_one_f16, BK_F16)

VF void values_one(float *out, const float *p, const void *v, size_t ldkv,
		   const float *factor, size_t j0, size_t j1, size_t hd,
		   enum bk_dtype type)
{
	if (type == BK_F16)
		values_one_f16(out, p, v, ldkv, factor, j0, j1, hd);
	else
		values_one_f32(out, p, v, ldkv, factor, j0, j1, hd);
}

/* All rows of a block; row r has the first n[r] keys. */
VF void values_block(float *out, size_t ldo, const float *p, const void *v,
		     size_t ldkv, const float *factor, const size_t *n,
		     size_t rows, size_t hd, enum bk_dtype type)
{
	static const float one = 1;
	size_t r = 0;

	/* n never falls from row to row: the first's keys are in common. */
	for (; r + GEMM_MR <= rows; r += GEMM_MR) {
		values(out + r * ldo, ldo, p + r * ATT_KEYS, v, ldkv,
		       factor + r, GEMM_MR, 0, n[r], hd, type);
		for (size_t i = r + 1; i < r + GEMM_MR; i++)
			if (n[i] > n[r])
				values_one(out + i * ldo, p + i * ATT_KEYS, v,
					   ldkv, &one, n[r], n[i], hd, type);
	}
	for (; r < rows; r++)
		values_one(out + r * ldo, p + r * ATT_KEYS, v, ldkv,
			   factor + r, 0, n[r], hd, type);
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

/* Keys b..b + nb - 1 and their values, which begin at k and v. */
VF void attend(struct queries *s, const void *k, const void *v, size_t ldkv,
	       size_t b, size_t nb, enum bk_dtype type)
{
	_Alignas(64) float p[ATT_ROWS * ATT_KEYS];
	float factor[ATT_ROWS];
	size_t n[ATT_ROWS];

	gemm_direct(p, ATT_KEYS, s->q, s->ldq, k, ldkv, NULL, s->rows, nb,
		    s->hd, type);
	for (size_t r = 0; r < s->rows; r++) {
		size_t end = s->keys + (s->causal ? r : 0);

		n[r] = end < b ? 0 : end - b < nb ? end - b : nb;
		factor[r] = n[r] ? softmax_block(p + r * ATT_KEYS, n[r],
						 s->scale, &s->run[r]) : 1;
	}
	values_block(s->out, s->ldo, p, v, ldkv, factor, n, s->rows, s->hd,
		     type);
}

static BK_ALONE void attend_f32(struct queries *s, const void *k,
				const void *v, size_t ldkv, size_t b,
				size_t nb)
{
	attend(s, k, v, ldkv, b, nb, BK_F32);
}

static BK_ALONE void attend_f16(struct queries *s, const void *k,
				const void *v, size_t ldkv, size_t b,
				size_t nb)
{
	attend(s, k, v, ldkv, b, nb, BK_F16);
}

/* n rows of hd <= ATT_WIDEN halves as floats. */
VF void widen_rows(float *to, const uint16_t *k, size_t ldkv, size_t n,
		   size_t hd)
{
	for (size_t j = 0; j < n; j++, k += ldkv, to += ATT_WIDEN)
		f16_to_f32(to, k, hd);
}

static BK_ALONE void attend_widened(struct queries *s, const void *k,
				    const void *v, size_t ldkv, size_t b,
				    size_t nb)
{
	_Alignas(64) float wk[ATT_KEYS * ATT_WIDEN], wv[ATT_KEYS * ATT_WIDEN];

	widen_rows(wk, k, ldkv, nb, s->hd);
	widen_rows(wv, v, ldkv, nb, s->hd);
	attend_f32(s, wk, wv, ATT_WIDEN, b, nb);
}

VF void attention_any(float *out, size_t ldo, const float *q, size_t ldq,
		      const void *k, const void *v, size_t ldkv, size_t m,
		      size_t n_past, size_t hd, int causal, float scale,
		      enum bk_dtype type)
{
	struct queries s = {.ldo = ldo, .ldq = ldq, .hd = hd,
			    .causal = causal, .scale = scale};

	for (size_t first = 0; first < m; first += ATT_ROWS) {
		size_t last;

		s.rows = m - first < ATT_ROWS ? m - first : ATT_ROWS;
		s.out = out + first * ldo;
		s.q = q + first * ldq;
		s.keys = n_past + (causal ? first + 1 : m);
		last = s.keys + (causal ? s.rows - 1 : 0);
		for (size_t r = 0; r < s.rows; r++) {
			s.run[r] = (struct running){.max = -INFINITY};
			memset(s.out + r * ldo, 0, hd * sizeof(*out));
		}
		for (size_t b = 0; b < last; b += ATT_KEYS) {
			size_t nb = last - b < ATT_KEYS ? last - b : ATT_KEYS;
			const void *keys = weight_row(k, b, ldkv, type);
			const void *rows = weight_row(v, b, ldkv, type);

			if (type == BK_F32)
				attend_f32(&s, keys, rows, ldkv, b, nb);
			else if (s.rows >= ATT_WIDEN_ROWS && hd <= ATT_WIDEN)
				attend_widened(&s, keys, rows, ldkv, b, nb);
			else
				attend_f16(&s, keys, rows, ldkv, b, nb);
		}
		for (size_t r = 0; r < s.rows; r++)
			divide_row(s.out + r * ldo, s.run[r].sum, hd);
	}
}

static void attention(float *out, size_t ldo, const float *q, size_t ldq,
		      const float *k, const float *v, size_t ldkv, size_t m,
		      size_t n_past, size_t hd, int causal, float scale,
		      float *scratch)
{
	(void)scratch;
	attention_any(out, ldo, q, ldq, k, v, ldkv, m, n_past, hd, causal,
		      scale, BK_F32);
}

static void attention_f16(float *out, size_t ldo, const float *q, size_t ldq,
			  const uint16_t *k, const uint16_t *v, size_t ldkv,
			  size_t m, size_t n_past, size_t hd, int causal,
			  float scale, float *scratch)
{
	(void)scratch;
	attention_any(out, ldo, q, ldq, k, v, ldkv, m, n_past, hd, causal,
		      scale, BK_F16);
}

#endif
