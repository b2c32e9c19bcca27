/* SPDX-License-Identifier: MIT */
/*
 * The arithmetic behind the engine: one table of function pointers, filled
 * with plain C and overwritten upward by what the CPU offers.
 *
 * All functions are single-threaded, allocate nothing, hold no state and are
 * safe to call from any thread; splitting over threads is the caller's (see
 * pool.h). Matrices are row-major. Activations are float; weights are float,
 * IEEE half (uint16_t), bfloat16 (uint16_t) or quantised (quant.h). Unless said
 * otherwise, outputs must not overlap inputs. Pointers need only their element's
 * alignment.
 *
 * Each output element is reduced in an order that does not depend on how many
 * rows (m) or columns (n) the call covers, so a product split over threads or
 * batches gives the same bits as the whole (tested).
 */
#ifndef BK_KERNELS_H
#define BK_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "quant.h"

enum bk_dtype {
	BK_F32,
	BK_F16,
	BK_BF16,
	BK_DTYPES,
};

/* Levels of the dispatch, lowest first; a mask of them can forbid levels. */
enum bk_level {
	BK_LEVEL_C,
	BK_LEVEL_AVX2,       /* AVX2 + FMA + F16C */
	BK_LEVEL_AVXVNNI,    /* AVX2's + AVX-VNNI */
	BK_LEVEL_AVX512,     /* F + BW + VL + DQ */
	BK_LEVEL_AVX512VNNI, /* AVX512's + VNNI */
	BK_LEVEL_NEON,       /* ARMv8-A base */
	BK_LEVEL_NEONDOT,    /* NEON's + DotProd */
	BK_LEVELS,
};

struct bk_ops {
	/* The highest level that took part in filling this table. */
	enum bk_level level;
	const char *name;

	/*
	 * y[i * ldy + o] = sum_j x[i * ldx + j] * w[o * ldw + j] + bias[o]
	 * for i < m, o < n, j < k. w: [n][ldw] of the index's dtype, as a
	 * torch Linear keeps it. bias: [n] or NULL. ldx may be smaller than k
	 * (overlapping rows: a causal convolution over time-major samples).
	 */
	void (*gemm[BK_DTYPES])(float *y, size_t ldy, const float *x,
				size_t ldx, const void *w, size_t ldw,
				const float *bias, size_t m, size_t n,
				size_t k);

	/*
	 * Quantises a row x[k], by groups of BK_I8_GROUP elements: with max
	 * the largest magnitude of a group, scale = max / 127 and
	 * q = x * (127 / max), rounded to the nearest, of two to the even; both
	 * are 0 where max < 2^-100. All in float, so that every level gives
	 * the same bits. q: [groups * BK_I8_GROUP], padded with zeros;
	 * scale: [groups]. What is not finite makes its group anything.
	 */
	void (*quantize_i8)(int8_t *q, float *scale, const float *x, size_t k);

	/*
	 * The product of quantised rows and outputs first..first + n - 1 of w:
	 * y[i * ldy + o] = acc + bias[o] for i < m, o < n, where acc starts at
	 * 0 and each group g of inputs in turn makes it
	 *   fma(dot, qs[i * ldqs + g] * scale of (first + o, g), acc)
	 * with dot the exact product of the integers: every level gives the
	 * same bits. q: [m] rows of whole groups as quantize_i8 writes them,
	 * ldq apart; bias: [n] or NULL.
	 */
	void (*gemm_i8)(float *y, size_t ldy, const int8_t *q, size_t ldq,
			const float *qs, size_t ldqs, const struct bk_i8 *w,
			const float *bias, size_t m, size_t first, size_t n);

	/* The same of 4-bit weights: the bits that gemm_i8 gives for the bk_i8
	 * of the same integers. */
	void (*gemm_q4)(float *y, size_t ldy, const int8_t *q, size_t ldq,
			const float *qs, size_t ldqs, const struct bk_q4 *w,
			const float *bias, size_t m, size_t first, size_t n);

	/*
	 * y[r][c] = (x[r][c] - mean) / sqrt(var + eps) * gain[c] + bias[c],
	 * biased variance, bias may be NULL. y may be x.
	 */
	void (*layernorm)(float *y, const float *x, const float *gain,
			  const float *bias, size_t rows, size_t n, float eps);

	/* x = x * 0.5 * (1 + erf(x / sqrt 2)), in place (torch's exact GELU). */
	void (*gelu)(float *x, size_t n);

	/* y = x > 0 ? x : exp(x) - 1; y may be x. */
	void (*elu)(float *y, const float *x, size_t n);

	/* y += x */
	void (*add)(float *y, const float *x, size_t n);

	/*
	 * Attention of one head: for each query r < m,
	 *   p = softmax(scale * q[r] . k[j]) over j < n_keys(r)
	 *   out[r] = sum_j p_j v[j]
	 * where n_keys(r) = causal ? n_past + r + 1 : n_past + m.
	 * q, out: rows of hd floats, ldq and ldo apart; k, v: [keys][hd] with
	 * rows ldkv apart. scratch: at least n_past + m floats.
	 */
	void (*attention)(float *out, size_t ldo, const float *q, size_t ldq,
			  const float *k, const float *v, size_t ldkv,
			  size_t m, size_t n_past, size_t hd, int causal,
			  float scale, float *scratch);

	/* The same with keys and values of IEEE half, and the same bits. */
	void (*attention_f16)(float *out, size_t ldo, const float *q,
			      size_t ldq, const uint16_t *k, const uint16_t *v,
			      size_t ldkv, size_t m, size_t n_past, size_t hd,
			      int causal, float scale, float *scratch);

	/*
	 * One LSTM step (torch's gate order i, f, g, o): gates: [4 * n] sums
	 * of input and recurrent products and both biases; h, c: [n] state,
	 * updated in place.
	 */
	void (*lstm_cell)(float *h, float *c, const float *gates, size_t n);

	/* Index of the largest element, the first of equals; n > 0. */
	size_t (*argmax)(const float *x, size_t n);

	/* Conversions, round to nearest even; dst and src: [n]. */
	void (*f16_to_f32)(float *dst, const uint16_t *src, size_t n);
	void (*f32_to_f16)(uint16_t *dst, const float *src, size_t n);
	void (*bf16_to_f32)(float *dst, const uint16_t *src, size_t n);
	void (*f32_to_bf16)(uint16_t *dst, const float *src, size_t n);
};

/* Bit mask (1u << level) of what this CPU and build can run. */
unsigned bk_cpu_levels(void);

/*
 * Fills *ret with the best functions among the levels of mask that the CPU
 * has; BK_LEVEL_C is always in. Pass ~0u for everything.
 */
void bk_ops_init(struct bk_ops *ret, unsigned mask);

/* "c", "avx2", "avxvnni", "avx512", "avx512vnni", "neon", "neondot" */
const char *bk_level_name(enum bk_level level);

/* Bytes of one element. */
size_t bk_dtype_size(enum bk_dtype type);

#endif
