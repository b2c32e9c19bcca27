/* SPDX-License-Identifier: MIT */
/*
 * What the kernel tests share: seeded numbers biased to edges, buffers that
 * show a stray read or write, comparisons that say how far off a result is.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kernels.h"

/* Long enough for "attention/avx512". */
#define CHECK_NAME 64

/* The level under test and the one that it is held against. */
struct check {
	struct bk_ops ops;
	struct bk_ops ref;
	int verbose;
};

void check_seed(uint64_t seed);
uint32_t check_rand(void);
/* lo..hi, both included; short tails and powers of two more often. */
size_t check_size(size_t lo, size_t hi);
/* -1..1 */
float check_unit(void);
/* Mostly -range..range, now and then 0, a denormal or either end. */
float check_float(float range);

/*
 * n elements of `size` bytes between a page that cannot be read and a
 * stretch of canaries, on either side by chance. Aborts when memory is short.
 */
struct guarded {
	void *data;
	unsigned char *map;
	size_t map_size;
	unsigned char *canary;
	size_t canary_size;
};

void *guarded_new(struct guarded *g, size_t n, size_t size);
float *guarded_floats(struct guarded *g, size_t n, float range);
/* 0 when a canary is gone. */
int guarded_free(struct guarded *g);

/* Errors gathered over many elements. */
struct error {
	double max_abs;
	double max_bound; /* largest |error| / allowed */
	double worst_got, worst_want;
	double sum_error, sum_want; /* squares */
};

void error_add(struct error *e, double got, double want, double allowed);
double error_relative(const struct error *e);

/* Reports one test: ok if every error was within what was allowed. */
void error_report(const struct check *c, const char *what,
		  const struct error *e, const char *trouble);

/* Whether a report was a failure. */
int check_failed(void);

/* "what/level" */
const char *check_name(const struct check *c, const char *what);

void check_gemm(const struct check *c);
void check_i8(const struct check *c);
void check_q4(const struct check *c);
void check_attention(const struct check *c);
void check_layernorm(const struct check *c);
void check_pointwise(const struct check *c);
void check_convert(const struct check *c);

void bench_level(const struct bk_ops *ops);
void bench_i8(const struct bk_ops *ops);

#endif
