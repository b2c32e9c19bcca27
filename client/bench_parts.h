/* SPDX-License-Identifier: MIT */
/* The engine's large steps alone, for `barkctl bench`. */
#ifndef BARKCTL_BENCH_PARTS_H
#define BARKCTL_BENCH_PARTS_H

#include "compute.h"

#define BENCH_CONTEXT 600
#define BENCH_PREFILL 887

enum bench_part {
	PART_SEMANTIC_STEP,  /* one token behind `rows` others */
	PART_COARSE_STEP,
	PART_COARSE_PREFILL, /* `rows` at once */
	PART_FINE_WINDOW,    /* all codebooks of `rows` frames */
	BENCH_PARTS,
};

struct bench_figure {
	size_t rows;    /* as many as the model has, at most those above */
	double seconds; /* the fastest of a few */
	struct bark_work work;
};

/* Errors: -ENOMEM. */
int bench_parts(struct bench_figure ret[BENCH_PARTS],
		struct bark_compute *compute, const struct bark_model *model);

#endif
