/* SPDX-License-Identifier: MIT */
/*
 * Matrices of 8-bit and of 4-bit integers with a scale for each group of
 * neighbouring inputs, laid out in panels for the vector units: all outputs of
 * a panel lie together, four inputs of each at a time.
 */
#ifndef BK_QUANT_H
#define BK_QUANT_H

#include <stddef.h>
#include <stdint.h>

#define BK_I8_ROWS  16  /* outputs of a panel */
#define BK_I8_GROUP 128 /* inputs that share a scale */
#define BK_Q4_PART  32  /* inputs that share a multiplier */
#define BK_Q4_PARTS (BK_I8_GROUP / BK_Q4_PART)

/*
 * A quantised matrix [n][k], a view of memory that someone else owns. Element
 * (o, j) stands for scale of (o, j / BK_I8_GROUP) times its integer, which is
 * in -127..127. What pads the last panel, quad or group is zero.
 */
struct bk_i8 {
	/* [panels][quads][BK_I8_ROWS][4]; quads: ceil(k / 4) */
	const int8_t *w;
	/* [panels][groups][BK_I8_ROWS]; groups: ceil(k / BK_I8_GROUP) */
	const float *scale;
	/* [panels][groups][BK_I8_ROWS]: sums of the integers of a group */
	const int32_t *sum;
	size_t n, k;
};

/*
 * The same of 4 bits: element (o, j) stands for scale of (o, j / BK_I8_GROUP)
 * times an integer that is the product of the multiplier of (o, j /
 * BK_Q4_PART), in -15..15, and of the 4 bits less 8. All the integers, in
 * -120..120, are a bk_i8's of the same scales and sums. What pads the last
 * panel, pair of quads or group has bits of 8, or a multiplier, scale or sum
 * of zero.
 */
struct bk_q4 {
	/* [panels][pairs][BK_I8_ROWS][4]; pairs: ceil(k / 8). The lower bits
	 * of a byte belong to the pair's first quad, the upper to its second */
	const uint8_t *w;
	/* [panels][groups][BK_Q4_PARTS][BK_I8_ROWS] */
	const int8_t *mul;
	const float *scale; /* as bk_i8's */
	const int32_t *sum; /* as bk_i8's */
	size_t n, k;
};

static inline size_t bk_i8_panels(size_t n)
{
	return (n + BK_I8_ROWS - 1) / BK_I8_ROWS;
}

static inline size_t bk_i8_quads(size_t k)
{
	return (k + 3) / 4;
}

static inline size_t bk_i8_groups(size_t k)
{
	return (k + BK_I8_GROUP - 1) / BK_I8_GROUP;
}

/* Bytes of bk_i8.w; at most n * k + 15 * k + 3 * n + 45. */
static inline size_t bk_i8_weight_bytes(size_t n, size_t k)
{
	return bk_i8_panels(n) * bk_i8_quads(k) * BK_I8_ROWS * 4;
}

/* Elements of bk_i8.scale, and of bk_i8.sum. */
static inline size_t bk_i8_scale_count(size_t n, size_t k)
{
	return bk_i8_panels(n) * bk_i8_groups(k) * BK_I8_ROWS;
}

static inline size_t bk_q4_pairs(size_t k)
{
	return (k + 7) / 8;
}

/* Bytes of bk_q4.w. */
static inline size_t bk_q4_weight_bytes(size_t n, size_t k)
{
	return bk_i8_panels(n) * bk_q4_pairs(k) * BK_I8_ROWS * 4;
}

/* Elements of bk_q4.mul. */
static inline size_t bk_q4_mul_count(size_t n, size_t k)
{
	return bk_i8_scale_count(n, k) * BK_Q4_PARTS;
}

/*
 * Quantises rows first..first + n - 1 of a matrix with k inputs into the
 * arrays of the whole matrix, by the formula of bk_ops.quantize_i8. src: those
 * rows, [n][k], ld floats apart. first is a multiple of BK_I8_ROWS, and so is
 * n unless the rows are the matrix's last. Holds no state; calls for different
 * rows may run at the same time.
 */
void bk_i8_pack(int8_t *w, float *scale, int32_t *sum, const float *src,
		size_t ld, size_t first, size_t n, size_t k);

/* The same in 4 bits, by a search for multipliers and scales that make the
 * squared error small. Groups of nothing but less than 2^-50 become 0. */
void bk_q4_pack(uint8_t *w, int8_t *mul, float *scale, int32_t *sum,
		const float *src, size_t ld, size_t first, size_t n, size_t k);

#endif
