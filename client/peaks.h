/* SPDX-License-Identifier: MIT */
/* What the machine can do, measured, for `barkctl bench` to compare with. */
#ifndef BARKCTL_PEAKS_H
#define BARKCTL_PEAKS_H

#include <stdbool.h>

#include "compute.h"

struct peaks {
	double bytes;      /* a second, read from memory */
	double operations; /* a second, of products that stay in the cache */
};

/*
 * On all threads of the pool, for a quarter of a second each. int8: of 8-bit
 * products, else of f32's. Errors: -ENOMEM.
 */
int peaks_measure(struct peaks *ret, struct bark_compute *compute, bool int8);

#endif
