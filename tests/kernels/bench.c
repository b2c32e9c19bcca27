/* SPDX-License-Identifier: MIT */
/* Best of many calls, each on one thread's own CPU time. */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECONDS 0.1

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

/* Seconds of the fastest of the calls that fit in SECONDS. */
#define BEST(call)                                                       \
	({                                                               \
		double best_ = 1e9, begin_ = now(), at_ = begin_, end_;  \
		do {                                                     \
			call;                                            \
			end_ = now();                                    \
			best_ = end_ - at_ < best_ ? end_ - at_ : best_; \
			at_ = end_;                                      \
		} while (end_ - begin_ < SECONDS);                       \
		best_;                                                   \
	})

static float *floats(size_t n)
{
	float *p = aligned_alloc(64, (n * sizeof(*p) + 63) / 64 * 64);

	if (!p)
		abort();
	for (size_t i = 0; i < n; i++)
		p[i] = check_unit();
	return p;
}

static void print(const struct bk_ops *ops, const char *what, double s,
		  double flop, double bytes)
{
	printf("%-8s %-34s %11.0f ns", ops->name, what, s * 1e9);
	if (flop > 0)
		printf(" %7.2f GFLOP/s", flop / s * 1e-9);
	if (bytes > 0)
		printf(" %7.2f GB/s", bytes / s * 1e-9);
	putchar('\n');
}

static void bench_gemm(const struct bk_ops *ops)
{
	static const size_t ms[] = {1, 4, 16, 60, 317, 1024};
	static const size_t nk[][2] = {{576, 192}, {2304, 768}, {3072, 768},
				       {768, 3072}, {3072, 1024}, {1024, 4096}};
	static const char *const names[] = {"f32", "f16", "bf16"};
	float *x = floats((size_t)1024 * 4096), *y = floats(1024 * 3072);
	float *w = floats((size_t)4096 * 1024);
	uint16_t *half = (uint16_t *)floats((size_t)2048 * 1024);
	char what[64];

	for (int t = 0; t < BK_DTYPES; t++) {
		const void *weights = t == BK_F32 ? (void *)w : (void *)half;

		if (t == BK_F16)
			ops->f32_to_f16(half, w, (size_t)4096 * 1024);
		if (t == BK_BF16)
			ops->f32_to_bf16(half, w, (size_t)4096 * 1024);
		for (size_t i = 0; i < sizeof(ms) / sizeof(*ms); i++) {
			for (size_t j = 0; j < sizeof(nk) / sizeof(*nk); j++) {
				size_t m = ms[i], n = nk[j][0], k = nk[j][1];
				double s = BEST(ops->gemm[t](y, n, x, k, weights,
						k, NULL, m, n, k));

				snprintf(what, sizeof(what),
					 "gemm %s m=%zu n=%zu k=%zu", names[t],
					 m, n, k);
				print(ops, what, s, 2.0 * (double)(m * n * k),
				      m == 1 ? (double)(n * k *
					bk_dtype_size((enum bk_dtype)t)) : 0);
			}
		}
	}
	free(x);
	free(y);
	free(w);
	free(half);
}

static void bench_attention(const struct bk_ops *ops)
{
	static const size_t shapes[][2] = {{1, 400}, {1, 1000}, {887, 0},
					   {1024, 0}};
	const size_t hd = 64, ld = 768;
	float *q = floats(1024 * ld), *k = floats(1024 * ld);
	float *v = floats(1024 * ld), *out = floats(1024 * ld), scratch[1024];
	uint16_t *k16 = (uint16_t *)floats(512 * ld);
	uint16_t *v16 = (uint16_t *)floats(512 * ld);
	char what[64];

	ops->f32_to_f16(k16, k, 1024 * ld);
	ops->f32_to_f16(v16, v, 1024 * ld);

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		size_t m = shapes[i][0], past = shapes[i][1];
		int causal = m != 1024;
		double keys = causal ? (double)past + (double)(m + 1) / 2 :
				       (double)m;
		double s = BEST(ops->attention(out, ld, q, ld, k, v, ld, m,
				past, hd, causal, 0.125f, scratch));

		snprintf(what, sizeof(what), "attention m=%zu past=%zu%s", m,
			 past, causal ? " causal" : "");
		print(ops, what, s, 4.0 * (double)(m * hd) * keys,
		      m == 1 ? 8.0 * (double)hd * keys : 0);
		s = BEST(ops->attention_f16(out, ld, q, ld, k16, v16, ld, m,
				past, hd, causal, 0.125f, scratch));
		snprintf(what, sizeof(what), "attention_f16 m=%zu past=%zu%s",
			 m, past, causal ? " causal" : "");
		print(ops, what, s, 4.0 * (double)(m * hd) * keys,
		      m == 1 ? 4.0 * (double)hd * keys : 0);
	}
	free(k16);
	free(v16);
	free(q);
	free(k);
	free(v);
	free(out);
}

static void bench_rest(const struct bk_ops *ops)
{
	const size_t n = 16384;
	float *x = floats(n), *y = floats(n), *z = floats(n);
	uint16_t *h = (uint16_t *)floats(n);
	volatile size_t sink;

	print(ops, "layernorm 21x768", BEST(ops->layernorm(y, x, z, z, 21, 768,
		1e-5f)), 0, 8.0 * 21 * 768);
	/* From a copy: applied over and over, it ends in slow denormals. */
	print(ops, "gelu 16384", BEST((memcpy(y, z, n * sizeof(*y)),
		ops->gelu(y, n))), 0, 8.0 * (double)n);
	print(ops, "elu 16384", BEST(ops->elu(y, z, n)), 0, 8.0 * (double)n);
	print(ops, "add 16384", BEST(ops->add(y, z, n)), 0, 12.0 * (double)n);
	print(ops, "lstm_cell 512", BEST(ops->lstm_cell(y, z, x, 512)), 0, 0);
	print(ops, "argmax 10048", BEST(sink = ops->argmax(z, 10048)), 0,
	      4.0 * 10048);
	print(ops, "f32_to_f16 16384", BEST(ops->f32_to_f16(h, z, n)), 0,
	      6.0 * (double)n);
	print(ops, "f16_to_f32 16384", BEST(ops->f16_to_f32(y, h, n)), 0,
	      6.0 * (double)n);
	print(ops, "f32_to_bf16 16384", BEST(ops->f32_to_bf16(h, z, n)), 0,
	      6.0 * (double)n);
	print(ops, "bf16_to_f32 16384", BEST(ops->bf16_to_f32(y, h, n)), 0,
	      6.0 * (double)n);
	(void)sink;
	free(x);
	free(y);
	free(z);
	free(h);
}

void bench_level(const struct bk_ops *ops)
{
	bench_gemm(ops);
	bench_attention(ops);
	bench_rest(ops);
}
