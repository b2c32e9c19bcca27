/* SPDX-License-Identifier: MIT */
/*
 * Philox4x32-10, a counter-based generator (Salmon et al., "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011): a draw is a function of key and
 * counter alone, so any token can be drawn again, in any order.
 */
#ifndef BARK_PHILOX_H
#define BARK_PHILOX_H

#include <stdint.h>

struct bark_philox {
	uint32_t v[4];
};

static inline struct bark_philox bark_philox(uint64_t key, uint32_t c0,
					     uint32_t c1, uint32_t c2,
					     uint32_t c3)
{
	struct bark_philox x = { { c0, c1, c2, c3 } };
	uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);

	for (int round = 0; round < 10; round++) {
		uint64_t a = (uint64_t)0xD2511F53u * x.v[0];
		uint64_t b = (uint64_t)0xCD9E8D57u * x.v[2];

		x = (struct bark_philox){ { (uint32_t)(b >> 32) ^ x.v[1] ^ k0,
					    (uint32_t)b,
					    (uint32_t)(a >> 32) ^ x.v[3] ^ k1,
					    (uint32_t)a } };
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	return x;
}

/* Uniform in [0, 1) with 53 bits. */
static inline double bark_philox_uniform(const struct bark_philox *x)
{
	uint64_t bits = ((uint64_t)x->v[0] << 32 | x->v[1]) >> 11;

	return (double)bits * 0x1p-53;
}

#endif
