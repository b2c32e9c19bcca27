/* SPDX-License-Identifier: MIT */
/* Products of 4-bit weights: what the header says, to the bit, at all levels;
 * and packing that stays near the weights. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 200
#define MAX_K 1300

struct matrix {
	struct guarded gw, gm, gs, gc;
	uint8_t *bits;
	int8_t *mul;
	float *scale;
	int32_t *sum;
	struct bk_q4 w;
};

static void make(struct matrix *a, size_t n, size_t k)
{
	const size_t count = bk_i8_scale_count(n, k);

	a->bits = guarded_new(&a->gw, bk_q4_weight_bytes(n, k), 1);
	a->mul = guarded_new(&a->gm, bk_q4_mul_count(n, k), 1);
	a->scale = guarded_new(&a->gs, count, 4);
	a->sum = guarded_new(&a->gc, count, 4);
	/* Arrays hold anything before they are filled. */
	memset(a->bits, 0x55, bk_q4_weight_bytes(n, k));
	memset(a->mul, 0x55, bk_q4_mul_count(n, k));
	memset(a->scale, 0x55, count * 4);
	memset(a->sum, 0x55, count * 4);
	a->w = (struct bk_q4){a->bits, a->mul, a->scale, a->sum, n, k};
}

static int unmake(struct matrix *a)
{
	int whole = guarded_free(&a->gw);

	whole &= guarded_free(&a->gm);
	whole &= guarded_free(&a->gs);
	return whole & guarded_free(&a->gc);
}

/* The integer of (o, j), which may lie in the padding; groups * 128 inputs. */
static int integer(const struct bk_q4 *w, size_t o, size_t j)
{
	size_t panel = o / BK_I8_ROWS, r = o % BK_I8_ROWS;
	size_t part = panel * bk_i8_groups(w->k) * BK_Q4_PARTS + j / BK_Q4_PART;
	size_t pair = j / 8;
	int bits;

	if (pair >= bk_q4_pairs(w->k))
		return 0;
	bits = w->w[((panel * bk_q4_pairs(w->k) + pair) * BK_I8_ROWS + r) * 4 +
		    j % 4];
	bits = j % 8 < 4 ? bits & 15 : bits >> 4;
	return w->mul[part * BK_I8_ROWS + r] * (bits - 8);
}

static size_t scale_at(const struct bk_q4 *w, size_t o, size_t g)
{
	return (o / BK_I8_ROWS * bk_i8_groups(w->k) + g) * BK_I8_ROWS +
	       o % BK_I8_ROWS;
}

/* --- packing --- */

static void fill(float *x, size_t n)
{
	unsigned kind = check_rand() % 6;
	float range = check_rand() % 4 ? 1 : 3000;

	for (size_t i = 0; i < n; i++) {
		x[i] = check_float(range);
		if (kind == 1 && i / BK_Q4_PART % 2)
			x[i] = check_rand() % 2 ? 0 : -0.0f;
		if (kind == 2)
			x[i] = range;
		if (kind == 3) /* parts of sizes far apart */
			x[i] = ldexpf(x[i], -(int)(i / BK_Q4_PART % 4));
		if (kind == 4 && i % 50 == 7)
			x[i] *= 4;
	}
}

/* The error where each part is rounded to sevenths of its largest. */
static double plain_error(const float *x, size_t n)
{
	double off = 0;

	for (size_t j = 0; j < n; j += BK_Q4_PART) {
		size_t m = n - j < BK_Q4_PART ? n - j : BK_Q4_PART;
		float top = 0, s;

		for (size_t i = 0; i < m; i++)
			top = fabsf(x[j + i]) > top ? fabsf(x[j + i]) : top;
		s = top / 7;
		for (size_t i = 0; i < m && s > 0; i++) {
			float d = x[j + i] - rintf(x[j + i] / s) * s;

			off += (double)(d * d);
		}
	}
	return off;
}

/* Of one group: sums, range, padding, and distance from the weights. */
static const char *packed_group(const struct bk_q4 *w, size_t o, size_t g,
				const float *x, size_t n)
{
	const size_t at = scale_at(w, o, g);
	double all = 0, off = 0;
	int sum = 0;

	for (size_t j = 0; j < BK_I8_GROUP; j++) {
		int c = integer(w, o, g * BK_I8_GROUP + j);
		double want = j < n ? (double)x[j] : 0;
		double d = want - (double)w->scale[at] * c;

		if (c < -120 || c > 120)
			return "an integer is out of range";
		sum += c;
		all += want * want;
		off += d * d;
	}
	if (sum != w->sum[at])
		return "the sum of a group is wrong";
	/* Groups of less than 2^-50 may be zero. */
	return off > 1.1 * plain_error(x, n) + 1e-4 * all + n * 0x1p-100 ?
		       "packed weights are far off" : NULL;
}

static const char *packed(void)
{
	const size_t n = check_size(1, 40), k = check_size(1, 400);
	size_t some = check_size(0, bk_i8_panels(n)) * BK_I8_ROWS;
	float *rows = malloc(n * k * sizeof(*rows));
	const char *trouble = NULL;
	struct matrix a;

	if (!rows)
		abort();
	for (size_t o = 0; o < n; o++)
		fill(rows + o * k, k);
	make(&a, n, k);
	some = some < n ? some : n;
	bk_q4_pack(a.bits, a.mul, a.scale, a.sum, rows, k, 0, some, k);
	bk_q4_pack(a.bits, a.mul, a.scale, a.sum, rows + some * k, k, some,
		   n - some, k);
	for (size_t o = 0; o < bk_i8_panels(n) * BK_I8_ROWS && !trouble; o++)
		for (size_t g = 0; g < bk_i8_groups(k) && !trouble; g++) {
			size_t left = k - g * BK_I8_GROUP;

			left = left < BK_I8_GROUP ? left : BK_I8_GROUP;
			trouble = packed_group(&a.w, o, g,
					       rows + o * k + g * BK_I8_GROUP,
					       o < n ? left : 0);
		}
	free(rows);
	return unmake(&a) ? trouble : "wrote outside a buffer";
}

/* --- products --- */

/* Any bits and multipliers, or all of them the most extreme. */
static void invent(struct matrix *a)
{
	const struct bk_q4 *w = &a->w;
	const size_t n = bk_i8_panels(w->n) * BK_I8_ROWS;
	unsigned kind = check_rand() % 4;

	for (size_t i = 0; i < bk_q4_weight_bytes(w->n, w->k); i++)
		a->bits[i] = (uint8_t)(kind == 0 ? 0 : kind == 1 ? 0xff :
							    check_rand());
	for (size_t i = 0; i < bk_q4_mul_count(w->n, w->k); i++)
		a->mul[i] = (int8_t)(kind == 2 ? (int)(check_rand() % 31) - 15 :
				     check_rand() % 8 ? 15 : -15);
	for (size_t o = 0; o < n; o++)
		for (size_t g = 0; g < bk_i8_groups(w->k); g++) {
			size_t at = scale_at(w, o, g);

			a->scale[at] = check_float(1);
			a->sum[at] = 0;
			for (size_t j = 0; j < BK_I8_GROUP; j++)
				a->sum[at] += integer(w, o,
						      g * BK_I8_GROUP + j);
		}
}

/* Quantised rows against them. */
struct rows {
	struct guarded gq, gs;
	int8_t *q;
	float *scale;
	size_t m, ldq, lds;
};

static void invent_rows(struct rows *x, size_t k)
{
	size_t groups = bk_i8_groups(k);
	unsigned kind = check_rand() % 3;

	x->m = check_rand() % 4 ? check_size(1, 14) : check_size(1, 110);
	x->ldq = (groups + check_rand() % 2) * BK_I8_GROUP;
	x->lds = groups + check_rand() % 3;
	x->q = guarded_new(&x->gq, (x->m - 1) * x->ldq + groups * BK_I8_GROUP,
			   1);
	x->scale = guarded_floats(&x->gs, (x->m - 1) * x->lds + groups, 1);
	for (size_t i = 0; i < x->m; i++)
		for (size_t j = 0; j < groups * BK_I8_GROUP; j++)
			x->q[i * x->ldq + j] = (int8_t)(
				j >= k ? 0 : kind == 0 ? 127 :
				kind == 1 ? -127 :
					    (int)(check_rand() % 255) - 127);
}

static float truth(const struct bk_q4 *w, const struct rows *x, size_t i,
		   size_t o)
{
	float acc = 0;

	for (size_t g = 0; g < bk_i8_groups(w->k); g++) {
		double dot = 0;

		for (size_t j = g * BK_I8_GROUP; j < (g + 1) * BK_I8_GROUP; j++)
			dot += integer(w, o, j) * x->q[i * x->ldq + j];
		acc = fmaf((float)dot, x->scale[i * x->lds + g] *
					       w->scale[scale_at(w, o, g)],
			   acc);
	}
	return acc;
}

/* Some outputs, whole and in pieces; the rest of y stays as it was. */
static const char *multiply(const struct check *c, const struct bk_q4 *w,
			    const struct rows *x)
{
	size_t first = check_rand() % 3 ? check_size(0, w->n - 1) : 0;
	size_t n = check_rand() % 3 ? check_size(1, w->n - first) :
				      w->n - first;
	size_t ldy = n + check_rand() % 3 * 5, count = (x->m - 1) * ldy + n;
	struct guarded gw, gy, gb;
	float *bias = guarded_floats(&gb, n, 1);
	float *y = guarded_floats(&gy, count, 1);
	float *want = guarded_new(&gw, count, sizeof(*want));
	const char *trouble = NULL;
	int biased = check_rand() % 4 > 0;

	memcpy(want, y, count * sizeof(*y));
	for (size_t i = 0; i < x->m; i++)
		for (size_t o = 0; o < n; o++)
			want[i * ldy + o] = truth(w, x, i, first + o) +
					    (biased ? bias[o] : 0);
	c->ops.gemm_q4(y, ldy, x->q, x->ldq, x->scale, x->lds, w,
		       biased ? bias : NULL, x->m, first, n);
	if (memcmp(want, y, count * sizeof(*y)))
		trouble = "other bits than the definition's";
	for (size_t i = 0, mr; i < x->m && !trouble; i += mr) {
		mr = check_size(1, x->m - i);
		for (size_t o = 0, nr; o < n; o += nr) {
			nr = check_size(1, n - o);
			c->ops.gemm_q4(y + i * ldy + o, ldy, x->q + i * x->ldq,
				       x->ldq, x->scale + i * x->lds, x->lds, w,
				       biased ? bias + o : NULL, mr, first + o,
				       nr);
		}
	}
	if (!trouble && memcmp(want, y, count * sizeof(*y)))
		trouble = "a split product gives other bits";
	if (!guarded_free(&gw) || !guarded_free(&gy) || !guarded_free(&gb))
		trouble = "wrote outside a buffer";
	return trouble;
}

void check_q4(const struct check *c)
{
	const struct error none = {0};
	const char *pack = NULL, *gemm = NULL;

	for (int i = 0; i < ROUNDS && !gemm && !pack; i++) {
		struct matrix a;
		struct rows x;

		pack = packed();
		make(&a, check_size(1, 70), check_rand() % 4 ?
		     check_size(1, 300) : check_size(1, MAX_K));
		invent(&a);
		invent_rows(&x, a.w.k);
		gemm = multiply(c, &a.w, &x);
		if (!guarded_free(&x.gq) || !guarded_free(&x.gs) || !unmake(&a))
			gemm = "wrote outside a buffer";
	}
	if (c->ops.level != BK_LEVEL_C && c->ops.gemm_q4 == c->ref.gemm_q4)
		gemm = "the level has no function of its own";
	error_report(c, "pack-q4", &none, pack);
	error_report(c, "gemm-q4", &none, gemm);
}
