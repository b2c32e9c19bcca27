/* SPDX-License-Identifier: MIT */
/*
 * What the tiles of a product of 8-bit integers are made of. A level defines
 * with it, for gemm_i8.h:
 *   I8_MR    rows of a tile, as many as the registers hold
 *   i8_tile  adds mr <= I8_MR rows of one group to acc[mr][BK_I8_ROWS]
 *   i8_rows  what i8_tile takes for the integers of some rows' group
 */
#ifndef BK_SIMD_I8_TILE_H
#define BK_SIMD_I8_TILE_H

/* Vectors of a panel's outputs. */
#define I8_VECS (BK_I8_ROWS / VL)
/* How far ahead of the reads the prefetch is that the processor leaves out. */
#define I8_AHEAD 4096

/* One group of one panel. */
struct i8_weights {
	const int8_t *w;
	const float *scale;
	const int32_t *sum;
	size_t quads;
};

/* One group of some rows; x, its bytes, is of the level's own making. */
struct i8_inputs {
	const int8_t *x;
	size_t ldx;
	const float *scale;
	size_t ld_scale;
};

VF void i8_prefetch(const int8_t *w)
{
	/* Past the end of the matrix it does nothing. */
	__builtin_prefetch((const void *)((uintptr_t)w + I8_AHEAD));
}

/* Four neighbours of a row, in every lane. */
VF int32_t i8_four(const void *x)
{
	int32_t four;

	memcpy(&four, x, sizeof(four));
	return four;
}

VF void i8_zero(vi (*dot)[I8_VECS], size_t mr)
{
	for (size_t i = 0; i < mr; i++)
		for (size_t c = 0; c < I8_VECS; c++)
			dot[i][c] = (vi){0};
}

/* acc = fma(dot, product of the scales, acc) for one row of a panel. */
VF void i8_add(float *acc, const vi *dot, float qs, const float *scale)
{
	vf s = vf_set1(qs);

	for (size_t c = 0; c < I8_VECS; c++)
		vf_store(acc + c * VL,
			 vf_fma(vf_from_i32(dot[c]),
				vf_mul(s, vf_load(scale + c * VL)),
				vf_load(acc + c * VL)));
}

#endif
