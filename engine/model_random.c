/* SPDX-License-Identifier: MIT */
/*
 * Models of random weights. Each array is numbered, and each element's value
 * depends on seed, array and position alone: a model is the same whatever it
 * is filled with. The spread is that of the published networks' first steps,
 * so that activations stay of order one through any depth.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "error.h"
#include "weights.h"

#define CHUNK 4096 /* elements made at a time, a multiple of 4 */

struct random_source {
	struct bark_weight_source base;
	struct bk_ops ops;
	uint64_t seed, array;
};

static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* Uniform values of the given deviation; four of each hash's 64 bits. */
static void make(const struct random_source *src, float *dst, size_t first,
		 size_t n, float deviation)
{
	const uint64_t key = mix(src->seed + 0x9e3779b97f4a7c15u * src->array);
	const float scale = deviation * sqrtf(3.0f) / 32768.0f;

	for (size_t i = 0; i < n; i += 4) {
		uint64_t bits = mix(key + (first + i) * 0x9e3779b97f4a7c15u);

		for (size_t j = i; j < i + 4 && j < n; j++, bits >>= 16)
			dst[j] = scale * (float)(int16_t)bits;
	}
}

static void begin(struct bark_weight_source *s, enum bark_part part)
{
	/* The walk comes by twice and must number alike. */
	if (part == BARK_PART_SEMANTIC)
		((struct random_source *)s)->array = 0;
}

static bool has(struct bark_weight_source *s, const char *name)
{
	return false;
}

static float *new_floats(struct bark_weight_source *s, size_t n,
			 float deviation)
{
	struct random_source *src = (struct random_source *)s;
	float *dst = bark_arena_take(&s->arena, n * sizeof(*dst));

	src->array++;
	if (dst)
		make(src, dst, 0, n, deviation);
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
	dst = new_floats(s, n, deviation);
	for (size_t i = 0; dst && kind == BARK_WEIGHT_GAIN && i < n; i++)
		dst[i] = 1;
	*ret = dst;
	return 0;
}

static int get_sum(struct bark_weight_source *s, const float **ret,
		   const char *a, const char *b, size_t n)
{
	*ret = new_floats(s, n, 0);
	return 0;
}

static int get_matrix(struct bark_weight_source *s, const void **ret,
		      const char *name, size_t n, size_t k)
{
	struct random_source *src = (struct random_source *)s;
	const size_t all = n * k;
	float part[CHUNK];
	uint16_t *dst;

	if (s->type == BK_F32) {
		*ret = new_floats(s, all, 0.02f);
		return 0;
	}
	dst = bark_arena_take(&s->arena, all * sizeof(*dst));
	src->array++;
	for (size_t i = 0; dst && i < all; i += CHUNK) {
		size_t m = all - i < CHUNK ? all - i : CHUNK;

		make(src, part, i, m, 0.02f);
		if (s->type == BK_F16)
			src->ops.f32_to_f16(dst + i, part, m);
		else
			src->ops.f32_to_bf16(dst + i, part, m);
	}
	*ret = dst;
	return 0;
}

static int get_conv(struct bark_weight_source *s, const float **ret,
		    const char *name, size_t c_out, size_t c_in, size_t kernel,
		    bool transposed)
{
	/* Each sample of a transposed convolution is a sum of two taps. */
	const size_t taps = transposed ? 2 : kernel;

	*ret = new_floats(s, c_out * c_in * kernel,
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
		      enum bk_dtype type, uint64_t seed)
{
	struct random_source src = {
		.base = {
			.type = type,
			.begin = begin,
			.has = has,
			.floats = get_floats,
			.sum = get_sum,
			.matrix = get_matrix,
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
	r = model->storage ? bark_weights_load(model, &src.base,
					       &bark_names_transformers)
			   : -ENOMEM;
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
