/* SPDX-License-Identifier: MIT */
/* GET /metrics: counters for Prometheus (its text format, version 0.0.4). */
#ifndef BARKD_METRICS_H
#define BARKD_METRICS_H

#include <stddef.h>
#include <stdint.h>

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_BUCKETS 8

struct daemon;

/* How often a duration was at most so long. */
struct histogram {
	uint64_t counts[METRICS_BUCKETS + 1]; /* the last: longer than all */
	double sum; /* seconds */
};

void histogram_add(struct histogram *h, double seconds);
/* The page, to be freed, or NULL without memory. */
char *metrics_page(struct daemon *d, size_t *ret_n);

#endif
