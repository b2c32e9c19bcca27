/* SPDX-License-Identifier: MIT */
#include "ref.h"

void bk_add_c(float *y, const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] += x[i];
}
