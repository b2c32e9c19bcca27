/* SPDX-License-Identifier: MIT */
/*
 * Weights from files. A matrix that is in the file as the model wants it is
 * used where it lies; everything else is converted once into the arena.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "files/tensors_build.h"
#include "quantize.h"
#include "weights.h"

#define CHUNK 2048 /* elements converted at a time */
#define MAX_NAME 192

static struct bark_file_source *file_source(struct bark_weight_source *s)
{
	return (struct bark_file_source *)s;
}

static bool is_contiguous(const struct bark_tensor *t)
{
	size_t stride = 1;

	for (unsigned i = t->n_dims; i-- > 0; stride *= t->dims[i])
		if (t->dims[i] != 1 && t->strides[i] != stride)
			return false;
	return true;
}

/* Where element i of C order lies, in elements from data. */
static size_t place_of(const struct bark_tensor *t, size_t i)
{
	size_t at = 0;

	for (unsigned d = t->n_dims; d-- > 0; i /= t->dims[d])
		at += i % t->dims[d] * t->strides[d];
	return at;
}

/* n <= CHUNK elements of raw bytes, of any alignment, as floats. */
static void to_floats(const struct bk_ops *ops, float *dst, const void *src,
		      enum bark_tensor_type type, size_t n)
{
	uint16_t half[CHUNK];
	double wide[CHUNK];

	switch (type) {
	case BARK_TENSOR_F32:
		memcpy(dst, src, n * sizeof(float));
		break;
	case BARK_TENSOR_F16:
	case BARK_TENSOR_BF16:
		memcpy(half, src, n * sizeof(*half));
		if (type == BARK_TENSOR_F16)
			ops->f16_to_f32(dst, half, n);
		else
			ops->bf16_to_f32(dst, half, n);
		break;
	default: /* F64: the callers let no other type through */
		memcpy(wide, src, n * sizeof(*wide));
		for (size_t i = 0; i < n; i++)
			dst[i] = (float)wide[i];
	}
}

/* Elements first..first+n-1 of C order as floats; n <= CHUNK. */
static void read_floats(const struct bk_ops *ops, float *dst,
			const struct bark_tensor *t, size_t first, size_t n)
{
	const size_t size = bark_tensor_type_size(t->type);
	const unsigned char *data = t->data;
	unsigned char gathered[CHUNK * sizeof(double)];

	if (is_contiguous(t)) {
		to_floats(ops, dst, data + first * size, t->type, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		memcpy(gathered + i * size,
		       data + place_of(t, first + i) * size, size);
	to_floats(ops, dst, gathered, t->type, n);
}

static void read_all(const struct bk_ops *ops, float *dst,
		     const struct bark_tensor *t)
{
	const size_t n = bark_tensor_elements(t);

	for (size_t i = 0; i < n; i += CHUNK)
		read_floats(ops, dst + i, t, i, n - i < CHUNK ? n - i : CHUNK);
}

static void print_shape(char *buf, size_t size, const size_t *dims, unsigned n)
{
	size_t at = 1;

	snprintf(buf, size, "[");
	for (unsigned i = 0; i < n && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%zu",
				       i ? ", " : "", dims[i]);
	if (at < size)
		snprintf(buf + at, size - at, "]");
}

/* Finds a tensor of floats of the given shape. */
static int find(struct bark_file_source *src, const struct bark_tensor **ret,
		const char *name, const size_t *dims, unsigned n)
{
	const struct bark_tensors *set = src->sets[src->part];
	const struct bark_tensor *t = bark_tensors_find(set, name);
	char is[96], wanted[96];

	if (!t)
		return bark_fail(src->base.err, -EINVAL, "%s: no tensor %s",
				 bark_tensors_label(set), name);
	if (t->n_dims != n || memcmp(t->dims, dims, n * sizeof(*dims))) {
		print_shape(is, sizeof(is), t->dims, t->n_dims);
		print_shape(wanted, sizeof(wanted), dims, n);
		return bark_fail(src->base.err, -EINVAL,
				 "%s: %s is %s where the configuration asks "
				 "for %s", bark_tensors_label(set), name, is,
				 wanted);
	}
	if (t->type > BARK_TENSOR_F64)
		return bark_fail(src->base.err, -ENOTSUP,
				 "%s: %s is of type %s, not a float",
				 bark_tensors_label(set), name,
				 bark_tensor_type_name(t->type));
	*ret = t;
	return 0;
}

static bool can_keep(const struct bark_tensor *t, enum bark_tensor_type type)
{
	return t->type == type && is_contiguous(t) &&
	       (uintptr_t)t->data % bark_tensor_type_size(type) == 0;
}

static const void *keep(struct bark_file_source *src,
			const struct bark_tensor *t)
{
	src->kept[src->part] = true;
	src->n_kept += bark_tensor_elements(t) * bark_tensor_type_size(t->type);
	return t->data;
}

static void begin(struct bark_weight_source *s, enum bark_part part)
{
	struct bark_file_source *src = file_source(s);

	/* The walk comes by twice. */
	if (part == BARK_PART_SEMANTIC)
		src->n_kept = 0;
	src->part = part;
}

static bool has(struct bark_weight_source *s, const char *name)
{
	struct bark_file_source *src = file_source(s);

	return bark_tensors_find(src->sets[src->part], name) != NULL;
}

static int get_floats(struct bark_weight_source *s, const float **ret,
		      enum bark_weight kind, const char *name, size_t rows,
		      size_t columns)
{
	struct bark_file_source *src = file_source(s);
	const size_t dims[] = {rows, columns};
	const struct bark_tensor *t;
	float *dst;
	int r;

	r = find(src, &t, name, dims, columns ? 2 : 1);
	if (r < 0)
		return r;
	if (can_keep(t, BARK_TENSOR_F32)) {
		*ret = keep(src, t);
		return 0;
	}
	dst = bark_arena_take(&s->arena,
			      bark_tensor_elements(t) * sizeof(*dst));
	if (dst)
		read_all(&src->ops, dst, t);
	*ret = dst;
	return 0;
}

static int get_sum(struct bark_weight_source *s, const float **ret,
		   const char *a, const char *b, size_t n)
{
	struct bark_file_source *src = file_source(s);
	const struct bark_tensor *ta, *tb;
	float *dst, part[CHUNK];
	int r;

	r = find(src, &ta, a, &n, 1);
	if (r == 0)
		r = find(src, &tb, b, &n, 1);
	if (r < 0)
		return r;
	dst = bark_arena_take(&s->arena, n * sizeof(*dst));
	*ret = dst;
	if (!dst)
		return 0;
	read_all(&src->ops, dst, ta);
	for (size_t i = 0; i < n; i += CHUNK) {
		size_t m = n - i < CHUNK ? n - i : CHUNK;

		read_floats(&src->ops, part, tb, i, m);
		for (size_t j = 0; j < m; j++)
			dst[i + j] += part[j];
	}
	return 0;
}

static int get_matrix(struct bark_weight_source *s, const void **ret,
		      const char *name, size_t n, size_t k)
{
	static const enum bark_tensor_type file_types[] = {
		[BK_F32] = BARK_TENSOR_F32, [BK_F16] = BARK_TENSOR_F16,
		[BK_BF16] = BARK_TENSOR_BF16,
	};
	struct bark_file_source *src = file_source(s);
	const size_t dims[] = {n, k}, all = n * k;
	const struct bark_tensor *t;
	float part[CHUNK];
	unsigned char *dst;
	int r;

	r = find(src, &t, name, dims, 2);
	if (r < 0)
		return r;
	if (can_keep(t, file_types[s->type])) {
		*ret = keep(src, t);
		return 0;
	}
	dst = bark_arena_take(&s->arena, all * bk_dtype_size(s->type));
	*ret = dst;
	if (!dst)
		return 0;
	for (size_t i = 0; i < all; i += CHUNK) {
		size_t m = all - i < CHUNK ? all - i : CHUNK;

		read_floats(&src->ops, part, t, i, m);
		if (s->type == BK_F16)
			src->ops.f32_to_f16((uint16_t *)dst + i, part, m);
		else if (s->type == BK_BF16)
			src->ops.f32_to_bf16((uint16_t *)dst + i, part, m);
		else
			memcpy((float *)dst + i, part, m * sizeof(*part));
	}
	return 0;
}

struct matrix {
	const struct bk_ops *ops;
	const struct bark_tensor *t;
};

static void read_elements(const void *from, float *dst, size_t first, size_t n)
{
	const struct matrix *m = from;

	for (size_t i = 0; i < n; i += CHUNK)
		read_floats(m->ops, dst + i, m->t, first + i,
			    n - i < CHUNK ? n - i : CHUNK);
}

static int find_matrix(struct bark_weight_source *s, struct matrix *ret,
		       const char *name, size_t n, size_t k)
{
	struct bark_file_source *src = file_source(s);
	const size_t dims[] = {n, k};

	ret->ops = &src->ops;
	return find(src, &ret->t, name, dims, 2);
}

static int get_quantized(struct bark_weight_source *s, struct bk_i8 *ret,
			 const char *name, size_t n, size_t k)
{
	struct matrix m;
	int r = find_matrix(s, &m, name, n, k);

	if (r == 0)
		r = bark_quantize(ret, &s->arena, s->pool, n, k, read_elements,
				  &m);
	return r == -ENOMEM ? bark_fail(s->err, r, "out of memory") : r;
}

static int get_quantized_q4(struct bark_weight_source *s, struct bk_q4 *ret,
			    const char *name, size_t n, size_t k)
{
	struct matrix m;
	int r = find_matrix(s, &m, name, n, k);

	if (r == 0)
		r = bark_quantize_q4(ret, &s->arena, s->pool, n, k,
				     read_elements, &m);
	return r == -ENOMEM ? bark_fail(s->err, r, "out of memory") : r;
}

/* The pair of weight normalisation, or g NULL and the weight itself. */
static int find_conv(struct bark_file_source *src, const struct bark_tensor **g,
		     const struct bark_tensor **v, const char *module,
		     const size_t dims[3])
{
	static const char *const pairs[][2] = {
		{"parametrizations.weight.original0",
		 "parametrizations.weight.original1"},
		{"weight_g", "weight_v"},
	};
	const size_t dims_g[3] = {dims[0], 1, 1};
	char name[MAX_NAME];

	for (size_t i = 0; i < 2; i++) {
		int r;

		snprintf(name, sizeof(name), "%s.%s", module, pairs[i][0]);
		if (!has(&src->base, name))
			continue;
		r = find(src, g, name, dims_g, 3);
		if (r < 0)
			return r;
		snprintf(name, sizeof(name), "%s.%s", module, pairs[i][1]);
		return find(src, v, name, dims, 3);
	}
	*g = NULL;
	snprintf(name, sizeof(name), "%s.weight", module);
	return find(src, v, name, dims, 3);
}

/* What weight normalisation multiplies row i of v by: g[i] / ||v[i]||. */
static double row_scale(const struct bk_ops *ops, const struct bark_tensor *g,
			const struct bark_tensor *v, size_t row, size_t n)
{
	float part[CHUNK], gain;
	double sum = 0;

	if (!g)
		return 1;
	read_floats(ops, &gain, g, row, 1);
	for (size_t i = 0; i < n; i += CHUNK) {
		size_t m = n - i < CHUNK ? n - i : CHUNK;

		read_floats(ops, part, v, row * n + i, m);
		for (size_t j = 0; j < m; j++)
			sum += (double)part[j] * part[j];
	}
	return sum > 0 ? gain / sqrt(sum) : 0;
}

static int get_conv(struct bark_weight_source *s, const float **ret,
		    const char *name, size_t c_out, size_t c_in, size_t kernel,
		    bool transposed)
{
	struct bark_file_source *src = file_source(s);
	/* Both kinds are normalised along the first axis on disk. */
	const size_t rows = transposed ? c_in : c_out;
	const size_t others = transposed ? c_out : c_in;
	const size_t dims[3] = {rows, others, kernel};
	const struct bark_tensor *g, *v;
	float *dst, part[CHUNK];
	int r;

	r = find_conv(src, &g, &v, name, dims);
	if (r < 0)
		return r;
	dst = bark_arena_take(&s->arena,
			      rows * others * kernel * sizeof(*dst));
	*ret = dst;
	if (!dst)
		return 0;
	for (size_t row = 0; row < rows; row++) {
		const size_t n = others * kernel;
		double scale = row_scale(&src->ops, g, v, row, n);

		for (size_t i = 0; i < n; i++) {
			const size_t c = i / kernel, tap = i % kernel;

			if (i % CHUNK == 0)
				read_floats(&src->ops, part, v, row * n + i,
					    n - i < CHUNK ? n - i : CHUNK);
			dst[transposed ? (tap * c_out + c) * c_in + row
				       : (row * kernel + tap) * c_in + c] =
				(float)(part[i % CHUNK] * scale);
		}
	}
	return 0;
}

void bark_file_source_init(struct bark_file_source *src,
			   struct bark_tensors *const sets[BARK_PARTS],
			   enum bk_dtype type, const struct bk_ops *ops,
			   struct bark_error *err)
{
	*src = (struct bark_file_source){
		.base = {
			.type = type,
			.begin = begin,
			.has = has,
			.floats = get_floats,
			.sum = get_sum,
			.matrix = get_matrix,
			.quantized = get_quantized,
			.quantized_q4 = get_quantized_q4,
			.conv = get_conv,
			.err = err,
		},
		.ops = *ops,
	};
	memcpy(src->sets, sets, sizeof(src->sets));
}
