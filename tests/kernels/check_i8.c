/* SPDX-License-Identifier: MIT */
/* Quantised products: the same bits from every level, split as one likes. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 200
#define MAX_K 3300

/* A quantised matrix with the floats it was made of, and rows against it. */
struct product {
	struct guarded gw, gs, gc, gq, gr, gb;
	int8_t *weights, *q;
	float *scale, *qs, *bias, *rows;
	int32_t *sum;
	struct bk_i8 w;
	size_t m, ldq, ldqs;
};

/* Rows of every kind: plain, of zeros in part, all at the ends, tiny. */
static void fill(float *x, size_t n)
{
	unsigned kind = check_rand() % 8;
	float range = check_rand() % 8 ? 1 : 3000;

	for (size_t i = 0; i < n; i++) {
		x[i] = check_float(range);
		if (kind == 1 && i / BK_I8_GROUP % 2)
			x[i] = check_rand() % 2 ? 0 : -0.0f;
		if (kind == 2)
			x[i] = check_rand() % 2 ? range : -range;
		if (kind == 3) /* every product has one sign */
			x[i] = range;
		if (kind == 4)
			x[i] = check_float(0x1p-99f);
	}
}

static void make(struct product *p)
{
	size_t n, k, groups, some, q_size;

	n = check_size(1, check_rand() % 4 ? 70 : 170);
	k = check_rand() % 4 ? check_size(1, 600) : check_size(1, MAX_K);
	p->m = check_rand() % 4 ? check_size(1, 9) : check_size(1, 110);
	groups = bk_i8_groups(k);
	p->weights = guarded_new(&p->gw, bk_i8_weight_bytes(n, k), 1);
	p->scale = guarded_new(&p->gs, bk_i8_scale_count(n, k), 4);
	p->sum = guarded_new(&p->gc, bk_i8_scale_count(n, k), 4);
	/* Arrays hold anything before they are filled. */
	memset(p->weights, 0x55, bk_i8_weight_bytes(n, k));
	memset(p->scale, 0x55, 4 * bk_i8_scale_count(n, k));
	memset(p->sum, 0x55, 4 * bk_i8_scale_count(n, k));
	p->rows = malloc(n * k * sizeof(*p->rows));
	if (!p->rows)
		abort();
	for (size_t o = 0; o < n; o++)
		fill(p->rows + o * k, k);
	some = check_size(0, bk_i8_panels(n)) * BK_I8_ROWS;
	some = some < n ? some : n;
	bk_i8_pack(p->weights, p->scale, p->sum, p->rows, k, 0, some, k);
	bk_i8_pack(p->weights, p->scale, p->sum, p->rows + some * k, k, some,
		   n - some, k);
	p->w = (struct bk_i8){p->weights, p->scale, p->sum, n, k};

	p->ldq = groups * BK_I8_GROUP + check_rand() % 2 * BK_I8_GROUP;
	p->ldqs = groups + check_rand() % 3;
	q_size = (p->m - 1) * p->ldq + groups * BK_I8_GROUP;
	p->q = guarded_new(&p->gq, q_size, 1);
	p->qs = guarded_new(&p->gr, (p->m - 1) * p->ldqs + groups, 4);
	p->bias = guarded_floats(&p->gb, n, 1);
}

static int unmake(struct product *p)
{
	int whole = guarded_free(&p->gw);

	whole &= guarded_free(&p->gs);
	whole &= guarded_free(&p->gc);
	whole &= guarded_free(&p->gq);
	whole &= guarded_free(&p->gr);
	whole &= guarded_free(&p->gb);
	free(p->rows);
	return whole;
}

/* The rows, by the level, with bits as plain C gives them. */
static const char *quantize(const struct check *c, struct product *p)
{
	size_t k = p->w.k, groups = bk_i8_groups(k);
	size_t whole = groups * BK_I8_GROUP;
	int8_t *want = malloc(whole);
	float *scale = malloc(groups * sizeof(*scale));
	const char *trouble = NULL;

	if (!want || !scale)
		abort();
	for (size_t i = 0; i < p->m; i++) {
		struct guarded g;
		float *x = guarded_new(&g, k, sizeof(*x));

		fill(x, k);
		c->ops.quantize_i8(p->q + i * p->ldq, p->qs + i * p->ldqs, x,
				   k);
		c->ref.quantize_i8(want, scale, x, k);
		if (memcmp(want, p->q + i * p->ldq, whole) ||
		    memcmp(scale, p->qs + i * p->ldqs,
			   groups * sizeof(*scale)))
			trouble = "quantises otherwise than plain C";
		for (size_t j = 0; j < k; j++) {
			float s = scale[j / BK_I8_GROUP];

			if (fabsf(x[j] - s * (float)want[j]) >
			    0.5001f * s + (s == 0 ? 0x1p-100f : 0))
				trouble = "a value is off by over half a step";
		}
		if (!guarded_free(&g))
			trouble = "wrote outside a buffer";
	}
	free(want);
	free(scale);
	return trouble;
}

/* The matrix as packed means what its floats were. */
static const char *packed(const struct product *p)
{
	size_t n = p->w.n, k = p->w.k, quads = bk_i8_quads(k);
	size_t groups = bk_i8_groups(k);

	for (size_t o = 0; o < bk_i8_panels(n) * BK_I8_ROWS; o++) {
		size_t panel = o / BK_I8_ROWS, r = o % BK_I8_ROWS;

		for (size_t g = 0; g < groups; g++) {
			size_t at = (panel * groups + g) * BK_I8_ROWS + r;
			float s = p->scale[at], over = 0.5001f * s;
			int32_t sum = 0;

			for (size_t j = g * BK_I8_GROUP;
			     j < (g + 1) * BK_I8_GROUP && j < quads * 4; j++) {
				int w = p->weights[((panel * quads + j / 4) *
					BK_I8_ROWS + r) * 4 + j % 4];
				float x = o < n && j < k ? p->rows[o * k + j] :
							   0;

				sum += w;
				if (fabsf(x - s * (float)w) >
				    (s > 0 ? over : 0x1p-100f))
					return "a packed weight is wrong";
			}
			if (p->sum[at] != sum)
				return "the sum of a group is wrong";
		}
	}
	return NULL;
}

/* What the header says, from the floats' own rows and in its own words. */
static float truth(const struct product *p, size_t i, size_t o)
{
	size_t k = p->w.k;
	int8_t w[(MAX_K / BK_I8_GROUP + 1) * BK_I8_GROUP];
	float scale[MAX_K / BK_I8_GROUP + 1], acc = 0;
	struct bk_ops ops;

	bk_ops_init(&ops, 0);
	ops.quantize_i8(w, scale, p->rows + o * k, k);
	for (size_t g = 0; g < bk_i8_groups(k); g++) {
		double dot = 0;

		for (size_t j = 0; j < BK_I8_GROUP; j++)
			dot += w[g * BK_I8_GROUP + j] *
			       p->q[i * p->ldq + g * BK_I8_GROUP + j];
		acc = fmaf((float)dot, p->qs[i * p->ldqs + g] * scale[g], acc);
	}
	return acc;
}

/* Some outputs, in pieces; everything else in y stays as it was. */
static const char *multiply(const struct check *c, const struct product *p)
{
	size_t first = check_rand() % 3 ? check_size(0, p->w.n - 1) : 0;
	size_t n = check_rand() % 3 ? check_size(1, p->w.n - first) :
				      p->w.n - first;
	size_t ldy = n + check_rand() % 3 * 5;
	size_t count = (p->m - 1) * ldy + n;
	const float *bias = check_rand() % 4 ? p->bias : NULL;
	struct guarded gw, gy;
	float *y = guarded_floats(&gy, count, 1);
	float *want = guarded_new(&gw, count, sizeof(*want));
	const char *trouble = NULL;

	memcpy(want, y, count * sizeof(*y));
	for (size_t i = 0; i < p->m; i++)
		for (size_t o = 0; o < n; o++)
			want[i * ldy + o] = truth(p, i, first + o) +
					    (bias ? bias[o] : 0);
	c->ops.gemm_i8(y, ldy, p->q, p->ldq, p->qs, p->ldqs, &p->w, bias, p->m,
		       first, n);
	if (memcmp(want, y, count * sizeof(*y)))
		trouble = "other bits than the definition's";
	for (size_t i = 0, mr; i < p->m && !trouble; i += mr) {
		mr = check_size(1, p->m - i);
		for (size_t o = 0, nr; o < n; o += nr) {
			nr = check_size(1, n - o);
			c->ops.gemm_i8(y + i * ldy + o, ldy, p->q + i * p->ldq,
				       p->ldq, p->qs + i * p->ldqs, p->ldqs,
				       &p->w, bias ? bias + o : NULL, mr,
				       first + o, nr);
		}
	}
	if (!trouble && memcmp(want, y, count * sizeof(*y)))
		trouble = "a split product gives other bits";
	if (!guarded_free(&gw) || !guarded_free(&gy))
		trouble = "wrote outside a buffer";
	return trouble;
}

void check_i8(const struct check *c)
{
	const struct error none = {0};
	const char *pack = NULL, *rows = NULL, *gemm = NULL;

	for (int i = 0; i < ROUNDS && !gemm; i++) {
		struct product p;

		make(&p);
		pack = pack ? pack : packed(&p);
		rows = rows ? rows : quantize(c, &p);
		gemm = multiply(c, &p);
		if (!unmake(&p))
			gemm = "wrote outside a buffer";
	}
	if (c->ops.level != BK_LEVEL_C &&
	    c->ops.quantize_i8 == c->ref.quantize_i8)
		rows = "the level has no function of its own";
	if (c->ops.level != BK_LEVEL_C && c->ops.gemm_i8 == c->ref.gemm_i8)
		gemm = "the level has no function of its own";
	error_report(c, "pack-i8", &none, pack);
	error_report(c, "quantize-i8", &none, rows);
	error_report(c, "gemm-i8", &none, gemm);
}
