/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: one thread that computes, unit by unit, for the session
 * whose listener would run dry first. Workers of the pool help inside a unit.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "session.h"

double bark_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct bark_session *most_urgent(struct bark_engine *e)
{
	struct bark_session *best = NULL;
	double soonest = 0;

	for (struct bark_session *s = e->sessions; s; s = s->next) {
		double deadline = s->leaving ? -1 : bark_session_deadline(s);

		if (deadline >= 0 && (!best || deadline < soonest)) {
			best = s;
			soonest = deadline;
		}
	}
	return best;
}

struct thread_start {
	struct bark_engine *engine;
	int nice;
};

static void *scheduler(void *arg)
{
	struct thread_start start = *(struct thread_start *)arg;
	struct bark_engine *e = start.engine;
	pid_t self = (pid_t)syscall(SYS_gettid);

	free(arg);
	if (start.nice)
		setpriority(PRIO_PROCESS, (id_t)self,
			    getpriority(PRIO_PROCESS, 0) + start.nice);
	pthread_mutex_lock(&e->lock);
	while (!e->stop) {
		struct bark_session *s = most_urgent(e);

		if (!s) {
			bk_pool_rest(e->compute.pool);
			pthread_cond_wait(&e->wake, &e->lock);
			continue;
		}
		s->busy = true;
		pthread_mutex_unlock(&e->lock);
		bark_session_work(s);
		pthread_mutex_lock(&e->lock);
		s->busy = false;
		if (s->leaving)
			pthread_cond_broadcast(&e->wake);
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

int bark_engine_new(struct bark_engine **ret,
		    const struct bark_engine_options *opts)
{
	struct bark_engine_options none = { 0 };
	struct thread_start *start;
	struct bark_engine *e;
	int r;

	if (!opts)
		opts = &none;
	if (opts->threads > 256 || opts->nice < 0 || opts->nice > 19)
		return -EINVAL;
	e = calloc(1, sizeof(*e));
	start = malloc(sizeof(*start));
	if (!e || !start) {
		r = -ENOMEM;
		goto fail;
	}
	atomic_init(&e->refs, 1);
	bk_ops_init(&e->compute.ops, opts->cpu_mask ? opts->cpu_mask : ~0u);
	r = bk_pool_new(&e->compute.pool, opts->threads, opts->nice);
	if (r < 0)
		goto fail;
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->wake, NULL);
	*start = (struct thread_start){ e, opts->nice };
	r = -pthread_create(&e->thread, NULL, scheduler, start);
	if (r < 0) {
		pthread_cond_destroy(&e->wake);
		pthread_mutex_destroy(&e->lock);
		bk_pool_free(e->compute.pool);
		goto fail;
	}
	*ret = e;
	return 0;
fail:
	free(start);
	free(e);
	return r;
}

void bark_engine_unref(struct bark_engine *e)
{
	if (!e || atomic_fetch_sub(&e->refs, 1) != 1)
		return;
	pthread_mutex_lock(&e->lock);
	e->stop = true;
	pthread_cond_broadcast(&e->wake);
	pthread_mutex_unlock(&e->lock);
	pthread_join(e->thread, NULL);
	pthread_cond_destroy(&e->wake);
	pthread_mutex_destroy(&e->lock);
	bk_pool_free(e->compute.pool);
	free(e);
}

const char *bark_engine_kernels(const struct bark_engine *engine)
{
	return engine->compute.ops.name;
}

unsigned bark_engine_threads(const struct bark_engine *engine)
{
	return bk_pool_threads(engine->compute.pool);
}

void bark_engine_wake(struct bark_engine *e)
{
	pthread_mutex_lock(&e->lock);
	pthread_cond_broadcast(&e->wake);
	pthread_mutex_unlock(&e->lock);
}

void bark_engine_add(struct bark_engine *e, struct bark_session *s)
{
	atomic_fetch_add(&e->refs, 1);
	pthread_mutex_lock(&e->lock);
	s->next = e->sessions;
	e->sessions = s;
	pthread_mutex_unlock(&e->lock);
}

void bark_engine_remove(struct bark_engine *e, struct bark_session *s)
{
	pthread_mutex_lock(&e->lock);
	s->leaving = true;
	while (s->busy)
		pthread_cond_wait(&e->wake, &e->lock);
	for (struct bark_session **at = &e->sessions; *at; at = &(*at)->next) {
		if (*at == s) {
			*at = s->next;
			break;
		}
	}
	pthread_mutex_unlock(&e->lock);
}
