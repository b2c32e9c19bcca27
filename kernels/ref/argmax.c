/* SPDX-License-Identifier: MIT */
#include "ref.h"

size_t bk_argmax_c(const float *x, size_t n)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (x[i] > x[best])
			best = i;
	return best;
}
