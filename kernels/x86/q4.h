/* SPDX-License-Identifier: MIT */
/*
 * Products of 4-bit weights in place. The bits, 0..15, are multiplied by the
 * inputs as they are, and what 8 times the inputs adds up to is taken off at
 * the start of each part; its multiplier comes in at the end. The including
 * file defines what a part's sums are:
 *   q4_start  from a part's inputs, what is taken off
 *   q4_step   adds the products of a quad
 *   q4_end    a part's sums, times its multipliers
 */
#ifndef BK_X86_Q4_H
#define BK_X86_Q4_H

#include "../simd/gemm_i8.h"

/* Rows of a tile: sums of a part, four quads of weights, two of inputs. */
#define Q4_MR (VL == 8 ? 4 : 12)

/* One group of one panel. */
struct q4_weights {
	const uint8_t *w;
	const int8_t *mul;
	const float *scale;
	size_t pairs;
};

/* One group of some rows. */
struct q4_inputs {
	const int8_t *x;
	size_t ldx;
	const int32_t *start; /* [rows][BK_Q4_PARTS], by q4_start */
	const float *scale;
	size_t ld_scale;
};

/*
 * For a part's inputs, -8 times their sums over all quads: of the first two of
 * a quad in the lower 16 bits, of the last two in the upper ones.
 */
VF int32_t q4_less(const int8_t *x)
{
	__m256i all = _mm256_maddubs_epi16(
		_mm256_set1_epi8(1),
		_mm256_loadu_si256((const __m256i *)(const void *)x));
	__m128i sum = _mm_add_epi16(_mm256_castsi256_si128(all),
				    _mm256_extracti128_si256(all, 1));

	sum = _mm_add_epi16(sum, _mm_unpackhi_epi64(sum, sum));
	sum = _mm_add_epi16(sum, _mm_shuffle_epi32(sum, 1));
	sum = _mm_sub_epi16(_mm_setzero_si128(), _mm_slli_epi16(sum, 3));
	return _mm_cvtsi128_si32(sum);
}

/* Pair j of mr rows. */
VF void q4_pair(vb (*sum)[I8_VECS], const struct q4_weights *w,
		const struct q4_inputs *in, size_t j, size_t mr)
{
	const uint8_t *wj = w->w + j * BK_I8_ROWS * 4;
	const vb low = vb_set1_four(0x0f0f0f0f);
	vb first[I8_VECS], second[I8_VECS];

	i8_prefetch((const int8_t *)wj);
	for (size_t c = 0; c < I8_VECS; c++) {
		vb both = vb_load(wj + c * VL * 4);

		first[c] = vb_and(both, low);
		second[c] = vb_and((vb)((vi)both >> 4), low);
	}
	for (size_t i = 0; i < mr; i++) {
		const int8_t *x = in->x + i * in->ldx + j * 8;
		vb x0 = vb_set1_four(i8_four(x));
		vb x1 = vb_set1_four(i8_four(x + 4));

		for (size_t c = 0; c < I8_VECS; c++) {
			sum[i][c] = q4_step(sum[i][c], first[c], x0);
			sum[i][c] = q4_step(sum[i][c], second[c], x1);
		}
	}
}

VF void q4_tile(float *acc, const struct q4_weights *w,
		const struct q4_inputs *in, size_t mr)
{
	const size_t step = BK_Q4_PART / 8;
	vi dot[Q4_MR][I8_VECS];
	vb sum[Q4_MR][I8_VECS];

	i8_zero(dot, mr);
	for (size_t p = 0, j = 0; j < w->pairs; p++) {
		size_t end = j + step < w->pairs ? j + step : w->pairs;

		for (size_t i = 0; i < mr; i++)
			for (size_t c = 0; c < I8_VECS; c++)
				sum[i][c] = vb_set1_four(
					in->start[i * BK_Q4_PARTS + p]);
		for (; j < end; j++)
			q4_pair(sum, w, in, j, mr);
		for (size_t c = 0; c < I8_VECS; c++) {
			vi mul = vi_load_i8(w->mul + p * BK_I8_ROWS + c * VL);

			for (size_t i = 0; i < mr; i++)
				dot[i][c] += q4_end(sum[i][c], mul);
		}
	}
	for (size_t i = 0; i < mr; i++)
		i8_add(acc + i * BK_I8_ROWS, dot[i],
		       in->scale[i * in->ld_scale], w->scale);
}

#define Q4_TILE(name, mr)                                                  \
	static BK_ALONE void name(float *acc, const struct q4_weights *w,  \
				  const struct q4_inputs *in)              \
	{                                                                  \
		q4_tile(acc, w, in, (mr));                                 \
	}

Q4_TILE(q4_tile_most, Q4_MR)
Q4_TILE(q4_tile_4, 4)
Q4_TILE(q4_tile_2, 2)
Q4_TILE(q4_tile_1, 1)

/* One group of a panel added to acc[rows][BK_I8_ROWS]. */
VF void q4_rows_of(float *acc, const struct q4_weights *w, struct q4_inputs in,
		   size_t rows)
{
	for (size_t left = rows, mr; left; left -= mr) {
		if (left >= Q4_MR) {
			q4_tile_most(acc, w, &in);
			mr = Q4_MR;
		} else if (left >= 4) {
			q4_tile_4(acc, w, &in);
			mr = 4;
		} else if (left >= 2) {
			q4_tile_2(acc, w, &in);
			mr = 2;
		} else {
			q4_tile_1(acc, w, &in);
			mr = 1;
		}
		acc += mr * BK_I8_ROWS;
		in.x += mr * in.ldx;
		in.start += mr * BK_Q4_PARTS;
		in.scale += mr * in.ld_scale;
	}
}

VF struct q4_weights q4_weights_of(const struct bk_q4 *w, size_t panel,
				   size_t g)
{
	const size_t pairs = bk_q4_pairs(w->k), most = BK_I8_GROUP / 8;
	const size_t scale = (panel * bk_i8_groups(w->k) + g) * BK_I8_ROWS;
	const size_t left = pairs - g * most;

	return (struct q4_weights){
		.w = w->w + (panel * pairs + g * most) * BK_I8_ROWS * 4,
		.mul = w->mul + scale * BK_Q4_PARTS,
		.scale = w->scale + scale,
		.pairs = left < most ? left : most,
	};
}

/* An i8_add_group of a bk_q4. */
VF void q4_group(float *acc, const int8_t *q, size_t ldq, const float *qs,
		 size_t ldqs, size_t rows, const void *w, size_t panel,
		 size_t panels, size_t g)
{
	int32_t start[I8_MB * BK_Q4_PARTS];
	const struct q4_inputs in = {q, ldq, start, qs, ldqs};

	for (size_t i = 0; i < rows; i++)
		for (size_t p = 0; p < BK_Q4_PARTS; p++)
			start[i * BK_Q4_PARTS + p] =
				q4_start(q4_less(q + i * ldq + p * BK_Q4_PART));
	for (size_t t = 0; t < panels; t++, acc += I8_MB * BK_I8_ROWS) {
		struct q4_weights wt = q4_weights_of(w, panel + t, g);

		q4_rows_of(acc, &wt, in, rows);
	}
}

#include "../simd/gemm_q4.h"

#endif
