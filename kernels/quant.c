/* SPDX-License-Identifier: MIT */
#include "quant.h"

#include <string.h>

#include "ref/ref.h"

/* One row's share of a panel: lane r of every quad. */
static void pack_row(int8_t *w, float *scale, int32_t *sum, const float *src,
		     size_t r, size_t k)
{
	int8_t q[BK_I8_GROUP];

	for (size_t j = 0, n; j < k; j += n) {
		size_t at = j / BK_I8_GROUP * BK_I8_ROWS + r;

		n = k - j < BK_I8_GROUP ? k - j : BK_I8_GROUP;
		bk_quantize_i8_c(q, &scale[at], src + j, n);
		sum[at] = 0;
		for (size_t i = 0; i < n; i++)
			sum[at] += q[i];
		for (size_t i = 0; i < n; i += 4)
			memcpy(w + ((j + i) / 4 * BK_I8_ROWS + r) * 4, q + i,
			       4);
	}
}

void bk_i8_pack(int8_t *w, float *scale, int32_t *sum, const float *src,
		size_t ld, size_t first, size_t n, size_t k)
{
	size_t panel = bk_i8_weight_bytes(1, k);
	size_t count = bk_i8_scale_count(1, k);

	w += first / BK_I8_ROWS * panel;
	scale += first / BK_I8_ROWS * count;
	sum += first / BK_I8_ROWS * count;
	for (size_t o = 0; o < n; o += BK_I8_ROWS) {
		size_t rows = n - o < BK_I8_ROWS ? n - o : BK_I8_ROWS;

		if (rows < BK_I8_ROWS) {
			memset(w, 0, panel);
			memset(scale, 0, count * sizeof(*scale));
			memset(sum, 0, count * sizeof(*sum));
		}
		for (size_t r = 0; r < rows; r++)
			pack_row(w, scale, sum, src + (o + r) * ld, r, k);
		w += panel;
		scale += count;
		sum += count;
	}
}
