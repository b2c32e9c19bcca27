/* SPDX-License-Identifier: MIT */
/*
 * Models of random weights. Each element's value depends on seed, the array's
 * name and position alone: a model is the same in every precision. The spread
 * is that of the published networks' first steps,
 * so that activations stay of order one through any depth.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "error.h"
#include "quantize.h"
#include "weights.h"

#define LINEAR_DEVIATION 0.02f
#define CHUNK 4096 /* elements made at a time, a multiple of 4 */

struct random_source {
	struct bark_weight_source base;
	struct bk_ops ops;
	uint64_t seed;
};

/* One array's elements. */
struct array {
	uint64_t key;
	float deviation;
};

static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static struct array name_array(const struct bark_weight_source *s,
			       const char *name, float deviation)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
	hash += ((const struct random_source *)s)->seed;
	return (struct array){mix(hash), deviation};
}

/* Uniform values; four of each hash's 64 bits. first: a multiple of 4. */
static void make(const void *from, float *dst, size_t first, size_t n)
{
	const struct array *a = from;
	const float scale = a->deviation * sqrtf(3.0f) / 32768.0f;

	for (size_t i = 0; i < n; i += 4) {
		uint64_t bits = mix(a->key + (first + i) * 0x9e3779b97f4a7c15u);

		for (size_t j = i; j < i + 4 && j < n; j++, bits >>= 16)
			dst[j] = scale * (float)(int16_t)bits;
	}
}

static void begin(struct bark_weight_source *s, enum bark_part part)
{
}

static bool has(struct bark_weight_source *s, const char *name)
{
	return false;
}

static float *new_floats(struct bark_weight_source *s, const char *name,
			 size_t n, float deviation)
{
	const struct array a = name_array(s, name, deviation);
	float *dst = bark_arena_take(&s->arena, n * sizeof(*dst));

	if (dst)
		make(&a, dst, 0, n);
	return dst;
}

static int get_floats(struct bark_weight_source *s, const float **ret,
		      enum bark_weight kind, const char *name, size_t rows,
		      size_t columns)
{
	const size_t n = rows * (columns ? columns : 1);
	float deviation = 0, *dst;

	switch (kind) {
	case BARK_WEIGHT_GAIN:
	case BARK_WEIGHT_BIAS:
		break;
	case BARK_WEIGHT_POSITIONS:
		deviation = 0.02f;
		break;
	case BARK_WEIGHT_RECURRENT:
		deviation = 1 / sqrtf((float)columns);
		break;
	case BARK_WEIGHT_CODEBOOK:
		deviation = 1;
		break;
	}
	dst = new_floats(s, name, n, deviation);
	for (size_t i = 0; dst && kind == BARK_WEIGHT_GAIN && i < n; i++)
		dst[i] = 1;
	*ret = dst;
	return 0;
}

static int get_sum(struct bark_weight_source *s, const float **ret,
		   const char *a, const char *b, size_t n)
{
	*ret = new_floats(s, a, n, 0);
	return 0;
}

static int get_matrix(struct bark_weight_source *s, const void **ret,
		      const char *name, size_t n, size_t k)
{
	const struct random_source *src = (struct random_source *)s;
	const struct array a = name_array(s, name, LINEAR_DEVIATION);
	const size_t all = n * k;
	float part[CHUNK];
	uint16_t *dst;

	if (s->type == BK_F32) {
		*ret = new_floats(s, name, all, LINEAR_DEVIATION);
		return 0;
	}
	dst = bark_arena_take(&s->arena, all * sizeof(*dst));
	for (size_t i = 0; dst && i < all; i += CHUNK) {
		size_t m = all - i < CHUNK ? all - i : CHUNK;

		make(&a, part, i, m);
		if (s->type == BK_F16)
			src->ops.f32_to_f16(dst + i, part, m);
		else
			src->ops.f32_to_bf16(dst + i, part, m);
	}
	*ret = dst;
	return 0;
}

static int get_quantized(struct bark_weight_source *s, struct bk_i8 *ret,
			 const char *name, size_t n, size_t k)
{
	const struct array a = name_array(s, name, LINEAR_DEVIATION);

	return bark_quantize(ret, &s->arena, s->pool, n, k, make, &a);
}

static int get_quantized_q4(struct bark_weight_source *s, struct bk_q4 *ret,
			    const char *name, size_t n, size_t k)
{
	const struct array a = name_array(s, name, LINEAR_DEVIATION);

	return bark_quantize_q4(ret, &s->arena, s->pool, n, k, make, &a);
}

static int get_conv(struct bark_weight_source *s, const float **ret,
		    const char *name, size_t c_out, size_t c_in, size_t kernel,
		    bool transposed)
{
	/* Each sample of a transposed convolution is a sum of two taps. */
	const size_t taps = transposed ? 2 : kernel;

	*ret = new_floats(s, name, c_out * c_in * kernel,
			  1 / sqrtf((float)(c_in * taps)));
	return 0;
}

static void release(struct bark_model *model)
{
	bark_weights_clear(model);
	if (model->storage)
		bark_arena_clear(model->storage);
	free(model->storage);
}

int bark_model_random(struct bark_model **ret, const struct bark_config *config,
		      enum bark_precision precision, uint64_t seed)
{
	const enum bark_precision chosen = bark_choose_precision(precision);
	struct random_source src = {
		.base = {
			.type = bark_precision_type(chosen),
			.int8 = bark_precision_quantized(chosen),
			.q4 = chosen == BARK_PRECISION_Q4,
			.begin = begin,
			.has = has,
			.floats = get_floats,
			.sum = get_sum,
			.matrix = get_matrix,
			.quantized = get_quantized,
			.quantized_q4 = get_quantized_q4,
			.conv = get_conv,
		},
		.seed = seed,
	};
	struct bark_model *model;
	int r;

	r = bark_config_check(config, NULL);
	if (r < 0)
		return r;
	model = calloc(1, sizeof(*model));
	if (!model)
		return -ENOMEM;
	atomic_init(&model->refs, 1);
	model->config = *config;
	model->release = release;
	model->storage = calloc(1, sizeof(struct bark_arena));
	bk_ops_init(&src.ops, ~0u);
	r = model->storage ? 0 : -ENOMEM;
	if (r == 0 && src.base.int8)
		r = bk_pool_new(&src.base.pool, 0, 0);
	if (r == 0)
		r = bark_weights_load(model, &src.base,
				      &bark_names_transformers);
	bk_pool_free(src.base.pool);
	if (r < 0) {
		bark_arena_clear(&src.base.arena);
		bark_model_unref(model);
		return r;
	}
	*(struct bark_arena *)model->storage = src.base.arena;
	model->n_bytes = src.base.arena.size;
	*ret = model;
	return 0;
}
