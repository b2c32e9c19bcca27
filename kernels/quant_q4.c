/* SPDX-License-Identifier: MIT */
/*
 * Packing 4-bit weights: multipliers and scales are tried, and what comes
 * nearest to the weights is kept. For given integers c of weights x the best
 * scale is sum(x c) / sum(c c), and leaves the least error where the square of
 * the first sum over the second is largest.
 */
#include <math.h>
#include <string.h>

#include "quant.h"

#define MOST_MUL 15
/* Groups whose largest is less are zero: squares of theirs would be. */
#define LEAST 0x1p-50f

struct fit {
	float xc, cc; /* the sums */
};

static float gain_of(struct fit f)
{
	return f.cc > 0 ? f.xc * f.xc / f.cc : 0;
}

/* The nearest of -8..7, for any x; adding and taking away rounds. */
static float nearest(float x)
{
	const float whole = 0x1.8p23f;

	x = (x + whole) - whole;
	x = x >= -8 ? x : -8;
	return x > 7 ? 7 : x;
}

/* How well the integers mul * (-8..7) of a part fit at a scale. */
static struct fit fit_part(const float *x, size_t n, float scale, float mul)
{
	const float f = mul == 0 ? 0 : 1 / (scale * mul);
	float xc[8] = {0}, cc[8] = {0};
	struct fit ret = {0, 0};

	for (size_t i = 0; i < n; i++) {
		float c = mul * nearest(x[i] * f);

		xc[i % 8] += x[i] * c;
		cc[i % 8] += c * c;
	}
	for (size_t i = 0; i < 8; i++) {
		ret.xc += xc[i];
		ret.cc += cc[i];
	}
	return ret;
}

/* The scale that fits a part best, of either sign, where it has any. */
static float part_scale(const float *x, size_t n)
{
	float best = 0, gain = 0, top = 0;

	for (size_t i = 0; i < n; i++)
		top = fabsf(x[i]) > fabsf(top) ? x[i] : top;
	if (fabsf(top) < LEAST)
		return 0;
	/* The largest weight at -9.. -6.5 or at 6.5.. 8 steps. */
	for (int i = 0; i < 10; i++) {
		float steps = i < 6 ? -9 + 0.5f * (float)i :
				      6.5f + 0.5f * (float)(i - 6);
		struct fit f = fit_part(x, n, top / steps, 1);

		if (gain_of(f) > gain) {
			gain = gain_of(f);
			best = f.xc / f.cc;
		}
	}
	return best;
}

/* Multipliers of a group at a scale, and how well they fit. */
static struct fit fit_group(int8_t mul[BK_Q4_PARTS], const float *x, size_t n,
			    const float parts[BK_Q4_PARTS], float scale)
{
	struct fit all = {0, 0}, f;

	for (size_t p = 0; p < BK_Q4_PARTS && p * BK_Q4_PART < n; p++) {
		size_t left = n - p * BK_Q4_PART;
		long m = lrintf(parts[p] / scale);

		m = m > MOST_MUL ? MOST_MUL : m < -MOST_MUL ? -MOST_MUL : m;
		mul[p] = (int8_t)m;
		f = fit_part(x + p * BK_Q4_PART,
			     left < BK_Q4_PART ? left : BK_Q4_PART, scale,
			     (float)m);
		all.xc += f.xc;
		all.cc += f.cc;
	}
	return all;
}

struct group {
	float tried; /* the scale that the 4 bits are rounded by */
	float scale; /* the one that fits them best */
	int8_t mul[BK_Q4_PARTS];
};

static struct group search_group(const float *x, size_t n)
{
	struct group best = {0}, g = {0};
	float parts[BK_Q4_PARTS] = {0}, top = 0, gain = 0;

	for (size_t p = 0; p * BK_Q4_PART < n; p++) {
		size_t left = n - p * BK_Q4_PART;

		parts[p] = part_scale(x + p * BK_Q4_PART,
				      left < BK_Q4_PART ? left : BK_Q4_PART);
		top = fabsf(parts[p]) > top ? fabsf(parts[p]) : top;
	}
	if (top < LEAST)
		return best;
	for (int m = MOST_MUL; m >= MOST_MUL / 2; m--) {
		struct fit f;

		g.tried = top / (float)m;
		f = fit_group(g.mul, x, n, parts, g.tried);
		if (gain_of(f) <= gain)
			continue;
		gain = gain_of(f);
		best = g;
		best.scale = f.xc / f.cc;
	}
	return best;
}

/* Group g of one row: lane r of every pair. */
static void pack_group(uint8_t *w, int8_t *mul, float *scale, int32_t *sum,
		       const float *x, size_t n)
{
	const struct group g = search_group(x, n);

	*scale = g.scale;
	*sum = 0;
	for (size_t p = 0; p < BK_Q4_PARTS; p++)
		mul[p * BK_I8_ROWS] = g.mul[p];
	for (size_t j = 0; j < n; j += 8, w += BK_I8_ROWS * 4) {
		const int m = g.mul[j / BK_Q4_PART];
		const float f = m == 0 ? 0 : 1 / (g.tried * (float)m);

		for (size_t i = 0; i < 8; i++) {
			float v = j + i < n ? nearest(x[j + i] * f) : 0;
			unsigned bits = (unsigned)((int)v + 8);

			*sum += m * (int)v;
			w[i % 4] = (uint8_t)(i < 4 ? bits :
						     w[i % 4] | bits << 4);
		}
	}
}

void bk_q4_pack(uint8_t *w, int8_t *mul, float *scale, int32_t *sum,
		const float *src, size_t ld, size_t first, size_t n, size_t k)
{
	const size_t bytes = bk_q4_weight_bytes(1, k);
	const size_t count = bk_i8_scale_count(1, k);
	const size_t panel = first / BK_I8_ROWS;

	w += panel * bytes;
	mul += panel * count * BK_Q4_PARTS;
	scale += panel * count;
	sum += panel * count;
	for (size_t o = 0; o < n; o++) {
		const size_t r = o % BK_I8_ROWS, at = o / BK_I8_ROWS;

		if (r == 0 && n - o < BK_I8_ROWS) {
			memset(w + at * bytes, 0x88, bytes);
			memset(mul + at * count * BK_Q4_PARTS, 0,
			       count * BK_Q4_PARTS);
			memset(scale + at * count, 0, count * sizeof(*scale));
			memset(sum + at * count, 0, count * sizeof(*sum));
		}
		for (size_t j = 0; j < k; j += BK_I8_GROUP) {
			size_t to = at * count + j / BK_I8_GROUP * BK_I8_ROWS;

			pack_group(w + at * bytes + (j / 8 * BK_I8_ROWS + r) * 4,
				   mul + to * BK_Q4_PARTS + r, scale + to + r,
				   sum + to + r, src + o * ld + j,
				   k - j < BK_I8_GROUP ? k - j : BK_I8_GROUP);
		}
	}
}
