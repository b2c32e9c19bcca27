/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "ref.h"

/* Below this the factor 127 / max may overflow; such a group is zero. */
#define LEAST 0x1p-100f

static float quantize_group(int8_t *q, const float *x, size_t n)
{
	float max = 0, f;

	for (size_t j = 0; j < n; j++)
		max = fabsf(x[j]) > max ? fabsf(x[j]) : max;
	if (max < LEAST) {
		memset(q, 0, n);
		return 0;
	}
	f = 127 / max;
	for (size_t j = 0; j < n; j++)
		q[j] = (int8_t)lrintf(x[j] * f);
	return max / 127;
}

void bk_quantize_i8_c(int8_t *q, float *scale, const float *x, size_t k)
{
	for (size_t j = 0, n; j < k; j += n) {
		n = k - j < BK_I8_GROUP ? k - j : BK_I8_GROUP;
		*scale++ = quantize_group(q + j, x + j, n);
		memset(q + j + n, 0, BK_I8_GROUP - n);
	}
}

/* Integers of one output (a lane of its panel) against a row's. */
static int32_t dot(const int8_t *w, const int8_t *q, size_t quads)
{
	int32_t sum = 0;

	for (size_t j = 0; j < quads; j++, w += BK_I8_ROWS * 4, q += 4)
		for (size_t l = 0; l < 4; l++)
			sum += w[l] * q[l];
	return sum;
}

static float output(const struct bk_i8 *w, size_t o, const int8_t *q,
		    const float *qs)
{
	const size_t quads = bk_i8_quads(w->k), step = BK_I8_GROUP / 4;
	const size_t lane = o % BK_I8_ROWS;
	const int8_t *panel = w->w + (o - lane) * quads * 4 + lane * 4;
	const float *scale = w->scale +
			     (o - lane) * bk_i8_groups(w->k) + lane;
	float acc = 0;

	for (size_t j = 0, n; j < quads; j += n) {
		n = quads - j < step ? quads - j : step;
		acc = fmaf((float)dot(panel + j * BK_I8_ROWS * 4, q + j * 4, n),
			   *qs++ * *scale, acc);
		scale += BK_I8_ROWS;
	}
	return acc;
}

void bk_gemm_i8_c(float *y, size_t ldy, const int8_t *q, size_t ldq,
		  const float *qs, size_t ldqs, const struct bk_i8 *w,
		  const float *bias, size_t m, size_t first, size_t n)
{
	for (size_t i = 0; i < m; i++)
		for (size_t o = 0; o < n; o++) {
			float sum = output(w, first + o, q + i * ldq,
					   qs + i * ldqs);

			y[i * ldy + o] = bias ? sum + bias[o] : sum;
		}
}
