/* SPDX-License-Identifier: MIT */
/*
 * A fixed set of worker threads for the arithmetic. One caller at a time uses
 * a pool; the caller's own thread works too, so a pool of one thread has no
 * workers and runs everything in place.
 */
#ifndef BK_POOL_H
#define BK_POOL_H

#include <stddef.h>

struct bk_pool;

/* Computes part `part` of `parts`; parts are disjoint by construction. */
typedef void (*bk_task)(void *arg, size_t part, size_t parts);

/*
 * threads: total, the caller's included, 1..256; 0 takes the number of CPUs
 * this process may use. nice: added to the workers' niceness, 0..19.
 * Errors: -EINVAL, -ENOMEM, or what pthread_create said.
 */
int bk_pool_new(struct bk_pool **ret, unsigned threads, int nice);
void bk_pool_free(struct bk_pool *pool);

unsigned bk_pool_threads(const struct bk_pool *pool);

/*
 * Runs task(arg, 0..parts-1, parts) over the threads and returns when all are
 * done. Allocates nothing. Workers spin for a short while between calls while
 * the pool is "awake" and sleep on a futex otherwise.
 */
void bk_pool_run(struct bk_pool *pool, bk_task task, void *arg, size_t parts);

/* Lets the workers sleep at once; call when no work is expected soon. */
void bk_pool_rest(struct bk_pool *pool);

#endif
