/* SPDX-License-Identifier: MIT */
#include "voices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "find.h"
#include "worker.h"

/* A reading that is older is renewed when the names are used. */
#define RENEW_S 2

struct waiter {
	struct voices *voices;
	struct http_request *req;
	bool served; /* the reading under way is new enough for it */
	struct waiter *next;
};

struct voices {
	struct worker *worker;
	void (*handle)(void *data, struct http_request *req);
	void *data;
	char *model;
	struct barkd_entries entries;
	bool known, fresh;
	bool reading, again; /* again: another reading is wanted behind it */
	time_t read_at;      /* CLOCK_MONOTONIC seconds, of its beginning */
	struct waiter *waiters; /* in the order in which they came */
};

struct reading {
	struct job job;
	struct voices *voices;
	char *model;
	struct barkd_entries entries;
	int r;
};

static time_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void reading_free(struct reading *j)
{
	barkd_entries_clear(&j->entries);
	free(j->model);
	free(j);
}

/* On the worker. */
static void read_run(struct job *job)
{
	struct reading *j = (struct reading *)job;
	char *path = NULL;

	j->r = barkd_model_find(&path, j->model);
	if (j->r == 0 || j->r == -ENOENT)
		j->r = barkd_voices_list(&j->entries, path);
	free(path);
}

static void begin(struct voices *v);

static void serve(struct voices *v)
{
	for (struct waiter **at = &v->waiters, *w; (w = *at);) {
		struct http_request *req = w->req;

		if (!w->served) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		free(w);
		http_set_watch(req, NULL, NULL);
		v->fresh = true;
		v->handle(v->data, req);
		v->fresh = false;
		/* The list may be another now. */
		at = &v->waiters;
	}
}

static void read_done(struct job *job)
{
	struct reading *j = (struct reading *)job;
	struct voices *v = j->voices;
	struct barkd_entries old = v->entries;

	v->reading = false;
	/* Without memory, what was there is still there. */
	if (j->r == 0) {
		v->entries = j->entries;
		j->entries = old;
	}
	v->known = true;
	reading_free(j);
	serve(v);
	if (v->again)
		begin(v);
}

/* Reads the folders, now or behind the reading under way. */
static void begin(struct voices *v)
{
	struct reading *j;

	v->again = v->reading;
	if (v->reading)
		return;
	j = calloc(1, sizeof(*j));
	if (j)
		j->model = v->model ? strdup(v->model) : NULL;
	if (!j || (v->model && !j->model)) {
		/* Later requests try again. */
		free(j);
		return;
	}
	for (struct waiter *w = v->waiters; w; w = w->next)
		w->served = true;
	j->job.run = read_run;
	j->job.done = read_done;
	j->voices = v;
	v->reading = true;
	v->read_at = now_s();
	worker_give(v->worker, &j->job);
}

/* --- waiting --- */

static void on_gone(void *data, struct http_request *req)
{
	struct waiter *w = data, **at = &w->voices->waiters;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	free(w);
}

int voices_wait(struct voices *v, struct http_request *req)
{
	static const struct http_watch watch = {.gone = on_gone};
	struct waiter *w = calloc(1, sizeof(*w)), **at = &v->waiters;

	if (!w)
		return -ENOMEM;
	w->voices = v;
	w->req = req;
	while (*at)
		at = &(*at)->next;
	*at = w;
	http_set_watch(req, &watch, w);
	begin(v);
	if (v->reading)
		return 0;
	on_gone(w, req);
	http_set_watch(req, NULL, NULL);
	return -ENOMEM;
}

bool voices_fresh(const struct voices *v)
{
	return v->fresh;
}

/* --- the names --- */

size_t voices_count(const struct voices *v)
{
	return v->entries.n;
}

const char *voices_name(const struct voices *v, size_t i)
{
	return v->entries.items[i].name;
}

bool voices_has(const struct voices *v, const char *name)
{
	for (size_t i = 0; i < v->entries.n; i++)
		if (strcmp(v->entries.items[i].name, name) == 0)
			return true;
	return false;
}

bool voices_known(const struct voices *v)
{
	return v->known;
}

bool voices_busy(const struct voices *v)
{
	return v->reading;
}

void voices_use(struct voices *v)
{
	if (!v->reading && now_s() - v->read_at >= RENEW_S)
		begin(v);
}

/* --- the whole --- */

int voices_configure(struct voices *v, const char *model)
{
	char *copy = model ? strdup(model) : NULL;

	if (model && !copy)
		return -ENOMEM;
	free(v->model);
	v->model = copy;
	begin(v);
	return 0;
}

int voices_new(struct voices **ret, sd_event *event,
	       void (*handle)(void *data, struct http_request *req),
	       void *data)
{
	struct voices *v = calloc(1, sizeof(*v));
	int r;

	if (!v)
		return -ENOMEM;
	v->handle = handle;
	v->data = data;
	r = worker_new(&v->worker, event, "barkd-voices");
	if (r < 0) {
		free(v);
		return r;
	}
	*ret = v;
	return 0;
}

void voices_free(struct voices *v)
{
	if (!v)
		return;
	v->again = false;
	while (v->waiters) {
		struct waiter *w = v->waiters;

		v->waiters = w->next;
		free(w);
	}
	worker_free(v->worker);
	barkd_entries_clear(&v->entries);
	free(v->model);
	free(v);
}
