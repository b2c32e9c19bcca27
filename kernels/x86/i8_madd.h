/* SPDX-License-Identifier: MIT */
/*
 * Products of 8-bit integers without VNNI: the weights' magnitude times the
 * inputs with the weights' sign, a pair of which fits into 16 bits.
 */
#ifndef BK_I8_MADD_H
#define BK_I8_MADD_H

#include "../simd/i8_tile.h"

#define I8_MR (VL == 8 ? 4 : 8)

VF struct i8_inputs i8_rows(const int8_t *q, size_t ldq, const float *qs,
			    size_t ldqs, size_t rows, int8_t *room)
{
	return (struct i8_inputs){q, ldq, qs, ldqs};
}

VF void i8_tile(float *acc, const struct i8_weights *w,
		const struct i8_inputs *in, size_t mr)
{
	const int8_t *wj = w->w;
	vi dot[I8_MR][I8_VECS];
	vb wv[I8_VECS], size[I8_VECS], xv;

	i8_zero(dot, mr);
#pragma GCC unroll 2
	for (size_t j = 0; j < w->quads; j++, wj += BK_I8_ROWS * 4) {
		i8_prefetch(wj);
		for (size_t c = 0; c < I8_VECS; c++) {
			wv[c] = vb_load(wj + c * VL * 4);
			size[c] = vb_abs(wv[c]);
		}
		for (size_t i = 0; i < mr; i++) {
			xv = vb_set1_four(i8_four(in->x + i * in->ldx + j * 4));
			for (size_t c = 0; c < I8_VECS; c++)
				dot[i][c] += vb_dot(size[c],
						    vb_sign(xv, wv[c]));
		}
	}
	for (size_t i = 0; i < mr; i++)
		i8_add(acc + i * BK_I8_ROWS, dot[i],
		       in->scale[i * in->ld_scale], w->scale);
}

/* Of 4-bit weights: a part of 32 inputs is added up in 16 bits. */
VF int32_t q4_start(int32_t less) { return less; }

VF vb q4_step(vb sum, vb w, vb x)
{
	return vb_add_pairs(sum, vb_maddubs(w, x));
}

VF vi q4_end(vb sum, vi mul)
{
	return vb_dot_pairs(sum, (vb)((mul & 0xffff) | mul << 16));
}

#endif
