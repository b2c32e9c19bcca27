/* SPDX-License-Identifier: MIT */
#include "half.h"
#include "ref.h"

/* Sums kept apart, so that a baseline compiler can use its vectors. */
#define LANES 8

static inline float weight(const float *w, size_t j)
{
	return w[j];
}

static inline float weight_f16(const uint16_t *w, size_t j)
{
	return bk_f16_f32(w[j]);
}

static inline float weight_bf16(const uint16_t *w, size_t j)
{
	return bk_bf16_f32(w[j]);
}

#define GEMM(name, type, load)                                             \
	void name(float *y, size_t ldy, const float *x, size_t ldx,        \
		  const void *w, size_t ldw, const float *bias, size_t m,  \
		  size_t n, size_t k)                                      \
	{                                                                  \
		for (size_t o = 0; o < n; o++) {                           \
			const type *wo = (const type *)w + o * ldw;        \
                                                                           \
			for (size_t i = 0; i < m; i++) {                   \
				const float *xi = x + i * ldx;             \
				float acc[LANES] = {0}, sum = 0;           \
				size_t j = 0;                              \
                                                                           \
				for (; j + LANES <= k; j += LANES)         \
					for (size_t l = 0; l < LANES; l++) \
						acc[l] += xi[j + l] *      \
							  load(wo, j + l); \
				for (size_t l = 0; j + l < k; l++)         \
					acc[l] += xi[j + l] *              \
						  load(wo, j + l);         \
				for (size_t l = 0; l < LANES; l++)         \
					sum += acc[l];                     \
				y[i * ldy + o] = bias ? sum + bias[o] :    \
							sum;               \
			}                                                  \
		}                                                          \
	}

GEMM(bk_gemm_f32_c, float, weight)
GEMM(bk_gemm_f16_c, uint16_t, weight_f16)
GEMM(bk_gemm_bf16_c, uint16_t, weight_bf16)
