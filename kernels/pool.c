/* SPDX-License-Identifier: MIT */
#include "pool.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_THREADS 256
#define CACHE_LINE 64
/* Longer than the serial code between two products of a step. */
#define SPIN_NS 40000
#define SPINS_PER_CLOCK 32

/*
 * A run is published as one word: its number in the upper half, the parts not
 * yet taken in the lower. Taking a part is a compare-and-swap on that word, so
 * a worker that wakes late can never take a part of another run, and a run
 * only ever waits for threads that have taken a part of it.
 */
struct bk_pool {
	_Alignas(CACHE_LINE) _Atomic uint64_t ticket;
	/* Written before the ticket, read after taking a part. */
	bk_task task;
	void *arg;
	size_t parts;
	_Alignas(CACHE_LINE) _Atomic uint32_t pending; /* parts not done */
	_Atomic uint32_t caller_sleeps;
	_Alignas(CACHE_LINE) _Atomic uint32_t wake; /* futex word: run count */
	_Atomic uint32_t sleepers;
	_Atomic uint32_t awake;
	_Atomic uint32_t stop;
	unsigned threads; /* the caller's included */
	int nice;
	pthread_t workers[];
};

static void futex_wait(_Atomic uint32_t *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word, unsigned count)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

static inline void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb" ::: "memory");
#else
	atomic_signal_fence(memory_order_seq_cst);
#endif
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Takes parts of the current run until none is left. */
static void work(struct bk_pool *pool)
{
	uint64_t ticket = atomic_load_explicit(&pool->ticket,
					       memory_order_acquire);

	while ((uint32_t)ticket) {
		if (!atomic_compare_exchange_weak_explicit(&pool->ticket,
				&ticket, ticket - 1, memory_order_acq_rel,
				memory_order_acquire))
			continue;
		pool->task(pool->arg, pool->parts - (uint32_t)ticket,
			   pool->parts);
		if (atomic_fetch_sub(&pool->pending, 1) == 1 &&
		    atomic_load(&pool->caller_sleeps))
			futex_wake(&pool->pending, 1);
		ticket = atomic_load_explicit(&pool->ticket,
					      memory_order_acquire);
	}
}

/* Returns when the run count is no longer `seen`, spinning first if awake. */
static void wait_for_run(struct bk_pool *pool, uint32_t seen)
{
	int64_t deadline = now_ns() + SPIN_NS;

	while (atomic_load_explicit(&pool->awake, memory_order_relaxed)) {
		for (unsigned i = 0; i < SPINS_PER_CLOCK; i++) {
			if (atomic_load(&pool->wake) != seen)
				return;
			cpu_relax();
		}
		if (now_ns() > deadline)
			break;
	}
	atomic_fetch_add(&pool->sleepers, 1);
	while (atomic_load(&pool->wake) == seen)
		futex_wait(&pool->wake, seen);
	atomic_fetch_sub(&pool->sleepers, 1);
}

static void *worker(void *arg)
{
	struct bk_pool *pool = arg;
	uint32_t seen = 0;

	pthread_setname_np(pthread_self(), "bark-worker");
	if (pool->nice) {
		/* On Linux niceness is a thread's; a failure is harmless. */
		id_t tid = (id_t)syscall(SYS_gettid);

		setpriority(PRIO_PROCESS, tid,
			    getpriority(PRIO_PROCESS, tid) + pool->nice);
	}
	for (;;) {
		wait_for_run(pool, seen);
		seen = atomic_load(&pool->wake);
		if (atomic_load(&pool->stop))
			return NULL;
		work(pool);
	}
}

static unsigned usable_cpus(void)
{
	cpu_set_t set;
	long n;

	if (!sched_getaffinity(0, sizeof(set), &set))
		n = CPU_COUNT(&set);
	else
		n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (unsigned)n;
}

/* Stops and joins the first `count` workers. */
static void stop_workers(struct bk_pool *pool, unsigned count)
{
	atomic_store(&pool->stop, 1);
	atomic_fetch_add(&pool->wake, 1);
	futex_wake(&pool->wake, MAX_THREADS);
	for (unsigned i = 0; i < count; i++)
		pthread_join(pool->workers[i], NULL);
}

int bk_pool_new(struct bk_pool **ret, unsigned threads, int nice)
{
	struct bk_pool *pool;
	sigset_t all, old;
	size_t size;
	int r = 0;

	if (threads > MAX_THREADS || nice < 0 || nice > 19)
		return -EINVAL;
	if (!threads)
		threads = usable_cpus();
	size = sizeof(*pool) + (threads - 1) * sizeof(pool->workers[0]);
	size = (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	pool = aligned_alloc(CACHE_LINE, size);
	if (!pool)
		return -ENOMEM;
	*pool = (struct bk_pool){.threads = threads, .nice = nice};

	/* Signals are for the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (unsigned i = 0; i + 1 < threads; i++) {
		r = pthread_create(&pool->workers[i], NULL, worker, pool);
		if (r) {
			stop_workers(pool, i);
			break;
		}
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r) {
		free(pool);
		return -r;
	}
	*ret = pool;
	return 0;
}

void bk_pool_free(struct bk_pool *pool)
{
	if (!pool)
		return;
	stop_workers(pool, pool->threads - 1);
	free(pool);
}

unsigned bk_pool_threads(const struct bk_pool *pool)
{
	return pool->threads;
}

/* Publishes up to 2^32 - 1 parts and works until all are done. */
static void run(struct bk_pool *pool, uint32_t parts)
{
	uint32_t number = atomic_load_explicit(&pool->wake,
					       memory_order_relaxed) + 1;
	uint32_t pending;
	int64_t deadline;

	atomic_store_explicit(&pool->pending, parts, memory_order_relaxed);
	atomic_store_explicit(&pool->awake, 1, memory_order_relaxed);
	atomic_store_explicit(&pool->ticket, (uint64_t)number << 32 | parts,
			      memory_order_release);
	/* Sequentially consistent with the sleepers' count: no lost wake-up. */
	atomic_store(&pool->wake, number);
	if (atomic_load(&pool->sleepers))
		futex_wake(&pool->wake, parts - 1);
	work(pool);

	deadline = now_ns() + SPIN_NS;
	do {
		for (unsigned i = 0; i < SPINS_PER_CLOCK; i++) {
			if (!atomic_load(&pool->pending))
				return;
			cpu_relax();
		}
	} while (now_ns() < deadline);
	atomic_store(&pool->caller_sleeps, 1);
	while ((pending = atomic_load(&pool->pending)))
		futex_wait(&pool->pending, pending);
	atomic_store(&pool->caller_sleeps, 0);
}

void bk_pool_run(struct bk_pool *pool, bk_task task, void *arg, size_t parts)
{
	if (pool->threads == 1 || parts < 2 || parts > UINT32_MAX) {
		for (size_t i = 0; i < parts; i++)
			task(arg, i, parts);
		return;
	}
	pool->task = task;
	pool->arg = arg;
	pool->parts = parts;
	run(pool, (uint32_t)parts);
}

void bk_pool_rest(struct bk_pool *pool)
{
	atomic_store(&pool->awake, 0);
}
