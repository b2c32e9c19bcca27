/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "ref.h"

/* Integers of one output (a lane of its panel) in a part, against a row's. */
static int32_t dot(const uint8_t *w, const int8_t *q, size_t pairs)
{
	int32_t sum = 0;

	for (size_t j = 0; j < pairs; j++, w += BK_I8_ROWS * 4, q += 8)
		for (size_t l = 0; l < 4; l++)
			sum += ((w[l] & 15) - 8) * q[l] +
			       ((w[l] >> 4) - 8) * q[l + 4];
	return sum;
}

static float output(const struct bk_q4 *w, size_t o, const int8_t *q,
		    const float *qs)
{
	const size_t pairs = bk_q4_pairs(w->k), step = BK_Q4_PART / 8;
	const size_t groups = bk_i8_groups(w->k);
	const size_t lane = o % BK_I8_ROWS, panel = o / BK_I8_ROWS;
	const uint8_t *bits = w->w + (panel * pairs * BK_I8_ROWS + lane) * 4;
	float acc = 0;

	for (size_t g = 0; g < groups; g++) {
		const size_t at = (panel * groups + g) * BK_I8_ROWS;
		const int8_t *mul = w->mul + at * BK_Q4_PARTS + lane;
		const size_t end = (g + 1) * BK_Q4_PARTS * step;
		int32_t sum = 0;

		for (size_t j = g * BK_Q4_PARTS * step, n; j < end && j < pairs;
		     j += n, mul += BK_I8_ROWS) {
			n = pairs - j < step ? pairs - j : step;
			sum += *mul * dot(bits + j * BK_I8_ROWS * 4, q + j * 8,
					  n);
		}
		acc = fmaf((float)sum, qs[g] * w->scale[at + lane], acc);
	}
	return acc;
}

void bk_gemm_q4_c(float *y, size_t ldy, const int8_t *q, size_t ldq,
		  const float *qs, size_t ldqs, const struct bk_q4 *w,
		  const float *bias, size_t m, size_t first, size_t n)
{
	for (size_t i = 0; i < m; i++)
		for (size_t o = 0; o < n; o++) {
			float sum = output(w, first + o, q + i * ldq,
					   qs + i * ldqs);

			y[i * ldy + o] = bias ? sum + bias[o] : sum;
		}
}
