/* SPDX-License-Identifier: MIT */
/*
 * A look-ahead limiter: peaks never pass -1 dBFS, and samples pass unchanged,
 * bit for bit, while none within its reach is louder. Output is aligned with
 * the input: the look-ahead is held back, not added as delay.
 */
#ifndef BARKD_LIMITER_H
#define BARKD_LIMITER_H

#include <stddef.h>

/* Just under -1 dBFS (0.8912509), to be below it after rounding too. */
#define LIMITER_CEILING 0.89125f

struct limiter;

/* rate: samples a second, 8,000 to 192,000. Errors: -ENOMEM. */
int limiter_new(struct limiter **ret, unsigned rate);
void limiter_free(struct limiter *l);
/* Forgets everything, as new. */
void limiter_reset(struct limiter *l);
/* Samples held back at most. */
size_t limiter_reach(const struct limiter *l);
/*
 * Takes n samples, writes those that are ready to out (room for n; may be
 * `in` itself); returns their number.
 */
size_t limiter_process(struct limiter *l, const float *in, size_t n,
		       float *out);
/* Writes what is held back (room for limiter_reach()); returns the number. */
size_t limiter_flush(struct limiter *l, float *out);

#endif
