/* SPDX-License-Identifier: MIT */
#include "levels.h"

#include <math.h>

void levels_add(struct levels *l, unsigned rate, uint64_t at, const float *pcm,
		size_t n)
{
	size_t block = rate / LEVELS_PER_S;

	for (size_t i = 0; i < n; i++) {
		float v = fabsf(pcm[i]);

		l->square += (double)v * v;
		l->peak = v > l->peak ? v : l->peak;
		if (++l->n < block)
			continue;
		l->newest = (l->newest + 1) % LEVELS_KEPT;
		l->blocks[l->newest].end = at + i + 1;
		l->blocks[l->newest].level = (struct level){
			(float)sqrt(l->square / (double)l->n), l->peak,
		};
		l->square = 0;
		l->peak = 0;
		l->n = 0;
	}
}

struct level levels_at(const struct levels *l, uint64_t at)
{
	struct level level = {0, 0};

	for (unsigned i = 0; i < LEVELS_KEPT; i++) {
		unsigned k = (l->newest + LEVELS_KEPT - i) % LEVELS_KEPT;

		/* Older and older: the last that ends behind the place. */
		if (l->blocks[k].end <= at)
			break;
		level = l->blocks[k].level;
	}
	return level;
}
