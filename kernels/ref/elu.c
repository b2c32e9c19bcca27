/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "ref.h"

void bk_elu_c(float *y, const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = x[i] > 0 ? x[i] : expm1f(x[i]);
}
