/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct list {
	struct job *first, **last;
};

struct worker {
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct list todo, finished; /* under lock */
	bool quit;                  /* under lock */
	int fd;                     /* tells the loop of finished jobs */
	sd_event_source *source;
};

static void list_init(struct list *l)
{
	l->first = NULL;
	l->last = &l->first;
}

static void list_add(struct list *l, struct job *job)
{
	job->next = NULL;
	*l->last = job;
	l->last = &job->next;
}

static struct job *list_take(struct list *l)
{
	struct job *job = l->first;

	if (!job)
		return NULL;
	l->first = job->next;
	if (!l->first)
		l->last = &l->first;
	return job;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		struct job *job = list_take(&w->todo);
		void (*done)(struct job *job);

		if (!job) {
			if (w->quit)
				break;
			pthread_cond_wait(&w->wake, &w->lock);
			continue;
		}
		pthread_mutex_unlock(&w->lock);
		done = job->done;
		job->run(job);
		pthread_mutex_lock(&w->lock);
		if (done) {
			list_add(&w->finished, job);
			eventfd_write(w->fd, 1);
		}
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void call_done(struct worker *w)
{
	struct job *job;

	do {
		pthread_mutex_lock(&w->lock);
		job = list_take(&w->finished);
		pthread_mutex_unlock(&w->lock);
		if (job)
			job->done(job);
	} while (job);
}

static int on_finished(sd_event_source *s, int fd, uint32_t revents,
		       void *userdata)
{
	eventfd_t n;

	eventfd_read(fd, &n);
	call_done(userdata);
	return 0;
}

int worker_new(struct worker **ret, sd_event *event, const char *name)
{
	struct worker *w = calloc(1, sizeof(*w));
	sigset_t all, before;
	int r;

	if (!w)
		return -ENOMEM;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	list_init(&w->todo);
	list_init(&w->finished);
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->fd < 0) {
		r = -errno;
		goto fail;
	}
	r = sd_event_add_io(event, &w->source, w->fd, EPOLLIN, on_finished, w);
	if (r < 0)
		goto fail;
	/* Signals are the loop's, through its signalfd. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = -pthread_create(&w->thread, NULL, worker_main, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r < 0)
		goto fail;
	w->has_thread = true;
	pthread_setname_np(w->thread, name);
	*ret = w;
	return 0;
fail:
	worker_free(w);
	return r;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	if (w->has_thread) {
		pthread_mutex_lock(&w->lock);
		w->quit = true;
		pthread_cond_signal(&w->wake);
		pthread_mutex_unlock(&w->lock);
		pthread_join(w->thread, NULL);
		call_done(w);
	}
	sd_event_source_disable_unref(w->source);
	if (w->fd >= 0)
		close(w->fd);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void worker_give(struct worker *w, struct job *job)
{
	pthread_mutex_lock(&w->lock);
	list_add(&w->todo, job);
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}
