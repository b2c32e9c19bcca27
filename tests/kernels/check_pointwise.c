/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define ROUNDS 300
/* A stride through all floats; odd, so that it meets every mantissa bit. */
#define STRIDE 5003u
#define SWEEP 4096

/* Spacing of floats at x. */
static double ulp(double x)
{
	int e;

	frexp(x, &e);
	return ldexp(1, (e < -125 ? -125 : e) - 24);
}

/*
 * Calls one(x, n, e) with every STRIDE-th float of -limit..limit, in vectors,
 * and then with short arrays at random places between canaries.
 */
static const char *sweep(const struct check *c, float limit, struct error *e,
			 void (*one)(const struct check *c, float *x, size_t n,
				     struct error *e))
{
	static float x[SWEEP];
	size_t n = 0;
	int whole = 1;

	for (uint32_t b = 0; b < 0x7f800000; b += STRIDE) {
		memcpy(&x[n], &b, sizeof(b));
		if (x[n] > limit)
			break;
		x[n + 1] = -x[n];
		n += 2;
		if (n == SWEEP) {
			one(c, x, n, e);
			n = 0;
		}
	}
	one(c, x, n, e);
	for (int i = 0; i < ROUNDS; i++) {
		struct guarded g;

		n = check_size(1, 70);
		one(c, guarded_floats(&g, n, check_rand() % 2 ? 3 : 30), n, e);
		whole &= guarded_free(&g);
	}
	return whole ? NULL : "wrote outside a buffer";
}

static void one_gelu(const struct check *c, float *x, size_t n,
		     struct error *e)
{
	float in[SWEEP];

	memcpy(in, x, n * sizeof(*x));
	c->ops.gelu(x, n);
	for (size_t i = 0; i < n; i++) {
		double v = (double)in[i];
		double want = 0.5 * v * erfc(-v * 0.70710678118654752);
		/*
		 * A few units in the last place; for negative x also what
		 * torch's 1 + erf loses: half a unit of 1 (and the tail's
		 * fit beyond 6, 1e-9).
		 */
		double allowed = 3 * ulp(want) +
				 (v < -1 ? fabs(v) * 0x1p-26 : 0);

		error_add(e, (double)x[i], want, allowed);
	}
}

static void one_elu(const struct check *c, float *x, size_t n, struct error *e)
{
	float y[SWEEP];

	c->ops.elu(y, x, n);
	for (size_t i = 0; i < n; i++) {
		double v = (double)x[i], want = v > 0 ? v : expm1(v);

		error_add(e, (double)y[i], want, 2 * ulp(want));
	}
	c->ops.elu(x, x, n);
	if (memcmp(x, y, n * sizeof(*x)))
		e->max_bound = INFINITY;
}

static const char *one_add(const struct check *c)
{
	size_t n = check_size(1, 300);
	struct guarded gx, gy;
	float *x = guarded_floats(&gx, n, 10), *y = guarded_floats(&gy, n, 10);
	float want[300];
	int same, whole;

	for (size_t i = 0; i < n; i++)
		want[i] = y[i] + x[i];
	c->ops.add(y, x, n);
	same = !memcmp(want, y, n * sizeof(*y));
	whole = guarded_free(&gx);
	whole &= guarded_free(&gy);
	return !whole ? "wrote outside a buffer" :
	       same   ? NULL :
			"differs from plain C";
}

static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

static const char *one_lstm(const struct check *c, struct error *e)
{
	size_t n = check_size(1, 140);
	float range = check_rand() % 2 ? 2 : 120, before[140];
	struct guarded gh, gc, gg;
	float *h = guarded_floats(&gh, n, 1), *s = guarded_floats(&gc, n, 3);
	float *g = guarded_floats(&gg, 4 * n, range);
	int whole;

	memcpy(before, s, n * sizeof(*s));
	c->ops.lstm_cell(h, s, g, n);
	for (size_t j = 0; j < n; j++) {
		double f = sigmoid((double)g[n + j]) * (double)before[j];
		double a = sigmoid((double)g[j]) * tanh((double)g[2 * n + j]);
		double want = sigmoid((double)g[3 * n + j]) * tanh(f + a);

		/* exp(-88) is as near to 0 as the exponential comes. */
		error_add(e, (double)s[j], f + a,
			  4 * FLT_EPSILON * (fabs(f) + fabs(a)) + 1e-37);
		error_add(e, (double)h[j], want,
			  4 * FLT_EPSILON * (fabs(want) + fabs(f) + fabs(a)) +
			  1e-37);
	}
	whole = guarded_free(&gh);
	whole &= guarded_free(&gc);
	whole &= guarded_free(&gg);
	return whole ? NULL : "wrote outside a buffer";
}

static const char *one_argmax(const struct check *c)
{
	size_t n = check_size(1, 1100);
	struct guarded g;
	float *x = guarded_floats(&g, n, 5);
	const char *trouble = NULL;

	if (check_rand() % 2) /* many equals */
		for (size_t i = 0; i < n; i++)
			x[i] = (float)(check_rand() % 4) - 2;
	if (check_rand() % 8 == 0)
		for (size_t i = 0; i < n; i++)
			x[i] = -INFINITY;
	if (c->ops.argmax(x, n) != c->ref.argmax(x, n))
		trouble = "differs from plain C";
	return guarded_free(&g) ? trouble : "wrote outside a buffer";
}

void check_pointwise(const struct check *c)
{
	struct error e = {0};
	const char *trouble = sweep(c, 1e30f, &e, one_gelu);

	if (c->ops.level != BK_LEVEL_C && c->ops.gelu == c->ref.gelu)
		trouble = "the level has no function of its own";
	error_report(c, "gelu", &e, trouble);

	e = (struct error){0};
	trouble = sweep(c, FLT_MAX, &e, one_elu);
	error_report(c, "elu", &e, trouble);

	e = (struct error){0};
	trouble = NULL;
	for (int i = 0; i < ROUNDS && !trouble; i++)
		trouble = one_add(c);
	error_report(c, "add", &e, trouble);

	trouble = NULL;
	for (int i = 0; i < ROUNDS && !trouble; i++)
		trouble = one_lstm(c, &e);
	error_report(c, "lstm-cell", &e, trouble);

	e = (struct error){0};
	trouble = NULL;
	for (int i = 0; i < ROUNDS && !trouble; i++)
		trouble = one_argmax(c);
	error_report(c, "argmax", &e, trouble);
}
