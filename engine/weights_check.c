/* SPDX-License-Identifier: MIT */
/* Looking at every weight of a loaded model, as opening does not. */
#include <errno.h>
#include <math.h>

#include "error.h"
#include "weights.h"

static int not_finite(struct bark_weight_source *s, const char *name)
{
	return bark_fail(s->err, -EINVAL, "%s holds a number that is not "
			 "finite", name);
}

static int check_floats(struct bark_weight_source *s, const float *p,
			const char *name, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(p[i]))
			return not_finite(s, name);
	return 0;
}

static int check_vector(struct bark_weight_source *s, const float **ret,
			enum bark_weight kind, const char *name, size_t rows,
			size_t columns)
{
	return check_floats(s, *ret, name, rows * (columns ? columns : 1));
}

static int check_sum(struct bark_weight_source *s, const float **ret,
		     const char *a, const char *b, size_t n)
{
	return check_floats(s, *ret, a, n);
}

static int check_conv(struct bark_weight_source *s, const float **ret,
		      const char *name, size_t c_out, size_t c_in,
		      size_t kernel, bool transposed)
{
	return check_floats(s, *ret, name, c_out * c_in * kernel);
}

static int check_matrix(struct bark_weight_source *s, const void **ret,
			const char *name, size_t n, size_t k)
{
	/* An exponent of ones: infinite or no number. */
	const uint16_t exponent = s->type == BK_F16 ? 0x7c00 : 0x7f80;
	const uint16_t *half = *ret;

	if (s->type == BK_F32)
		return check_floats(s, *ret, name, n * k);
	for (size_t i = 0; i < n * k; i++)
		if ((half[i] & exponent) == exponent)
			return not_finite(s, name);
	return 0;
}

/* Sum of a lane's integers in a group of n quads. */
static int32_t lane_sum(const int8_t *w, size_t n)
{
	int32_t sum = 0;

	for (size_t i = 0; i < n; i++, w += 4 * BK_I8_ROWS)
		sum += w[0] + w[1] + w[2] + w[3];
	return sum;
}

static int check_quantized(struct bark_weight_source *s, struct bk_i8 *ret,
			   const char *name, size_t n, size_t k)
{
	const size_t groups = bk_i8_groups(k), quads = bk_i8_quads(k);
	const size_t most = BK_I8_GROUP / 4; /* quads of a group */

	for (size_t i = 0; i < bk_i8_scale_count(n, k); i++) {
		size_t panel = i / BK_I8_ROWS / groups;
		size_t first = i / BK_I8_ROWS % groups * most;
		size_t end = first + most < quads ? first + most : quads;
		const int8_t *w = ret->w +
				  ((panel * quads + first) * BK_I8_ROWS +
				   i % BK_I8_ROWS) * 4;

		if (lane_sum(w, end - first) != ret->sum[i])
			return bark_fail(s->err, -EINVAL, "%s: the integers "
					 "do not give their sums", name);
	}
	return check_floats(s, ret->scale, name, bk_i8_scale_count(n, k));
}

/* Sum of a lane's integers in a part of n pairs, less the multiplier. */
static int32_t part_sum(const uint8_t *w, size_t n)
{
	int32_t sum = 0;

	for (size_t i = 0; i < n; i++, w += 4 * BK_I8_ROWS)
		for (size_t l = 0; l < 4; l++)
			sum += (w[l] & 15) + (w[l] >> 4) - 16;
	return sum;
}

static int check_quantized_q4(struct bark_weight_source *s, struct bk_q4 *ret,
			      const char *name, size_t n, size_t k)
{
	const size_t groups = bk_i8_groups(k), pairs = bk_q4_pairs(k);
	const size_t most = BK_Q4_PART / 8; /* pairs of a part */

	for (size_t i = 0; i < bk_i8_scale_count(n, k); i++) {
		size_t r = i % BK_I8_ROWS, group = i / BK_I8_ROWS;
		int32_t sum = 0;

		for (size_t p = 0; p < BK_Q4_PARTS; p++) {
			size_t first = (group % groups * BK_Q4_PARTS + p) * most;
			int mul = ret->mul[(group * BK_Q4_PARTS + p) *
					   BK_I8_ROWS + r];

			if (mul < -15 || mul > 15)
				return bark_fail(s->err, -EINVAL, "%s: a "
						 "multiplier is out of range",
						 name);
			if (first >= pairs)
				continue;
			sum += mul * part_sum(
				ret->w + ((group / groups * pairs + first) *
						  BK_I8_ROWS + r) * 4,
				pairs - first < most ? pairs - first : most);
		}
		if (sum != ret->sum[i])
			return bark_fail(s->err, -EINVAL, "%s: the integers "
					 "do not give their sums", name);
	}
	return check_floats(s, ret->scale, name, bk_i8_scale_count(n, k));
}

static void begin(struct bark_weight_source *s, enum bark_part part)
{
}

static bool has(struct bark_weight_source *s, const char *name)
{
	return false;
}

int bark_model_check(struct bark_model *model, struct bark_error *err)
{
	struct bark_weight_source s = {
		.type = model->type,
		.int8 = model->int8,
		.q4 = model->q4,
		.begin = begin,
		.has = has,
		.floats = check_vector,
		.sum = check_sum,
		.matrix = check_matrix,
		.quantized = check_quantized,
		.quantized_q4 = check_quantized_q4,
		.conv = check_conv,
		.err = err,
	};

	return bark_weights_walk(model, &s, &bark_names_transformers);
}
