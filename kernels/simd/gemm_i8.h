/* SPDX-License-Identifier: MIT */
/*
 * Products of 8-bit integers over the tiles that the level has defined (see
 * i8_tile.h). A block of rows meets a block of panels a group at a time; the
 * sums wait in memory between the groups, so that each has the same order of
 * additions whatever the blocks are.
 */
#ifndef BK_SIMD_GEMM_I8_H
#define BK_SIMD_GEMM_I8_H

#include "alone.h"
#include "i8_tile.h"

/* Rows and panels of a block: its sums fit into the second-level cache. */
#define I8_MB 96
#define I8_PANELS 4
/* With fewer rows the weights come from memory, best in their order. */
#define I8_MANY_ROWS 9

#define I8_TILE(name, mr)                                                  \
	static BK_ALONE void name(float *acc, const struct i8_weights *w,  \
				  const struct i8_inputs *in)              \
	{                                                                  \
		i8_tile(acc, w, in, (mr));                                 \
	}

I8_TILE(i8_tile_most, I8_MR)
I8_TILE(i8_tile_4, I8_MR < 4 ? I8_MR : 4)
I8_TILE(i8_tile_2, 2)
I8_TILE(i8_tile_1, 1)

VF struct i8_weights i8_weights_of(const struct bk_i8 *w, size_t panel,
				   size_t g)
{
	const size_t quads = bk_i8_quads(w->k), step = BK_I8_GROUP / 4;
	size_t first = panel * quads + g * step;
	size_t scale = (panel * bk_i8_groups(w->k) + g) * BK_I8_ROWS;
	size_t left = quads - g * step;

	return (struct i8_weights){
		.w = w->w + first * BK_I8_ROWS * 4,
		.scale = w->scale + scale,
		.sum = w->sum + scale,
		.quads = left < step ? left : step,
	};
}

/* One group of a panel added to acc[rows][BK_I8_ROWS]. */
VF void i8_rows_of(float *acc, const struct i8_weights *w, struct i8_inputs in,
		   size_t rows)
{
	for (size_t left = rows, mr; left; left -= mr) {
		if (left >= I8_MR) {
			i8_tile_most(acc, w, &in);
			mr = I8_MR;
		} else if (left >= 4) {
			i8_tile_4(acc, w, &in);
			mr = 4;
		} else if (left >= 2) {
			i8_tile_2(acc, w, &in);
			mr = 2;
		} else {
			i8_tile_1(acc, w, &in);
			mr = 1;
		}
		acc += mr * BK_I8_ROWS;
		in.x += mr * in.ldx;
		in.scale += mr * in.ld_scale;
	}
}

/* An i8_add_group of a bk_i8. */
VF void i8_group(float *acc, const int8_t *q, size_t ldq, const float *qs,
		 size_t ldqs, size_t rows, const void *w, size_t panel,
		 size_t panels, size_t g)
{
	_Alignas(64) int8_t room[I8_MB * BK_I8_GROUP];
	const struct i8_inputs in = i8_rows(q, ldq, qs, ldqs, rows, room);

	for (size_t t = 0; t < panels; t++, acc += I8_MB * BK_I8_ROWS) {
		struct i8_weights wt = i8_weights_of(w, panel + t, g);

		i8_rows_of(acc, &wt, in, rows);
	}
}

/* Outputs lo..hi - 1 of a panel. */
VF void i8_store(float *y, size_t ldy, const float *acc, const float *bias,
		 size_t rows, size_t lo, size_t hi)
{
	for (size_t i = 0; i < rows; i++, y += ldy, acc += BK_I8_ROWS)
		for (size_t r = lo; r < hi; r++)
			y[r - lo] = bias ? acc[r] + bias[r - lo] : acc[r];
}

/* What the loop below needs to know of a matrix of either kind. */
struct i8_shape {
	const void *w; /* the matrix itself, for add_group */
	size_t groups;
};

/* Adds group g of panels panel.. to acc[panels][I8_MB][BK_I8_ROWS]. */
typedef void i8_add_group(float *acc, const int8_t *q, size_t ldq,
			  const float *qs, size_t ldqs, size_t rows,
			  const void *w, size_t panel, size_t panels,
			  size_t g);

VF void i8_product(float *y, size_t ldy, const int8_t *q, size_t ldq,
		   const float *qs, size_t ldqs, struct i8_shape w,
		   i8_add_group *add_group, const float *bias, size_t m,
		   size_t first, size_t n)
{
	_Alignas(64) float acc[I8_PANELS * I8_MB * BK_I8_ROWS];
	const size_t end = first + n;
	const size_t most = m < I8_MANY_ROWS ? 1 : I8_PANELS;

	for (size_t i = 0, rows; i < m; i += rows) {
		rows = m - i < I8_MB ? m - i : I8_MB;
		for (size_t o = first, stop; o < end; o = stop) {
			size_t p = o / BK_I8_ROWS;
			size_t panels = bk_i8_panels(end) - p;

			panels = panels < most ? panels : most;
			stop = (p + panels) * BK_I8_ROWS;
			stop = stop < end ? stop : end;
			for (size_t t = 0; t < panels; t++)
				memset(acc + t * I8_MB * BK_I8_ROWS, 0,
				       rows * BK_I8_ROWS * sizeof(*acc));
			for (size_t g = 0; g < w.groups; g++)
				add_group(acc, q + i * ldq + g * BK_I8_GROUP,
					  ldq, qs + i * ldqs + g, ldqs, rows,
					  w.w, p, panels, g);
			for (size_t t = 0; t < panels; t++) {
				size_t at = (p + t) * BK_I8_ROWS;
				size_t lo = at < o ? o - at : 0;
				size_t hi = stop - at < BK_I8_ROWS ?
						    stop - at : BK_I8_ROWS;
				size_t to = at + lo - first;

				i8_store(y + i * ldy + to, ldy,
					 acc + t * I8_MB * BK_I8_ROWS,
					 bias ? bias + to : NULL, rows, lo,
					 hi);
			}
		}
	}
}

static void gemm_i8(float *y, size_t ldy, const int8_t *q, size_t ldq,
		    const float *qs, size_t ldqs, const struct bk_i8 *w,
		    const float *bias, size_t m, size_t first, size_t n)
{
	const struct i8_shape shape = {w, bk_i8_groups(w->k)};

	i8_product(y, ldy, q, ldq, qs, ldqs, shape, i8_group, bias, m, first,
		   n);
}

#endif
