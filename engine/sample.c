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

/* Heap order: the largest logit at the root; of equals the earlier index. */
static int before(const float *x, uint32_t a, uint32_t b)
{
	return x[a] > x[b] || (x[a] == x[b] && a < b);
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

static void make_heap(uint32_t *heap, size_t n, const float *x)
{
	for (size_t i = 0; i < n; i++)
		heap[i] = (uint32_t)i;
	for (size_t i = n / 2; i-- > 0;)
		sift(heap, i, n, x);
}

/* Takes the largest of n; it then lies behind those that are left. */
static uint32_t take(uint32_t *heap, size_t n, const float *x)
{
	uint32_t top = heap[0];

	heap[0] = heap[n - 1];
	heap[n - 1] = top;
	sift(heap, 0, n - 1, x);
	return top;
}

static float largest(const struct bk_ops *ops, const float *x, size_t n)
{
	return x[ops->argmax(x, n)];
}

/* Excludes what is not in the nucleus; returns how many are left. */
static size_t keep_nucleus(struct bark_sampler *s, size_t n, float top_p)
{
	float *x = s->values;
	float max = x[s->order[0]];
	double total = 0, sum = 0;
	size_t keep = 0;

	for (size_t i = 0; i < n; i++)
		total += exp((double)x[i] - max);
	/* The token that crosses top_p is kept itself. */
	while (keep < n && sum <= top_p) {
		uint32_t i = take(s->order, n - keep++, x);

		sum += exp((double)x[i] - max) / total;
	}
	for (size_t i = 0; i < n - keep; i++)
		x[s->order[i]] = -INFINITY;
	return keep;
}

/* Sets what nucleus and top-k exclude to -inf in s->values. The heap hands
 * out as many of the largest as are needed, in their order. */
static void restrict_values(struct bark_sampler *s, size_t n,
			    const struct bark_sampling *how)
{
	float *x = s->values, least;
	size_t taken = 0;

	make_heap(s->order, n, x);
	if (how->top_p > 0 && how->top_p < 1) {
		taken = keep_nucleus(s, n, how->top_p);
		if (how->top_k >= taken)
			return;
	}
	if (how->top_k == 0 || how->top_k >= n)
		return;
	for (; taken < how->top_k; taken++)
		take(s->order, n - taken, x);
	least = x[s->order[n - how->top_k]];
	/* Equals of the k-th stay, as torch's comparison keeps them. */
	for (size_t i = 0; i < n; i++)
		if (x[i] < least)
			x[i] = -INFINITY;
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
	max = largest(s->ops, x, n);
	for (size_t i = 0; i < n; i++) {
		float e = x[i] == -INFINITY ?
				  0 : expf((x[i] - max) / how->temperature);

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

float bark_probability(const struct bk_ops *ops, const float *logits, size_t n,
		       size_t index)
{
	float max = largest(ops, logits, n);
	double total = 0;

	for (size_t i = 0; i < n; i++)
		total += expf(logits[i] - max);
	return (float)(expf(logits[index] - max) / total);
}
