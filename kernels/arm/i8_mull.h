/* SPDX-License-Identifier: MIT */
/* Products of 8-bit integers by the base instructions: two fit into 16 bits. */
#ifndef BK_I8_MULL_H
#define BK_I8_MULL_H

#include "../simd/i8_tile.h"

#define I8_MR 2

VF struct i8_inputs i8_rows(const int8_t *q, size_t ldq, const float *qs,
			    size_t ldqs, size_t rows, int8_t *room)
{
	return (struct i8_inputs){q, ldq, qs, ldqs};
}

/* Four neighbours of a row, twice. */
VF int8x8_t i8_inputs_of(const int8_t *x)
{
	return vreinterpret_s8_s32(vdup_n_s32(i8_four(x)));
}

/*
 * Quads j and, unless it is the last, j + 1. part: for each pair of outputs
 * two sums each.
 */
VF void i8_step(int32x4_t (*part)[I8_VECS * 2], const int8_t *wj,
		const struct i8_inputs *in, size_t j, size_t mr, int last)
{
	const int8_t *next = last ? wj : wj + BK_I8_ROWS * 4;

	for (size_t i = 0; i < mr; i++) {
		const int8_t *x = in->x + i * in->ldx + j * 4;
		int8x8_t x0 = i8_inputs_of(x);
		int8x8_t x1 = last ? vdup_n_s8(0) : i8_inputs_of(x + 4);

		for (size_t c = 0; c < I8_VECS; c++) {
			int8x16_t w0 = vld1q_s8(wj + c * 16);
			int8x16_t w1 = vld1q_s8(next + c * 16);
			int16x8_t lo = vmull_s8(vget_low_s8(w0), x0);
			int16x8_t hi = vmull_s8(vget_high_s8(w0), x0);

			lo = vmlal_s8(lo, vget_low_s8(w1), x1);
			hi = vmlal_s8(hi, vget_high_s8(w1), x1);
			part[i][c * 2] = vpadalq_s16(part[i][c * 2], lo);
			part[i][c * 2 + 1] = vpadalq_s16(part[i][c * 2 + 1],
							 hi);
		}
	}
}

VF void i8_tile(float *acc, const struct i8_weights *w,
		const struct i8_inputs *in, size_t mr)
{
	int32x4_t part[I8_MR][I8_VECS * 2];
	const int8_t *wj = w->w;
	vi dot[I8_VECS];
	size_t j = 0;

	for (size_t i = 0; i < mr; i++)
		for (size_t c = 0; c < I8_VECS * 2; c++)
			part[i][c] = vdupq_n_s32(0);
	for (; j + 2 <= w->quads; j += 2, wj += BK_I8_ROWS * 8) {
		i8_prefetch(wj);
		i8_prefetch(wj + BK_I8_ROWS * 4);
		i8_step(part, wj, in, j, mr, 0);
	}
	if (j < w->quads)
		i8_step(part, wj, in, j, mr, 1);
	for (size_t i = 0; i < mr; i++) {
		for (size_t c = 0; c < I8_VECS; c++)
			dot[c] = vpaddq_s32(part[i][c * 2],
					    part[i][c * 2 + 1]);
		i8_add(acc + i * BK_I8_ROWS, dot,
		       in->scale[i * in->ld_scale], w->scale);
	}
}

#endif
