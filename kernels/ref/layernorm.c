/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "ref.h"

void bk_layernorm_c(float *y, const float *x, const float *gain,
		    const float *bias, size_t rows, size_t n, float eps)
{
	for (size_t r = 0; r < rows; r++, x += n, y += n) {
		double sum = 0, squares = 0;
		float mean, inv;

		for (size_t c = 0; c < n; c++)
			sum += x[c];
		mean = (float)(sum / (double)n);
		for (size_t c = 0; c < n; c++) {
			double d = (double)x[c] - (double)mean;

			squares += d * d;
		}
		inv = (float)(1 / sqrt(squares / (double)n + (double)eps));
		for (size_t c = 0; c < n; c++)
			y[c] = (x[c] - mean) * inv * gain[c] +
			       (bias ? bias[c] : 0);
	}
}
