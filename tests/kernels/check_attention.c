/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define ROUNDS 150

struct heads {
	struct guarded go, gq, gk, gv, gs;
	float *out, *q, *k, *v, *scratch, scale;
	size_t ldo, ldq, ldkv, m, n_past, hd;
	int causal;
};

static void make(struct heads *h)
{
	/* At range 8 one key takes nearly all of the weight. */
	float range = check_rand() % 4 ? 1 : 8;
	size_t keys;

	h->hd = check_rand() % 2 ? 64 : check_size(1, 100);
	h->m = check_rand() % 2 ? check_size(1, 8) : check_size(1, 90);
	h->n_past = check_rand() % 3 ? check_size(0, 200) : 0;
	h->causal = (int)(check_rand() % 2);
	h->ldo = h->hd + check_rand() % 2 * 3;
	h->ldq = h->hd * (1 + check_rand() % 3);
	h->ldkv = h->hd * (1 + check_rand() % 2) + check_rand() % 2;
	h->scale = 1 / sqrtf((float)h->hd);
	keys = h->n_past + h->m;
	h->out = guarded_floats(&h->go, (h->m - 1) * h->ldo + h->hd, 1);
	h->q = guarded_floats(&h->gq, (h->m - 1) * h->ldq + h->hd, range);
	h->k = guarded_floats(&h->gk, (keys - 1) * h->ldkv + h->hd, range);
	h->v = guarded_floats(&h->gv, (keys - 1) * h->ldkv + h->hd, range);
	h->scratch = guarded_floats(&h->gs, keys, 1);
	/* An output buffer holds anything before. */
	h->out[0] = NAN;
}

static const char *unmake(struct heads *h)
{
	int whole = guarded_free(&h->go);

	whole &= guarded_free(&h->gq);
	whole &= guarded_free(&h->gk);
	whole &= guarded_free(&h->gv);
	whole &= guarded_free(&h->gs);
	return whole ? NULL : "wrote outside a buffer";
}

static void compare(const struct heads *h, struct error *e)
{
	double p[512], out[128], spread[128];

	for (size_t r = 0; r < h->m; r++) {
		size_t keys = h->n_past + (h->causal ? r + 1 : h->m);
		double max = -INFINITY, sum = 0, size = 0;

		for (size_t j = 0; j < keys; j++) {
			double terms = 0;

			p[j] = 0;
			for (size_t d = 0; d < h->hd; d++) {
				double t = (double)h->q[r * h->ldq + d] *
					   (double)h->k[j * h->ldkv + d];

				p[j] += t;
				terms += fabs(t);
			}
			p[j] *= (double)h->scale;
			size = fmax(size, terms * (double)h->scale);
			max = fmax(max, p[j]);
		}
		memset(out, 0, sizeof(out));
		memset(spread, 0, sizeof(spread));
		for (size_t j = 0; j < keys; j++) {
			p[j] = exp(p[j] - max);
			sum += p[j];
			for (size_t d = 0; d < h->hd; d++) {
				double t = p[j] *
					   (double)h->v[j * h->ldkv + d];

				out[d] += t;
				spread[d] += fabs(t);
			}
		}
		/* A score's rounding error is a relative one in its weight. */
		for (size_t d = 0; d < h->hd; d++)
			error_add(e, (double)h->out[r * h->ldo + d],
				  out[d] / sum,
				  FLT_EPSILON * (8 + 2 * size) *
				  spread[d] / sum + (double)FLT_MIN);
	}
}

/* Causal queries in pieces are those of a longer past. */
static const char *split(const struct heads *h, const struct bk_ops *ops)
{
	const char *trouble = NULL;
	struct guarded g;
	float *out;

	if (!h->causal)
		return NULL;
	out = guarded_floats(&g, (h->m - 1) * h->ldo + h->hd, 1);
	for (size_t r = 0, rows; r < h->m; r += rows) {
		rows = check_size(1, h->m - r);
		ops->attention(out + r * h->ldo, h->ldo, h->q + r * h->ldq,
			       h->ldq, h->k, h->v, h->ldkv, rows,
			       h->n_past + r, h->hd, 1, h->scale, h->scratch);
	}
	for (size_t r = 0; r < h->m; r++)
		if (memcmp(out + r * h->ldo, h->out + r * h->ldo,
			   h->hd * sizeof(*out)))
			trouble = "split queries give other bits";
	return guarded_free(&g) ? trouble : "wrote outside a buffer";
}

/* Halves give what they would, widened, as floats. */
static const char *halves(const struct heads *h, const struct check *c)
{
	size_t count = (h->n_past + h->m - 1) * h->ldkv + h->hd;
	size_t size = (h->m - 1) * h->ldo + h->hd;
	const char *trouble = NULL;
	struct guarded gk, gv, go;
	uint16_t *k = guarded_new(&gk, count, sizeof(*k));
	uint16_t *v = guarded_new(&gv, count, sizeof(*v));
	float *out = guarded_new(&go, size, sizeof(*out));
	int whole;

	c->ref.f32_to_f16(k, h->k, count);
	c->ref.f32_to_f16(v, h->v, count);
	c->ref.f16_to_f32(h->k, k, count);
	c->ref.f16_to_f32(h->v, v, count);
	memcpy(out, h->out, size * sizeof(*out));
	c->ops.attention(h->out, h->ldo, h->q, h->ldq, h->k, h->v, h->ldkv,
			 h->m, h->n_past, h->hd, h->causal, h->scale,
			 h->scratch);
	c->ops.attention_f16(out, h->ldo, h->q, h->ldq, k, v, h->ldkv, h->m,
			     h->n_past, h->hd, h->causal, h->scale,
			     h->scratch);
	if (memcmp(out, h->out, size * sizeof(*out)))
		trouble = "halves give other bits";
	whole = guarded_free(&gk);
	whole &= guarded_free(&gv);
	whole &= guarded_free(&go);
	return whole ? trouble : "wrote outside a buffer";
}

void check_attention(const struct check *c)
{
	struct error e = {0};
	const char *trouble = NULL, *half = NULL, *torn;
	const struct error none = {0};

	if (c->ops.level != BK_LEVEL_C && c->ops.attention == c->ref.attention)
		trouble = "the level has no function of its own";
	if (c->ops.level != BK_LEVEL_C &&
	    c->ops.attention_f16 == c->ref.attention_f16)
		half = "the level has no function of its own";
	for (int i = 0; i < ROUNDS && !trouble; i++) {
		struct heads h;

		make(&h);
		c->ops.attention(h.out, h.ldo, h.q, h.ldq, h.k, h.v, h.ldkv,
				 h.m, h.n_past, h.hd, h.causal, h.scale,
				 h.scratch);
		compare(&h, &e);
		trouble = split(&h, &c->ops);
		half = half ? half : halves(&h, c);
		torn = unmake(&h);
		trouble = torn ? torn : trouble;
	}
	error_report(c, "attention", &e, trouble);
	error_report(c, "attention-f16", &none, half);
}
