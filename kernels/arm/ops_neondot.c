/* SPDX-License-Identifier: MIT */
/* Products of 8-bit integers by the instructions of FEAT_DotProd. */
#include "../cpu.h"
#include "vec_neon.h"

#include "../simd/i8_tile.h"

/* 24 sums, the panel's four vectors and one of x of the 32 registers. */
#define I8_MR 6

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
	int8x16_t wv[I8_VECS], xv;

	i8_zero(dot, mr);
	for (size_t j = 0; j < w->quads; j++, wj += BK_I8_ROWS * 4) {
		i8_prefetch(wj);
		for (size_t c = 0; c < I8_VECS; c++)
			wv[c] = vld1q_s8(wj + c * 16);
		for (size_t i = 0; i < mr; i++) {
			xv = vreinterpretq_s8_s32(vdupq_n_s32(
				i8_four(in->x + i * in->ldx + j * 4)));
			for (size_t c = 0; c < I8_VECS; c++)
				dot[i][c] = vdotq_s32(dot[i][c], wv[c], xv);
		}
	}
	for (size_t i = 0; i < mr; i++)
		i8_add(acc + i * BK_I8_ROWS, dot[i],
		       in->scale[i * in->ld_scale], w->scale);
}

#include "../simd/q4_unpack.h"

void bk_ops_init_neondot(struct bk_ops *ops)
{
	bk_ops_init_neon(ops);
	ops->gemm_i8 = gemm_i8;
	ops->gemm_q4 = gemm_q4;
}
