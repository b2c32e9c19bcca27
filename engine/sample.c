/* SPDX-License-Identifier: MIT */
#include "sample.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "philox.h"

int bark_sampler_init(struct bark_sampler *s, size_t cap)
{
	s->values = calloc(cap, sizeof(*s->values));
	s->order = calloc(cap, sizeof(*s->order));
	s->cap = cap;
	if (!s->values || !s->order) {
		bark_sampler_clear(s);
		return -ENOMEM;
	}
	return 0;
}

void bark_sampler_clear(struct bark_sampler *s)
{
	free(s->values);
	free(s->order);
	s->values = NULL;
	s->order = NULL;
}

static float largest(const float *x, size_t n)
{
	float max = x[0];

	for (size_t i = 1; i < n; i++)
		max = x[i] > max ? x[i] : max;
	return max;
}

/* Heap order: the smallest logit at the root; of equals the later index. */
static int before(const float *x, uint32_t a, uint32_t b)
{
	return x[a] < x[b] || (x[a] == x[b] && a > b);
}

static void sift(uint32_t *heap, size_t root, size_t n, const float *x)
{
	for (;;) {
		size_t child = 2 * root + 1;
		uint32_t t;

		if (child >= n)
			return;
		if (child + 1 < n && before(x, heap[child + 1], heap[child]))
			child++;
		if (!before(x, heap[child], heap[root]))
			return;
		t = heap[root];
		heap[root] = heap[child];
		heap[child] = t;
		root = child;
	}
}

/* Sorts indices by falling logit, without libc's qsort, which may allocate. */
static void sort_falling(uint32_t *order, size_t n, const float *x)
{
	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	for (size_t i = n / 2; i-- > 0;)
		sift(order, i, n, x);
	for (size_t end = n; end-- > 1;) {
		uint32_t t = order[0];

		order[0] = order[end];
		order[end] = t;
		sift(order, 0, end, x);
	}
}

/* Sets what nucleus and top-k exclude to -inf in s->values. */
static void restrict_values(struct bark_sampler *s, size_t n,
			    const struct bark_sampling *how)
{
	float *x = s->values;

	sort_falling(s->order, n, x);
	if (how->top_p > 0 && how->top_p < 1) {
		float max = x[s->order[0]];
		double total = 0, sum = 0;
		size_t keep = n;

		for (size_t i = 0; i < n; i++)
			total += exp((double)x[i] - max);
		for (size_t i = 0; i < n; i++) {
			/* The token that crosses top_p is kept itself. */
			sum += exp((double)x[s->order[i]] - max) / total;
			if (sum > how->top_p) {
				keep = i + 1;
				break;
			}
		}
		for (size_t i = keep; i < n; i++)
			x[s->order[i]] = -INFINITY;
	}
	if (how->top_k > 0 && how->top_k < n) {
		float least = x[s->order[how->top_k - 1]];

		/* Equals of the k-th stay, as torch's comparison keeps them. */
		for (size_t i = 0; i < n; i++)
			if (x[i] < least)
				x[i] = -INFINITY;
	}
}

size_t bark_sample(struct bark_sampler *s, const float *logits, size_t n,
		   const struct bark_sampling *how, uint32_t segment,
		   uint32_t stage, uint32_t position)
{
	struct bark_philox r;
	const float *x = logits;
	double total = 0, target;
	float max;
	size_t last = 0;

	if (s->greedy || !how->do_sample)
		return s->ops->argmax(logits, n);

	if ((how->top_p > 0 && how->top_p < 1) || (how->top_k > 0 && how->top_k < n)) {
		for (size_t i = 0; i < n; i++)
			s->values[i] = logits[i];
		restrict_values(s, n, how);
		x = s->values;
	}
	max = largest(x, n);
	for (size_t i = 0; i < n; i++) {
		float e = expf((x[i] - max) / how->temperature);

		s->values[i] = e;
		total += e;
	}
	r = bark_philox(s->seed, position, stage, segment, 0);
	target = bark_philox_uniform(&r) * total;
	for (size_t i = 0; i < n; i++) {
		if (s->values[i] <= 0)
			continue;
		last = i;
		target -= s->values[i];
		if (target < 0)
			return i;
	}
	return last;
}

float bark_probability(const float *logits, size_t n, size_t index)
{
	float max = largest(logits, n);
	double total = 0;

	for (size_t i = 0; i < n; i++)
		total += expf(logits[i] - max);
	return (float)(expf(logits[index] - max) / total);
}
