/* SPDX-License-Identifier: MIT */
/*
 * A ring of samples: one producer, one consumer, no locks. Positions count
 * from the beginning of time and never wrap, so a position names a sample.
 */
#ifndef BARKD_RING_H
#define BARKD_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ring {
	float *data;    /* [size], a power of two; sample p at p & (size-1) */
	size_t size;
	/* Each side's position on a cache line of its own. */
	_Alignas(64) _Atomic uint64_t written;
	_Alignas(64) _Atomic uint64_t read;
};

/* Producer's. */
static inline size_t ring_space(struct ring *r)
{
	uint64_t w = atomic_load_explicit(&r->written, memory_order_relaxed);
	uint64_t rd = atomic_load_explicit(&r->read, memory_order_acquire);

	return r->size - (size_t)(w - rd);
}

/* Producer's. n <= ring_space(); publish with ring_publish(). */
static inline void ring_put(struct ring *r, uint64_t at, const float *pcm,
			    size_t n)
{
	size_t i = (size_t)at & (r->size - 1);
	size_t first = n < r->size - i ? n : r->size - i;

	memcpy(r->data + i, pcm, first * sizeof(*pcm));
	memcpy(r->data, pcm + first, (n - first) * sizeof(*pcm));
}

static inline void ring_publish(struct ring *r, uint64_t written)
{
	atomic_store_explicit(&r->written, written, memory_order_release);
}

/* Consumer's. RT safe. The samples [at, at + n) must have been written. */
static inline void ring_get(const struct ring *r, uint64_t at, float *pcm,
			    size_t n)
{
	size_t i = (size_t)at & (r->size - 1);
	size_t first = n < r->size - i ? n : r->size - i;

	memcpy(pcm, r->data + i, first * sizeof(*pcm));
	memcpy(pcm + first, r->data, (n - first) * sizeof(*pcm));
}

#endif
