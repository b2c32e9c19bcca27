/* SPDX-License-Identifier: MIT */
#include "ints.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

static uint64_t take_bits(const unsigned char *p, unsigned size, bool big)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < size; i++)
		bits |= (uint64_t)p[i] << 8 * (big ? size - 1 - i : i);
	return bits;
}

static bool take_float(uint64_t bits, unsigned size, int32_t *ret)
{
	double v;

	if (size == 4) {
		const uint32_t half = (uint32_t)bits;
		float f;

		memcpy(&f, &half, sizeof(f));
		v = (double)f;
	} else {
		memcpy(&v, &bits, sizeof(v));
	}
	/* No number is in no range. */
	if (!(v >= INT32_MIN && v <= INT32_MAX) || v != rint(v))
		return false;
	*ret = (int32_t)v;
	return true;
}

static bool take_value(const struct bark_numbers *a, const unsigned char *p,
		       int32_t *ret)
{
	const uint64_t bits = take_bits(p, a->size, a->big);
	const unsigned unused = 64 - 8 * a->size;
	int64_t v;

	if (a->kind == BARK_NUMBER_FLOAT)
		return take_float(bits, a->size, ret);
	if (a->kind == BARK_NUMBER_UNSIGNED && bits > INT32_MAX)
		return false;
	v = a->kind == BARK_NUMBER_SIGNED
		    ? (int64_t)(bits << unused) >> unused
		    : (int64_t)bits;
	*ret = (int32_t)v;
	return v >= INT32_MIN && v <= INT32_MAX;
}

static int copy_values(struct bark_ints *ret, const struct bark_numbers *a,
		       unsigned skip, const char *label, struct bark_error *err)
{
	const size_t *dims = a->dims + skip, *strides = a->strides + skip;
	const bool flat = a->n_dims - skip == 1;
	const size_t rows = flat ? 1 : dims[0], columns = dims[flat ? 0 : 1];
	const size_t row = flat ? 0 : strides[0], column = strides[flat ? 0 : 1];
	int32_t *values;

	if (columns && rows > BARK_INTS_MAX / columns)
		return bark_fail(err, -E2BIG, "%s: over %zu values", label,
				 BARK_INTS_MAX);
	values = malloc((rows * columns + 1) * sizeof(*values));
	if (!values)
		return bark_fail(err, -ENOMEM, "%s: out of memory", label);
	for (size_t i = 0; i < rows * columns; i++) {
		const size_t at = i / columns * row + i % columns * column;

		if (take_value(a, a->data + at * a->size, &values[i]))
			continue;
		free(values);
		return bark_fail(err, -EINVAL, "%s: a value that is out of "
				 "range or not whole", label);
	}
	*ret = (struct bark_ints){values, flat ? 1 : 2,
				  {dims[0], flat ? 0 : dims[1]}};
	return 0;
}

int bark_ints_make(struct bark_ints *ret, const struct bark_numbers *from,
		   const char *label, struct bark_error *err)
{
	unsigned skip = 0;

	while (from->n_dims - skip > 2 && from->dims[skip] == 1)
		skip++;
	if (from->n_dims < 1 || from->n_dims - skip > 2)
		return bark_fail(err, -EINVAL, "%s: the shape is not of 1 or 2 "
				 "sizes", label);
	return copy_values(ret, from, skip, label, err);
}

int bark_ints_tensor(struct bark_ints *ret, const struct bark_tensor *t,
		     const char *label, struct bark_error *err)
{
	static const struct {
		enum bark_number kind;
		unsigned size; /* 0: no such numbers */
	} types[] = {
		[BARK_TENSOR_F32] = {BARK_NUMBER_FLOAT, 4},
		[BARK_TENSOR_F64] = {BARK_NUMBER_FLOAT, 8},
		[BARK_TENSOR_I64] = {BARK_NUMBER_SIGNED, 8},
		[BARK_TENSOR_I32] = {BARK_NUMBER_SIGNED, 4},
		[BARK_TENSOR_I16] = {BARK_NUMBER_SIGNED, 2},
		[BARK_TENSOR_I8] = {BARK_NUMBER_SIGNED, 1},
		[BARK_TENSOR_U16] = {BARK_NUMBER_UNSIGNED, 2},
		[BARK_TENSOR_U8] = {BARK_NUMBER_UNSIGNED, 1},
		[BARK_TENSOR_BOOL] = {0},
	};
	struct bark_numbers a = {
		.data = t->data, .kind = types[t->type].kind,
		.size = types[t->type].size, .n_dims = t->n_dims,
	};

	if (!a.size)
		return bark_fail(err, -ENOTSUP, "%s: of type %s", label,
				 bark_tensor_type_name(t->type));
	memcpy(a.dims, t->dims, sizeof(a.dims));
	memcpy(a.strides, t->strides, sizeof(a.strides));
	return bark_ints_make(ret, &a, label, err);
}
