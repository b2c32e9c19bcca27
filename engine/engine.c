/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: computes, unit by unit, for the session whose listener would
 * run dry first. Workers of the pool help inside a unit. One crew computes what
 * is needed soon, a nicer one what is not, never both at once.
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

/* Sound that is ready, in seconds: with more than this the nicer crew takes
 * over, with less than that the other one. */
#define AHEAD_S 1.5
#define SOON_S  0.75

/* The session whose listener would run dry first, and when. */
static struct bark_session *most_urgent(struct bark_engine *e, double *ret)
{
	struct bark_session *best = NULL;

	for (struct bark_session *s = e->sessions; s; s = s->next) {
		double deadline = s->leaving ? -1 : bark_session_deadline(s);

		if (deadline >= 0 && (!best || deadline < *ret)) {
			best = s;
			*ret = deadline;
		}
	}
	return best;
}

static unsigned crew_for(const struct bark_engine *e, double deadline)
{
	double ready = deadline - bark_now();

	if (e->n_crews < BARK_CREWS)
		return BARK_CREW_SOON;
	if (e->at_work == BARK_CREW_SOON)
		return ready > AHEAD_S ? BARK_CREW_AHEAD : BARK_CREW_SOON;
	return ready < SOON_S ? BARK_CREW_SOON : BARK_CREW_AHEAD;
}

/* Under the engine's lock. */
static void hand_over(struct bark_engine *e, unsigned to)
{
	bk_pool_rest(e->compute.pool);
	e->at_work = to;
	e->compute.pool = e->crews[to].pool;
	pthread_cond_signal(&e->crews[to].turn);
}

/* One unit, or a wait for one; called and returns under the engine's lock. */
static void work(struct bark_engine *e, unsigned crew)
{
	double deadline = 0;
	struct bark_session *s = most_urgent(e, &deadline);
	unsigned suited;

	/* Whoever waits must be quick when something new is to be said. */
	suited = s ? crew_for(e, deadline) : BARK_CREW_SOON;
	if (suited != crew) {
		hand_over(e, suited);
		return;
	}
	if (!s) {
		bk_pool_rest(e->compute.pool);
		pthread_cond_wait(&e->wake, &e->lock);
		return;
	}
	s->busy = true;
	pthread_mutex_unlock(&e->lock);
	bark_session_work(s);
	pthread_mutex_lock(&e->lock);
	s->busy = false;
	if (s->leaving)
		pthread_cond_broadcast(&e->wake);
}

static void *scheduler(void *arg)
{
	struct bark_crew *crew = arg;
	struct bark_engine *e = crew->engine;
	const unsigned index = (unsigned)(crew - e->crews);
	pid_t self = (pid_t)syscall(SYS_gettid);

	pthread_setname_np(pthread_self(), "bark-scheduler");
	if (crew->nice)
		setpriority(PRIO_PROCESS, (id_t)self,
			    getpriority(PRIO_PROCESS, 0) + crew->nice);
	pthread_mutex_lock(&e->lock);
	while (!e->stop) {
		if (e->at_work == index)
			work(e, index);
		else
			pthread_cond_wait(&crew->turn, &e->lock);
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

static int start_crew(struct bark_engine *e, unsigned threads, int nice)
{
	struct bark_crew *crew = &e->crews[e->n_crews];
	int r;

	crew->engine = e;
	crew->nice = nice < 19 ? nice : 19;
	r = bk_pool_new(&crew->pool, threads, crew->nice);
	if (r < 0)
		return r;
	if (e->n_crews == 0)
		e->compute.pool = crew->pool;
	if (e->compute.threads < bk_pool_threads(crew->pool))
		e->compute.threads = bk_pool_threads(crew->pool);
	pthread_cond_init(&crew->turn, NULL);
	r = -pthread_create(&crew->thread, NULL, scheduler, crew);
	if (r < 0) {
		pthread_cond_destroy(&crew->turn);
		bk_pool_free(crew->pool);
		return r;
	}
	e->n_crews++;
	return 0;
}

static void dismiss(struct bark_engine *e)
{
	pthread_mutex_lock(&e->lock);
	e->stop = true;
	pthread_cond_broadcast(&e->wake);
	for (unsigned i = 0; i < e->n_crews; i++)
		pthread_cond_signal(&e->crews[i].turn);
	pthread_mutex_unlock(&e->lock);
	for (unsigned i = 0; i < e->n_crews; i++) {
		pthread_join(e->crews[i].thread, NULL);
		pthread_cond_destroy(&e->crews[i].turn);
		bk_pool_free(e->crews[i].pool);
	}
	pthread_cond_destroy(&e->wake);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

int bark_engine_new(struct bark_engine **ret,
		    const struct bark_engine_options *opts)
{
	struct bark_engine_options none = { 0 };
	struct bark_engine *e;
	int r;

	if (!opts)
		opts = &none;
	if (opts->threads > 256 || opts->nice < 0 || opts->nice > 19 ||
	    opts->nice_ahead < 0 || opts->nice_ahead > 19)
		return -EINVAL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	atomic_init(&e->refs, 1);
	bk_ops_init(&e->compute.ops, opts->cpu_mask ? opts->cpu_mask : ~0u);
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->wake, NULL);
	pthread_mutex_lock(&e->lock);
	r = start_crew(e, opts->threads, opts->nice);
	if (r == 0 && opts->nice_ahead)
		r = start_crew(e, opts->threads, opts->nice + opts->nice_ahead);
	pthread_mutex_unlock(&e->lock);
	if (r < 0) {
		dismiss(e);
		return r;
	}
	*ret = e;
	return 0;
}

void bark_engine_unref(struct bark_engine *e)
{
	if (e && atomic_fetch_sub(&e->refs, 1) == 1)
		dismiss(e);
}

const char *bark_engine_kernels(const struct bark_engine *engine)
{
	return engine->compute.ops.name;
}

unsigned bark_engine_threads(const struct bark_engine *engine)
{
	return engine->compute.threads;
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
