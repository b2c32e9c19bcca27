/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "ref.h"

void bk_gelu_c(float *x, size_t n)
{
	/* 1 + erf(t) is erfc(-t), which does not cancel for negative t. */
	for (size_t i = 0; i < n; i++)
		x[i] = 0.5f * x[i] * erfcf(x[i] * -0.70710678f);
}
