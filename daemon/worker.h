/* SPDX-License-Identifier: MIT */
/*
 * A thread that does, one after the other, what would make the daemon's loop
 * wait: loading, opening, freeing. Jobs are given by the loop's thread, which
 * also gets them back.
 */
#ifndef BARKD_WORKER_H
#define BARKD_WORKER_H

#include <systemd/sd-event.h>

struct worker;

struct job {
	/* In the worker's thread. */
	void (*run)(struct job *job);
	/* In the loop's thread, afterwards; may free the job. NULL: the job is
	 * not touched after run(), which may free it. */
	void (*done)(struct job *job);
	struct job *next; /* the worker's */
};

/* name: of the thread. Errors: -ENOMEM, -EAGAIN. */
int worker_new(struct worker **ret, sd_event *event, const char *name);
/* Finishes every job that was given, then ends; done() is called for them.
 * NULL is fine. */
void worker_free(struct worker *w);
void worker_give(struct worker *w, struct job *job);

#endif
