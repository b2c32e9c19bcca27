/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define ROUNDS 200

static void compare(const float *y, const float *x, const float *gain,
		    const float *bias, size_t n, double eps, struct error *e)
{
	double mean = 0, var = 0, far = 0;

	for (size_t c = 0; c < n; c++)
		mean += (double)x[c] / (double)n;
	for (size_t c = 0; c < n; c++) {
		double d = (double)x[c] - mean;

		var += d * d / (double)n;
		far = fmax(far, fabs((double)x[c]));
	}
	for (size_t c = 0; c < n; c++) {
		double g = (double)gain[c], b = bias ? (double)bias[c] : 0;
		double unit = ((double)x[c] - mean) / sqrt(var + eps);
		/* The mean's own rounding, seen through the division. */
		double allowed = 4 * FLT_EPSILON *
			(fabs(g) * (fabs(unit) + far / sqrt(var + eps)) +
			 fabs(b)) + (double)FLT_MIN;

		error_add(e, (double)y[c], unit * g + b, allowed);
	}
}

static const char *one(const struct check *c, struct error *e)
{
	size_t rows = check_size(1, 6), n = check_size(1, 1100);
	struct guarded gy, gx, gg, gb, gs;
	float range = check_rand() % 4 ? 2 : 3000, offset, eps = 1e-5f;
	float *y = guarded_floats(&gy, rows * n, 1);
	float *x = guarded_floats(&gx, rows * n, range);
	float *gain = guarded_floats(&gg, n, 1);
	float *bias = guarded_floats(&gb, n, 1);
	float *single = guarded_floats(&gs, n, 1);
	const char *trouble = NULL;
	int whole;

	offset = check_rand() % 4 ? 0 : 4 * range;
	for (size_t i = 0; i < rows * n; i++)
		x[i] += offset;
	if (check_rand() % 3 == 0)
		bias = NULL;
	c->ops.layernorm(y, x, gain, bias, rows, n, eps);
	for (size_t r = 0; r < rows; r++) {
		compare(y + r * n, x + r * n, gain, bias, n, (double)eps, e);
		c->ops.layernorm(single, x + r * n, gain, bias, 1, n, eps);
		if (memcmp(single, y + r * n, n * sizeof(*y)))
			trouble = "a row alone gives other bits";
	}
	c->ops.layernorm(x, x, gain, bias, rows, n, eps);
	if (memcmp(x, y, rows * n * sizeof(*y)))
		trouble = "in place gives other bits";
	whole = guarded_free(&gy);
	whole &= guarded_free(&gx);
	whole &= guarded_free(&gg);
	whole &= guarded_free(&gb);
	whole &= guarded_free(&gs);
	return whole ? trouble : "wrote outside a buffer";
}

void check_layernorm(const struct check *c)
{
	struct error e = {0};
	const char *trouble = NULL;

	if (c->ops.level != BK_LEVEL_C && c->ops.layernorm == c->ref.layernorm)
		trouble = "the level has no function of its own";
	for (int i = 0; i < ROUNDS && !trouble; i++)
		trouble = one(c, &e);
	error_report(c, "layernorm", &e, trouble);
}
