/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into the daemon. Counts what a thread that calls trap_arm(true)
 * must not call: the allocator and locks. Lets the allocation fail that
 * FAIL_ALLOCATION names, the first being 1, and FAIL_RUN - 1 behind it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "trap.h"

/* glibc's own, behind the names that this file takes. */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void __libc_free(void *p);

static __thread bool armed;
static atomic_ulong calls;
static atomic_ulong allocations;
static unsigned long fail_first, fail_end;
static int (*_Atomic next_lock)(pthread_mutex_t *m);

__attribute__((constructor)) static void set_up(void)
{
	const char *at = getenv("FAIL_ALLOCATION"), *run = getenv("FAIL_RUN");

	atomic_store(&allocations, 0);
	fail_first = at ? strtoul(at, NULL, 10) : 0;
	fail_end = fail_first + (run ? strtoul(run, NULL, 10) : 1);
}

__attribute__((visibility("default"))) void trap_arm(bool on)
{
	armed = on;
}

__attribute__((visibility("default"))) unsigned long trap_calls(void)
{
	return atomic_load(&calls);
}

static void count(void)
{
	if (armed)
		atomic_fetch_add(&calls, 1);
}

static bool fails(void)
{
	unsigned long n;

	count();
	if (!fail_first)
		return false;
	n = atomic_fetch_add(&allocations, 1) + 1;
	if (n < fail_first || n >= fail_end)
		return false;
	errno = ENOMEM;
	return true;
}

__attribute__((visibility("default"))) void *malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

__attribute__((visibility("default"))) void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

__attribute__((visibility("default"))) void *realloc(void *p, size_t n)
{
	return fails() ? NULL : __libc_realloc(p, n);
}

__attribute__((visibility("default"))) void free(void *p)
{
	count();
	__libc_free(p);
}

__attribute__((visibility("default"))) int
pthread_mutex_lock(pthread_mutex_t *m)
{
	int (*next)(pthread_mutex_t *) = atomic_load(&next_lock);

	count();
	/* Libraries that are initialised before this one lock, too. */
	if (!next) {
		next = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT,
							 "pthread_mutex_lock");
		atomic_store(&next_lock, next);
	}
	return next(m);
}
