/* SPDX-License-Identifier: MIT */
/*
 * Products with 8-bit and 4-bit weights beside those with floats, on one thread
 * and on two. Steps read other weights each time, more than a
 * cache holds, as a model does; so does the plain sum they are held against.
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pool.h"

#define POOL_BYTES ((size_t)96 << 20)
#define SECONDS 0.4
/* Rows of a long prefill. */
#define MANY 887

enum kind {
	I8,
	Q4,
	F16,
	F32,
	READ, /* not a product: the bytes are added up */
	KINDS,
};

static const char *const names[KINDS] = {"i8", "q4", "f16", "f32", "read"};

#ifdef __x86_64__

#include <immintrin.h>

#define PEAK_SUMS 12
#define PEAK_TIMES 100000

/* The operations of a loop of nothing but an instruction that multiplies. */
__attribute__((target("avx2"))) static double peak_avx2(void)
{
	__m256i sums[PEAK_SUMS], a = _mm256_set1_epi16(3);

	for (size_t i = 0; i < PEAK_SUMS; i++)
		sums[i] = a;
	for (size_t t = 0; t < PEAK_TIMES; t++)
		for (size_t i = 0; i < PEAK_SUMS; i++) {
			sums[i] = _mm256_madd_epi16(sums[i], a);
			__asm__("" : "+x"(sums[i]));
		}
	return 32.0 * PEAK_SUMS * PEAK_TIMES;
}

__attribute__((target("avx512f,avx512vnni"))) static double peak_vnni(void)
{
	__m512i sums[PEAK_SUMS], a = _mm512_set1_epi8(3);

	for (size_t i = 0; i < PEAK_SUMS; i++)
		sums[i] = a;
	for (size_t t = 0; t < PEAK_TIMES; t++)
		for (size_t i = 0; i < PEAK_SUMS; i++) {
			sums[i] = _mm512_dpbusd_epi32(sums[i], a, a);
			__asm__("" : "+v"(sums[i]));
		}
	return 128.0 * PEAK_SUMS * PEAK_TIMES;
}

#endif

struct bench {
	const struct bk_ops *ops;
	struct bk_pool *pool;
	enum kind kind;
	size_t m, n, k;
	/* Copies of a matrix, one after the other. */
	char *weights;
	float *scale;
	int32_t *sum;
	int8_t *mul; /* Q4 */
	size_t copy, copies;
	float *x, *qs, *y;
	int8_t *q;
	volatile uint64_t sink;
};

static double now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

static void *filled(size_t bytes)
{
	char *p = aligned_alloc(64, (bytes + 63) / 64 * 64);

	if (!p)
		abort();
	for (size_t i = 0; i + 4 <= bytes; i += 4) {
		float f = check_unit();

		memcpy(p + i, &f, 4);
	}
	return p;
}

static size_t matrix_bytes(const struct bench *b)
{
	switch (b->kind) {
	case I8:
		return bk_i8_weight_bytes(b->n, b->k);
	case Q4:
		return bk_q4_weight_bytes(b->n, b->k);
	case F16:
		return b->n * b->k * sizeof(uint16_t);
	default:
		return b->n * b->k * sizeof(float);
	}
}

static void add_up(struct bench *b, size_t part, size_t parts)
{
	size_t count = matrix_bytes(b) / sizeof(uint64_t) / parts;
	const uint64_t *p = (const uint64_t *)(b->weights +
				b->copy * matrix_bytes(b)) + part * count;
	uint64_t sums[8] = {0}, all = 0;

	for (size_t i = 0; i + 8 <= count; i += 8)
		for (size_t l = 0; l < 8; l++)
			sums[l] += p[i + l];
	for (size_t l = 0; l < 8; l++)
		all += sums[l];
	b->sink = all;
}

static void task(void *arg, size_t part, size_t parts)
{
	struct bench *b = arg;
	const size_t step = BK_I8_ROWS;
	size_t first = b->n / step * part / parts * step;
	size_t n = b->n / step * (part + 1) / parts * step - first;
	size_t groups = bk_i8_groups(b->k);
	const char *w = b->weights + b->copy * matrix_bytes(b);
	size_t at = b->copy * bk_i8_scale_count(b->n, b->k);
	struct bk_i8 i8 = {(const int8_t *)w, b->scale + at, b->sum + at, b->n,
			   b->k};
	struct bk_q4 q4 = {(const uint8_t *)w, b->mul + at * BK_Q4_PARTS,
			   b->scale + at, b->sum + at, b->n, b->k};

	switch (b->kind) {
	case I8:
		b->ops->gemm_i8(b->y + first, b->n, b->q, groups * BK_I8_GROUP,
				b->qs, groups, &i8, NULL, b->m, first, n);
		break;
	case Q4:
		b->ops->gemm_q4(b->y + first, b->n, b->q, groups * BK_I8_GROUP,
				b->qs, groups, &q4, NULL, b->m, first, n);
		break;
	case F16:
		b->ops->gemm[BK_F16](b->y + first, b->n, b->x, b->k,
				     (const uint16_t *)w + first * b->k, b->k,
				     NULL, b->m, n, b->k);
		break;
	case F32:
		b->ops->gemm[BK_F32](b->y + first, b->n, b->x, b->k,
				     (const float *)w + first * b->k, b->k,
				     NULL, b->m, n, b->k);
		break;
	default:
		add_up(b, part, parts);
	}
}

/* Seconds of the fastest call, each with the next copy of the weights. */
static double best(struct bench *b)
{
	double fastest = 1e9, begin = now(CLOCK_MONOTONIC), at;
	/* What others run on the machine counts only where it must. */
	clockid_t clock = bk_pool_threads(b->pool) == 1 ?
		CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;

	do {
		b->copy = (b->copy + 1) % b->copies;
		at = now(clock);
		bk_pool_run(b->pool, task, b, bk_pool_threads(b->pool));
		at = now(clock) - at;
		fastest = at < fastest ? at : fastest;
	} while (now(CLOCK_MONOTONIC) - begin < SECONDS);
	return fastest;
}

static void make_weights(struct bench *b, const float *unit)
{
	size_t bytes = matrix_bytes(b), count = bk_i8_scale_count(b->n, b->k);

	b->copies = POOL_BYTES / bytes;
	b->weights = filled(b->copies * bytes);
	b->scale = filled(b->copies * count * sizeof(*b->scale));
	b->sum = filled(b->copies * count * sizeof(*b->sum));
	b->mul = filled(b->copies * count * BK_Q4_PARTS);
	if (b->kind == I8)
		bk_i8_pack((int8_t *)b->weights, b->scale, b->sum, unit, b->k,
			   0, b->n, b->k);
	else if (b->kind == Q4)
		bk_q4_pack((uint8_t *)b->weights, b->mul, b->scale, b->sum,
			   unit, b->k, 0, b->n, b->k);
	else if (b->kind == F16)
		b->ops->f32_to_f16((uint16_t *)(void *)b->weights, unit,
				   b->n * b->k);
	for (size_t c = 1; c < b->copies; c++) {
		memcpy(b->weights + c * bytes, b->weights, bytes);
		memcpy(b->scale + c * count, b->scale, count * sizeof(float));
		memcpy(b->sum + c * count, b->sum, count * sizeof(int32_t));
		memcpy(b->mul + c * count * BK_Q4_PARTS, b->mul,
		       count * BK_Q4_PARTS);
	}
}

static void one(struct bench *b)
{
	static const size_t ms[] = {1, 2, 4, 8, MANY};
	size_t groups = bk_i8_groups(b->k);
	float *unit = filled(b->n * b->k * sizeof(*unit));

	make_weights(b, unit);
	b->x = filled(MANY * b->k * sizeof(*b->x));
	b->y = filled(MANY * b->n * sizeof(*b->y));
	b->q = filled(MANY * groups * BK_I8_GROUP);
	b->qs = filled(MANY * groups * sizeof(*b->qs));
	for (size_t i = 0; i < MANY; i++)
		b->ops->quantize_i8(b->q + i * groups * BK_I8_GROUP,
				    b->qs + i * groups, b->x + i * b->k, b->k);
	for (size_t i = 0; i < sizeof(ms) / sizeof(*ms); i++) {
		double s;

		b->m = ms[i];
		s = best(b);
		printf("%-10s %u thread(s) %-4s m=%-3zu n=%-4zu k=%-4zu "
		       "%9.1f us %6.2f GB/s", b->ops->name,
		       bk_pool_threads(b->pool), names[b->kind], b->m, b->n,
		       b->k, s * 1e6, (double)matrix_bytes(b) / s * 1e-9);
		if (b->kind == READ) {
			putchar('\n');
			break;
		}
		printf(" %6.2f GOP/s\n",
		       2e-9 * (double)(b->m * b->n * b->k) / s);
	}
	free(b->weights);
	free(b->scale);
	free(b->sum);
	free(b->mul);
	free(b->x);
	free(b->y);
	free(b->q);
	free(b->qs);
	free(unit);
}

static void peak(const struct bk_ops *ops)
{
#ifdef __x86_64__
	double (*loop)(void) = ops->level == BK_LEVEL_AVX512VNNI ? peak_vnni :
			       ops->level == BK_LEVEL_AVX2 ? peak_avx2 : NULL;
	double fastest = 1e9, at, operations = 0;

	for (int i = 0; loop && i < 20; i++) {
		at = now(CLOCK_THREAD_CPUTIME_ID);
		operations = loop();
		at = now(CLOCK_THREAD_CPUTIME_ID) - at;
		fastest = at < fastest ? at : fastest;
	}
	if (loop)
		printf("%-10s 1 thread(s) peak %57.2f GOP/s\n", ops->name,
		       operations / fastest * 1e-9);
#endif
}

void bench_i8(const struct bk_ops *ops)
{
	static const size_t shapes[][2] = {{768, 3072}, {3072, 768},
					   {1024, 4096}};

	peak(ops);
	for (unsigned threads = 1; threads <= 2; threads++) {
		struct bench b = {.ops = ops};

		if (bk_pool_new(&b.pool, threads, 0) < 0)
			abort();
		for (int kind = 0; kind < KINDS; kind++)
			for (size_t i = 0; i < 3; i++) {
				b.kind = (enum kind)kind;
				b.n = shapes[i][0];
				b.k = shapes[i][1];
				one(&b);
			}
		bk_pool_free(b.pool);
	}
}
