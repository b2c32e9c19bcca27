/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "half.h"
#include "ref.h"

/* Sums kept apart: nearer the truth, and a baseline compiler's vectors. */
#define LANES 8

static inline float element(const float *p)
{
	return *p;
}

static inline float element_f16(const uint16_t *p)
{
	return bk_f16_f32(*p);
}

/* Turns scores into their exponentials against the largest; their sum. */
static float exponentials(float *p, size_t n)
{
	float max = -INFINITY, sum = 0;

	for (size_t j = 0; j < n; j++)
		max = p[j] > max ? p[j] : max;
	for (size_t j = 0; j < n; j++) {
		p[j] = expf(p[j] - max);
		sum += p[j];
	}
	return sum;
}

#define ATTENTION(name, dot, values, type, load)                              \
	static float dot(const float *a, const type *b, size_t n)             \
	{                                                                     \
		float acc[LANES] = {0}, sum = 0;                              \
		size_t i = 0;                                                 \
                                                                              \
		for (; i + LANES <= n; i += LANES)                            \
			for (size_t l = 0; l < LANES; l++)                    \
				acc[l] += a[i + l] * load(&b[i + l]);         \
		for (; i < n; i++)                                            \
			sum += a[i] * load(&b[i]);                            \
		for (size_t l = 0; l < LANES; l++)                            \
			sum += acc[l];                                        \
		return sum;                                                   \
	}                                                                     \
                                                                              \
	/* out = p . v / sum */                                               \
	static void values(float *out, const float *p, const type *v,         \
			   size_t ldkv, size_t keys, size_t hd, float sum)    \
	{                                                                     \
		for (size_t d = 0; d < hd; d++)                               \
			out[d] = 0;                                           \
		for (size_t j = 0; j < keys; j++)                             \
			for (size_t d = 0; d < hd; d++)                       \
				out[d] += p[j] * load(&v[j * ldkv + d]);      \
		for (size_t d = 0; d < hd; d++)                               \
			out[d] /= sum;                                        \
	}                                                                     \
                                                                              \
	void name(float *out, size_t ldo, const float *q, size_t ldq,         \
		  const type *k, const type *v, size_t ldkv, size_t m,        \
		  size_t n_past, size_t hd, int causal, float scale,          \
		  float *scratch)                                             \
	{                                                                     \
		for (size_t r = 0; r < m; r++) {                              \
			size_t keys = n_past + (causal ? r + 1 : m);          \
                                                                              \
			for (size_t j = 0; j < keys; j++)                     \
				scratch[j] = scale *                          \
					dot(q + r * ldq, k + j * ldkv, hd);   \
			values(out + r * ldo, scratch, v, ldkv, keys, hd,     \
			       exponentials(scratch, keys));                  \
		}                                                             \
	}

ATTENTION(bk_attention_c, dot, values, float, element)
ATTENTION(bk_attention_f16_c, dot_f16, values_f16, uint16_t, element_f16)
