/* SPDX-License-Identifier: MIT */
#include "quantize.h"

#include <errno.h>
#include <stdlib.h>

struct job {
	int8_t *w;
	uint8_t *q4; /* NULL: 8 bits, into w */
	int8_t *mul;
	float *scale;
	int32_t *sum;
	float *rows; /* [threads][BK_I8_ROWS][k] */
	size_t n, k;
	bark_read_elements read;
	const void *from;
};

static void quantize_part(void *arg, size_t part, size_t parts)
{
	const struct job *j = arg;
	float *rows = j->rows + part * BK_I8_ROWS * j->k;

	for (size_t o = part * BK_I8_ROWS; o < j->n; o += parts * BK_I8_ROWS) {
		size_t n = j->n - o < BK_I8_ROWS ? j->n - o : BK_I8_ROWS;

		j->read(j->from, rows, o * j->k, n * j->k);
		if (j->q4)
			bk_q4_pack(j->q4, j->mul, j->scale, j->sum, rows, j->k,
				   o, n, j->k);
		else
			bk_i8_pack(j->w, j->scale, j->sum, rows, j->k, o, n,
				   j->k);
	}
}

static int run(struct job *j, struct bk_pool *pool)
{
	const size_t threads = bk_pool_threads(pool);

	j->rows = malloc(threads * BK_I8_ROWS * j->k * sizeof(*j->rows));
	if (!j->rows)
		return -ENOMEM;
	bk_pool_run(pool, quantize_part, j, threads);
	free(j->rows);
	return 0;
}

int bark_quantize(struct bk_i8 *ret, struct bark_arena *arena,
		  struct bk_pool *pool, size_t n, size_t k,
		  bark_read_elements read, const void *from)
{
	const size_t count = bk_i8_scale_count(n, k);
	struct job j = {
		.w = bark_arena_take(arena, bk_i8_weight_bytes(n, k)),
		.scale = bark_arena_take(arena, count * sizeof(*j.scale)),
		.sum = bark_arena_take(arena, count * sizeof(*j.sum)),
		.n = n, .k = k, .read = read, .from = from,
	};

	*ret = (struct bk_i8){j.w, j.scale, j.sum, n, k};
	return j.w ? run(&j, pool) : 0;
}

int bark_quantize_q4(struct bk_q4 *ret, struct bark_arena *arena,
		     struct bk_pool *pool, size_t n, size_t k,
		     bark_read_elements read, const void *from)
{
	const size_t count = bk_i8_scale_count(n, k);
	struct job j = {
		.q4 = bark_arena_take(arena, bk_q4_weight_bytes(n, k)),
		.mul = bark_arena_take(arena, bk_q4_mul_count(n, k)),
		.scale = bark_arena_take(arena, count * sizeof(*j.scale)),
		.sum = bark_arena_take(arena, count * sizeof(*j.sum)),
		.n = n, .k = k, .read = read, .from = from,
	};

	*ret = (struct bk_q4){j.q4, j.mul, j.scale, j.sum, n, k};
	return j.q4 ? run(&j, pool) : 0;
}
