/* SPDX-License-Identifier: MIT */
/*
 * Products of 4-bit weights by those of 8-bit ones: a group of a panel is
 * unpacked into the integers that it stands for.
 */
#ifndef BK_SIMD_Q4_UNPACK_H
#define BK_SIMD_Q4_UNPACK_H

#include "gemm_i8.h"

/* Group g of a panel, its integers into room. */
VF struct i8_weights q4_unpack(const struct bk_q4 *w, size_t panel, size_t g,
			       int8_t room[BK_I8_ROWS * BK_I8_GROUP])
{
	const size_t groups = bk_i8_groups(w->k), pairs = bk_q4_pairs(w->k);
	const size_t step = BK_Q4_PART / 8, most = BK_Q4_PARTS * step;
	const size_t scale = (panel * groups + g) * BK_I8_ROWS;
	const size_t left = pairs - g * most, n = left < most ? left : most;
	const uint8_t *bits = w->w +
			      (panel * pairs + g * most) * BK_I8_ROWS * 4;

	for (size_t j = 0; j < n; j++) {
		const int8_t *mul = w->mul + scale * BK_Q4_PARTS +
				    j / step * BK_I8_ROWS;
		int8_t *to = room + j * 2 * BK_I8_ROWS * 4;

		i8_prefetch((const int8_t *)bits);
		for (size_t i = 0; i < BK_I8_ROWS * 4; i++, bits++) {
			int m = mul[i / 4];

			to[i] = (int8_t)(((*bits & 15) - 8) * m);
			to[i + BK_I8_ROWS * 4] =
				(int8_t)(((*bits >> 4) - 8) * m);
		}
	}
	return (struct i8_weights){
		.w = room,
		.scale = w->scale + scale,
		.sum = w->sum + scale,
		.quads = n * 2,
	};
}

/* An i8_add_group of a bk_q4. */
VF void q4_group(float *acc, const int8_t *q, size_t ldq, const float *qs,
		 size_t ldqs, size_t rows, const void *w, size_t panel,
		 size_t panels, size_t g)
{
	_Alignas(64) int8_t room[I8_MB * BK_I8_GROUP];
	_Alignas(64) int8_t unpacked[BK_I8_ROWS * BK_I8_GROUP];
	const struct i8_inputs in = i8_rows(q, ldq, qs, ldqs, rows, room);

	for (size_t t = 0; t < panels; t++, acc += I8_MB * BK_I8_ROWS) {
		struct i8_weights wt = q4_unpack(w, panel + t, g, unpacked);

		i8_rows_of(acc, &wt, in, rows);
	}
}

#include "gemm_q4.h"

#endif
