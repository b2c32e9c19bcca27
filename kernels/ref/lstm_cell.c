/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "ref.h"

static inline float sigmoid(float x)
{
	return 1 / (1 + expf(-x));
}

void bk_lstm_cell_c(float *h, float *c, const float *gates, size_t n)
{
	const float *i = gates, *f = i + n, *g = f + n, *o = g + n;

	for (size_t j = 0; j < n; j++) {
		c[j] = sigmoid(f[j]) * c[j] + sigmoid(i[j]) * tanhf(g[j]);
		h[j] = sigmoid(o[j]) * tanhf(c[j]);
	}
}
