/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"

#define CANARY 0xa5

static uint64_t state;

void check_seed(uint64_t seed)
{
	state = seed;
}

uint32_t check_rand(void)
{
	/* splitmix64 */
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) >> 32);
}

size_t check_size(size_t lo, size_t hi)
{
	size_t n;

	switch (check_rand() % 4) {
	case 0: /* a few around a power of two */
		n = ((size_t)1 << check_rand() % 12) + check_rand() % 5;
		n = n > 2 ? n - 2 : n;
		break;
	case 1:
		n = lo + check_rand() % 20;
		break;
	default:
		n = lo + check_rand() % (hi - lo + 1);
	}
	return n < lo ? lo : n > hi ? hi : n;
}

float check_unit(void)
{
	return (float)((int32_t)check_rand()) * 0x1p-31f;
}

float check_float(float range)
{
	switch (check_rand() % 64) {
	case 0:
		return 0;
	case 1:
		return -0.0f;
	case 2: /* denormal */
		return check_unit() * 0x1p-127f;
	case 3:
		return range;
	case 4:
		return -range;
	case 5:
		return check_unit() * range * 0x1p-12f;
	default:
		return check_unit() * range;
	}
}

void *guarded_new(struct guarded *g, size_t n, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = n * size;
	size_t room = (bytes + 64 + page - 1) / page * page;

	g->map_size = room + page;
	g->map = mmap(NULL, g->map_size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g->map == MAP_FAILED)
		abort();
	if (check_rand() % 2) { /* the data end where the page begins */
		g->canary = g->map;
		g->canary_size = room - bytes;
		g->data = g->map + room - bytes;
		mprotect(g->map + room, page, PROT_NONE);
	} else {
		g->data = g->map + page;
		g->canary = g->map + page + bytes;
		g->canary_size = room - bytes;
		mprotect(g->map, page, PROT_NONE);
	}
	memset(g->canary, CANARY, g->canary_size);
	return g->data;
}

float *guarded_floats(struct guarded *g, size_t n, float range)
{
	float *p = guarded_new(g, n, sizeof(*p));

	for (size_t i = 0; i < n; i++)
		p[i] = check_float(range);
	return p;
}

int guarded_free(struct guarded *g)
{
	int whole = 1;

	for (size_t i = 0; i < g->canary_size; i++)
		whole &= g->canary[i] == CANARY;
	munmap(g->map, g->map_size);
	return whole;
}

void error_add(struct error *e, double got, double want, double allowed)
{
	double d = fabs(got - want), bound;

	if (got == want || (isnan(got) && isnan(want)))
		d = 0;
	bound = d == 0 ? 0 : d / allowed;
	/* Written so that a NaN counts as the largest. */
	if (!(bound <= e->max_bound)) {
		e->max_bound = isnan(bound) ? INFINITY : bound;
		e->worst_got = got;
		e->worst_want = want;
	}
	if (d > e->max_abs)
		e->max_abs = d;
	e->sum_error += d * d;
	e->sum_want += want * want;
}

double error_relative(const struct error *e)
{
	return e->sum_want > 0 ? sqrt(e->sum_error / e->sum_want) : 0;
}

const char *check_name(const struct check *c, const char *what)
{
	static char name[CHECK_NAME];

	snprintf(name, sizeof(name), "%s/%s", what, c->ops.name);
	return name;
}

int check_failed(void)
{
	return tap_failed;
}

void error_report(const struct check *c, const char *what,
		  const struct error *e, const char *trouble)
{
	const char *name = check_name(c, what);

	if (c->verbose)
		printf("# %s: max abs error %.3g, %.2f of what is allowed, "
		       "relative L2 %.3g\n", name, e->max_abs, e->max_bound,
		       error_relative(e));
	if (trouble)
		tap_not_ok(name, "%s", trouble);
	else if (e->max_bound > 1)
		tap_not_ok(name, "got %.9g, want %.9g: %.3g of what is allowed",
			   e->worst_got, e->worst_want, e->max_bound);
	else
		tap_ok(name);
}
