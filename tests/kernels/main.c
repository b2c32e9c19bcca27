/* SPDX-License-Identifier: MIT */
/*
 * Every level that this CPU runs against the truth in double precision (or, to
 * the bit, against plain C): test_kernels [--seed N] [--level NAME] [--bench]
 * [--verbose].
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "tap.h"

static void check_level(enum bk_level level, int verbose)
{
	struct check c = {.verbose = verbose};

	bk_ops_init(&c.ops, 1u << level);
	bk_ops_init(&c.ref, 0);
	if (c.ops.level != level || c.ref.level != BK_LEVEL_C) {
		tap_not_ok(bk_level_name(level), "the dispatch chose %s",
			   c.ops.name);
		return;
	}
	check_gemm(&c);
	check_i8(&c);
	check_q4(&c);
	check_attention(&c);
	check_layernorm(&c);
	check_pointwise(&c);
	check_convert(&c);
}

/* The highest level wins, and a mask takes it away again. */
static void check_dispatch(void)
{
	unsigned levels = bk_cpu_levels();
	struct bk_ops ops;

	bk_ops_init(&ops, ~0u);
	TAP_CHECK("dispatch", levels >> ops.level == 1);
	TAP_CHECK("dispatch", !strcmp(ops.name, bk_level_name(ops.level)));
	bk_ops_init(&ops, ~(1u << ops.level));
	TAP_CHECK("dispatch", levels == 1 || levels >> ops.level > 1);
	tap_ok("dispatch");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"seed", required_argument, NULL, 's'},
		{"level", required_argument, NULL, 'l'},
		{"bench", no_argument, NULL, 'b'},
		{"verbose", no_argument, NULL, 'v'},
		{0},
	};
	uint64_t seed = (uint64_t)time(NULL);
	const char *only = NULL;
	int bench = 0, verbose = 0, opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'l':
			only = optarg;
			break;
		case 'b':
			bench = 1;
			break;
		case 'v':
			verbose = 1;
			break;
		default:
			return 2;
		}
	}
	printf("# seed %llu\n", (unsigned long long)seed);
	if (!bench)
		check_dispatch();
	for (int i = 0; i < BK_LEVELS; i++) {
		enum bk_level level = (enum bk_level)i;
		const char *name = bk_level_name(level);
		struct bk_ops ops;

		if (only && strcmp(only, name))
			continue;
		/* Each level sees the same numbers. */
		check_seed(seed);
		if (!(bk_cpu_levels() & 1u << i)) {
			tap_skip(name, "not in this CPU or build");
		} else if (bench) {
			bk_ops_init(&ops, 1u << i);
			bench_i8(&ops);
			bench_level(&ops);
		} else {
			check_level(level, verbose);
		}
	}
	/* tap.h counts for each file. */
	return tap_failed || check_failed();
}
