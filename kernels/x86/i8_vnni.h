/* SPDX-License-Identifier: MIT */
/*
 * Products of 8-bit integers by VNNI, whose instruction takes unsigned bytes
 * times signed ones: the inputs are moved up by 128, and 128 times the sum of
 * the weights is taken off. The including file defines vb_dpbusd.
 */
#ifndef BK_I8_VNNI_H
#define BK_I8_VNNI_H

#include "../simd/i8_tile.h"

#define I8_MR (VL == 8 ? 6 : 12)

VF struct i8_inputs i8_rows(const int8_t *q, size_t ldq, const float *qs,
			    size_t ldqs, size_t rows, int8_t *room)
{
	const vb top = vb_set1_four((int32_t)0x80808080);

	for (size_t i = 0; i < rows; i++)
		for (size_t j = 0; j < BK_I8_GROUP; j += VL * 4)
			vb_store(room + i * BK_I8_GROUP + j,
				 vb_load(q + i * ldq + j) ^ top);
	return (struct i8_inputs){room, BK_I8_GROUP, qs, ldqs};
}

/* Quad j of mr rows. */
VF void i8_step(vi (*dot)[I8_VECS], const struct i8_weights *w,
		const struct i8_inputs *in, size_t j, size_t mr)
{
	const int8_t *wj = w->w + j * BK_I8_ROWS * 4;
	vb wv[I8_VECS], xv;

	i8_prefetch(wj);
	for (size_t c = 0; c < I8_VECS; c++)
		wv[c] = vb_load(wj + c * VL * 4);
	for (size_t i = 0; i < mr; i++) {
		xv = vb_set1_four(i8_four(in->x + i * in->ldx + j * 4));
		for (size_t c = 0; c < I8_VECS; c++)
			dot[i][c] = vb_dpbusd(dot[i][c], xv, wv[c]);
	}
}

VF void i8_tile(float *acc, const struct i8_weights *w,
		const struct i8_inputs *in, size_t mr)
{
	vi dot[I8_MR][I8_VECS], odd[2][I8_VECS];
	size_t j = 0;

	for (size_t i = 0; i < mr; i++)
		for (size_t c = 0; c < I8_VECS; c++)
			dot[i][c] = (vi)vb_load(w->sum + c * VL) * -128;
	if (mr <= 2) { /* too few sums to hide an instruction's latency */
		i8_zero(odd, mr);
		for (; j + 2 <= w->quads; j += 2) {
			i8_step(dot, w, in, j, mr);
			i8_step(odd, w, in, j + 1, mr);
		}
		for (size_t i = 0; i < mr; i++)
			for (size_t c = 0; c < I8_VECS; c++)
				dot[i][c] += odd[i][c];
	}
	for (; j < w->quads; j++)
		i8_step(dot, w, in, j, mr);
	for (size_t i = 0; i < mr; i++)
		i8_add(acc + i * BK_I8_ROWS, dot[i],
		       in->scale[i * in->ld_scale], w->scale);
}

/* Of 4-bit weights: a part's sums are whole. */
VF int32_t q4_start(int32_t less)
{
	return (int16_t)less + (less >> 16);
}

VF vb q4_step(vb sum, vb w, vb x) { return (vb)vb_dpbusd((vi)sum, w, x); }
VF vi q4_end(vb sum, vi mul) { return (vi)sum * mul; }

#endif
