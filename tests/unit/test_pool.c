/* SPDX-License-Identifier: MIT */
/* Every part runs once, whatever the threads, and workers sleep when told. */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "pool.h"
#include "tap.h"

#define MAX_PARTS 1000

struct job {
	_Atomic unsigned ran[MAX_PARTS];
	size_t parts;
	_Atomic unsigned wrong;
	unsigned slow; /* every slow-th part takes a while; 0: none does */
};

static void pause_ns(long ns)
{
	nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

static void task(void *arg, size_t part, size_t parts)
{
	struct job *job = arg;

	if (parts != job->parts || part >= parts) {
		atomic_fetch_add(&job->wrong, 1);
		return;
	}
	if (job->slow && part % job->slow == 0)
		pause_ns(100000);
	atomic_fetch_add(&job->ran[part], 1);
}

/* 0 if each part ran exactly once. */
static int run_once(struct bk_pool *pool, size_t parts, unsigned slow)
{
	static struct job job;

	memset(&job, 0, sizeof(job));
	job.parts = parts;
	job.slow = slow;
	bk_pool_run(pool, task, &job, parts);
	for (size_t i = 0; i < MAX_PARTS; i++)
		if (job.ran[i] != (i < parts))
			return -1;
	return job.wrong ? -1 : 0;
}

static void test_arguments(void)
{
	struct bk_pool *pool = NULL;

	TAP_CHECK("arguments", bk_pool_new(&pool, 257, 0) == -EINVAL);
	TAP_CHECK("arguments", bk_pool_new(&pool, 1, -1) == -EINVAL);
	TAP_CHECK("arguments", bk_pool_new(&pool, 1, 20) == -EINVAL);
	TAP_CHECK("arguments", !pool);
	bk_pool_free(NULL);
	TAP_CHECK("arguments", !bk_pool_new(&pool, 0, 0));
	TAP_CHECK("arguments", bk_pool_threads(pool) >= 1);
	bk_pool_free(pool);
	tap_ok("arguments");
}

static void test_parts(unsigned threads)
{
	struct bk_pool *pool;
	char name[32];

	snprintf(name, sizeof(name), "parts-%u", threads);
	TAP_CHECK(name, !bk_pool_new(&pool, threads, 0));
	TAP_CHECK(name, bk_pool_threads(pool) == threads);
	for (size_t parts = 0; parts <= 40; parts++)
		TAP_CHECK(name, !run_once(pool, parts, 0));
	for (unsigned i = 0; i < 3000; i++) {
		size_t parts = (i * 7919u) % 64;

		/* Awake, told to rest, and asleep by themselves. */
		if (i % 5 == 0)
			bk_pool_rest(pool);
		if (i % 100 == 0)
			pause_ns(200000);
		TAP_CHECK(name, !run_once(pool, parts, i % 50 ? 0 : 9));
	}
	TAP_CHECK(name, !run_once(pool, MAX_PARTS, 0));
	bk_pool_free(pool);
	tap_ok(name);
}

static void nothing(void *arg, size_t part, size_t parts)
{
	(void)arg;
	(void)part;
	(void)parts;
}

static void test_many_short(void)
{
	struct bk_pool *pool;

	TAP_CHECK("many-short", !bk_pool_new(&pool, 3, 1));
	for (unsigned i = 0; i < 100000; i++)
		bk_pool_run(pool, nothing, NULL, 3);
	bk_pool_free(pool);
	tap_ok("many-short");
}

static void test_new_free(void)
{
	struct bk_pool *pool;

	for (unsigned i = 0; i < 200; i++) {
		TAP_CHECK("new-free", !bk_pool_new(&pool, 1 + i % 5, 0));
		if (i % 3 == 0)
			TAP_CHECK("new-free", !run_once(pool, 5, 0));
		bk_pool_free(pool);
	}
	tap_ok("new-free");
}

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

static void test_idle(void)
{
	struct bk_pool *pool;
	double before;

	TAP_CHECK("idle", !bk_pool_new(&pool, 4, 0));
	TAP_CHECK("idle", !run_once(pool, 100, 0));
	pause_ns(20000000);
	before = cpu_seconds();
	pause_ns(300000000);
	TAP_CHECK("idle", cpu_seconds() - before < 0.003);
	bk_pool_free(pool);
	tap_ok("idle");
}

int main(void)
{
	test_arguments();
	test_parts(1);
	test_parts(2);
	test_parts(3);
	test_parts(8);
	test_many_short();
	test_new_free();
	test_idle();
	return tap_failed;
}
