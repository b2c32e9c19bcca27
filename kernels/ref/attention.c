/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "ref.h"

/* Sums kept apart: nearer the truth, and a baseline compiler's vectors. */
#define LANES 8

static float dot(const float *a, const float *b, size_t n)
{
	float acc[LANES] = {0}, sum = 0;
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		for (size_t l = 0; l < LANES; l++)
			acc[l] += a[i + l] * b[i + l];
	for (; i < n; i++)
		sum += a[i] * b[i];
	for (size_t l = 0; l < LANES; l++)
		sum += acc[l];
	return sum;
}

static void attend(float *out, const float *q, const float *k, const float *v,
		   size_t ldkv, size_t keys, size_t hd, float scale, float *p)
{
	float max = -INFINITY, sum = 0;

	for (size_t j = 0; j < keys; j++) {
		p[j] = dot(q, k + j * ldkv, hd) * scale;
		max = p[j] > max ? p[j] : max;
	}
	for (size_t j = 0; j < keys; j++) {
		p[j] = expf(p[j] - max);
		sum += p[j];
	}
	for (size_t d = 0; d < hd; d++)
		out[d] = 0;
	for (size_t j = 0; j < keys; j++) {
		const float *vj = v + j * ldkv;

		for (size_t d = 0; d < hd; d++)
			out[d] += p[j] * vj[d];
	}
	for (size_t d = 0; d < hd; d++)
		out[d] /= sum;
}

void bk_attention_c(float *out, size_t ldo, const float *q, size_t ldq,
		    const float *k, const float *v, size_t ldkv, size_t m,
		    size_t n_past, size_t hd, int causal, float scale,
		    float *scratch)
{
	for (size_t r = 0; r < m; r++)
		attend(out + r * ldo, q + r * ldq, k, v, ldkv,
		       n_past + (causal ? r + 1 : m), hd, scale, scratch);
}
