/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define ROUNDS 150
#define MAX_K 4200

/* One product's operands and result. */
struct product {
	struct guarded gy, gx, gw, gb;
	float *y, *x, *bias;
	void *w;
	size_t ldy, ldx, ldw, m, n, k;
	enum bk_dtype type;
};

static void make_weights(struct product *p, const struct bk_ops *ref,
			 float range)
{
	size_t count = (p->n - 1) * p->ldw + p->k;

	p->w = guarded_new(&p->gw, count, bk_dtype_size(p->type));
	for (size_t i = 0; i < count; i++) {
		float f = check_float(range);

		if (p->type == BK_F32)
			((float *)p->w)[i] = f;
		else if (p->type == BK_F16)
			ref->f32_to_f16((uint16_t *)p->w + i, &f, 1);
		else
			ref->f32_to_bf16((uint16_t *)p->w + i, &f, 1);
	}
}

static void make(struct product *p, const struct bk_ops *ref,
		 enum bk_dtype type)
{
	float range = check_rand() % 8 ? 1 : 1000;

	p->type = type;
	p->m = check_rand() % 3 ? check_size(1, 12) : check_size(1, 220);
	p->n = check_size(1, 40);
	p->k = check_rand() % 4 ? check_size(1, 300) : check_size(1, 2100);
	if (check_rand() % 16 == 0) /* longer than a level may buffer */
		p->k = check_size(4080, MAX_K);
	p->ldy = p->n + check_rand() % 3 * 5;
	p->ldw = p->k + check_rand() % 3 * 3;
	/* Overlapping rows too, as a convolution has them. */
	p->ldx = check_rand() % 4 ? p->k + check_rand() % 3 :
				    p->k / 3 + 1;
	p->y = guarded_floats(&p->gy, (p->m - 1) * p->ldy + p->n, 1);
	p->x = guarded_floats(&p->gx, (p->m - 1) * p->ldx + p->k, range);
	make_weights(p, ref, range);
	p->bias = guarded_floats(&p->gb, p->n, range);
	if (check_rand() % 4 == 0)
		p->bias = NULL;
}

static const char *unmake(struct product *p)
{
	int whole = guarded_free(&p->gy);

	whole &= guarded_free(&p->gx);
	whole &= guarded_free(&p->gw);
	whole &= guarded_free(&p->gb);
	return whole ? NULL : "wrote outside a buffer";
}

static double weight_at(const struct product *p, const struct bk_ops *ref,
			size_t i)
{
	float f;

	if (p->type == BK_F32)
		return ((const float *)p->w)[i];
	if (p->type == BK_F16)
		ref->f16_to_f32(&f, (const uint16_t *)p->w + i, 1);
	else
		ref->bf16_to_f32(&f, (const uint16_t *)p->w + i, 1);
	return f;
}

/* Against sums in double; the bound is that of k / 4 additions in a row. */
static void compare(const struct product *p, const struct bk_ops *ref,
		    struct error *e)
{
	for (size_t o = 0; o < p->n; o++) {
		double w[MAX_K];

		for (size_t j = 0; j < p->k; j++)
			w[j] = weight_at(p, ref, o * p->ldw + j);
		for (size_t i = 0; i < p->m; i++) {
			double sum = p->bias ? (double)p->bias[o] : 0;
			double size = fabs(sum), allowed;

			for (size_t j = 0; j < p->k; j++) {
				double t = w[j] * (double)p->x[i * p->ldx + j];

				sum += t;
				size += fabs(t);
			}
			allowed = size * FLT_EPSILON / 2 *
				  ((double)p->k / 4 + 12) + (double)FLT_MIN;
			error_add(e, (double)p->y[i * p->ldy + o], sum, allowed);
		}
	}
}

/* The same product in random pieces must give the same bits. */
static const char *split(const struct product *p, const struct bk_ops *ops)
{
	size_t esize = bk_dtype_size(p->type), count;
	struct guarded g;
	const char *trouble = NULL;
	float *y;

	count = (p->m - 1) * p->ldy + p->n;
	y = guarded_floats(&g, count, 1);
	for (size_t i = 0, mr; i < p->m; i += mr) {
		mr = check_size(1, p->m - i);
		for (size_t o = 0, nr; o < p->n; o += nr) {
			nr = check_size(1, p->n - o);
			ops->gemm[p->type](y + i * p->ldy + o, p->ldy,
					   p->x + i * p->ldx, p->ldx,
					   (const char *)p->w +
						   o * p->ldw * esize,
					   p->ldw, p->bias ? p->bias + o : NULL,
					   mr, nr, p->k);
		}
	}
	for (size_t i = 0; i < p->m; i++)
		if (memcmp(y + i * p->ldy, p->y + i * p->ldy,
			   p->n * sizeof(*y)))
			trouble = "a split product gives other bits";
	return guarded_free(&g) ? trouble : "wrote outside a buffer";
}

static const char *gaps_kept(const struct product *p, const float *before)
{
	for (size_t i = 0; i + 1 < p->m; i++)
		for (size_t o = p->n; o < p->ldy; o++)
			if (memcmp(&p->y[i * p->ldy + o],
				   &before[i * p->ldy + o], sizeof(float)))
				return "wrote between two rows";
	return NULL;
}

static const char *one(const struct check *c, enum bk_dtype type,
		       struct error *e)
{
	struct product p;
	const char *trouble, *torn;
	struct guarded g;
	float *before;
	size_t count;

	make(&p, &c->ref, type);
	count = (p.m - 1) * p.ldy + p.n;
	before = guarded_floats(&g, count, 1);
	memcpy(before, p.y, count * sizeof(*before));
	c->ops.gemm[type](p.y, p.ldy, p.x, p.ldx, p.w, p.ldw, p.bias, p.m, p.n,
			  p.k);
	compare(&p, &c->ref, e);
	trouble = gaps_kept(&p, before);
	if (!trouble)
		trouble = split(&p, &c->ops);
	guarded_free(&g);
	torn = unmake(&p);
	return torn ? torn : trouble;
}

void check_gemm(const struct check *c)
{
	static const char *const names[BK_DTYPES] = {
		[BK_F32] = "gemm-f32",
		[BK_F16] = "gemm-f16",
		[BK_BF16] = "gemm-bf16",
	};

	for (int type = 0; type < BK_DTYPES; type++) {
		struct error e = {0};
		const char *trouble = NULL;

		if (c->ops.level != BK_LEVEL_C &&
		    c->ops.gemm[type] == c->ref.gemm[type])
			trouble = "the level has no function of its own";
		for (int i = 0; i < ROUNDS && !trouble; i++)
			trouble = one(c, (enum bk_dtype)type, &e);
		error_report(c, names[type], &e, trouble);
	}
}
