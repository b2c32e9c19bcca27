/* SPDX-License-Identifier: MIT */
/*
 * Engine, model and voices, loaded when there is something to say and freed
 * when not. All of it happens on a worker's thread; the loop asks for
 * sessions and gets them later. What is freed is freed on another thread, as
 * that waits for a step in progress.
 */
#ifndef BARKD_STUDIO_H
#define BARKD_STUDIO_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "bark.h"
#include "conf.h"
#include "language.h"

struct studio;
struct studio_order;

enum studio_state {
	STUDIO_UNLOADED,
	STUDIO_LOADING,
	STUDIO_READY,
	STUDIO_FAILED, /* and nothing older is loaded; tried again on demand */
};

struct studio_info {
	enum studio_state state;
	const char *name;    /* of the model, as configured */
	const char *path;    /* NULL: not loaded yet */
	const char *error;   /* of the last load, or NULL */
	const char *kernels; /* NULL before the first load */
	unsigned threads, rate; /* 0 before the first load */
	size_t memory;       /* bytes of weights held */
	double load_ms;      /* < 0: not loaded yet */
	unsigned sessions;   /* given out or being made */
};

struct studio_request {
	const char *text;  /* copied */
	size_t n_text;
	const char *voice; /* a name, "none", or NULL: the configured */
	const char *language; /* of the text, BCP-47; NULL: the voice's */
	/* A language that the model must have learnt; "": none. */
	char must_speak[LANGUAGE_ROOM];
	bool has_seed;
	uint64_t seed;
};

/* changed: the state is another. Errors: -ENOMEM, -EAGAIN. */
int studio_new(struct studio **ret, sd_event *event,
	       void (*changed)(void *data), void *data);
/* Waits for what is under way. Sessions must have been returned. */
void studio_free(struct studio *s);

/*
 * Takes the configuration's [model]. If a model is loaded and another is
 * wanted, that is loaded beside it and takes its place; if that fails the old
 * one stays. Errors: -ENOMEM.
 */
int studio_configure(struct studio *s, const struct conf *conf);
/* Loads the model if it is not. */
void studio_load(struct studio *s);
/* Frees the weights; nothing happens while sessions are out. */
void studio_unload(struct studio *s);

/*
 * Orders a session that speaks the text; the model is loaded first if need
 * be. done() is called once unless the order is cancelled: r is 0 and session
 * the caller's, or r < 0 (-ENOENT: no model; -ESRCH: no such voice; -ENOTSUP:
 * the model does not speak what it must; others of bark_session_start) and why
 * says it.
 */
int studio_order(struct studio *s, struct studio_order **ret,
		 const struct studio_request *request,
		 void (*done)(void *data, int r, struct bark_session *session,
			      const char *why),
		 void *data);
/* done() will not be called. NULL is fine. */
void studio_cancel(struct studio_order *order);
/* Gives a session back, cancelled and freed elsewhere. NULL is fine. */
void studio_return(struct studio *s, struct bark_session *session);

/* Valid until the next turn of the loop. */
struct studio_info studio_info(const struct studio *s);

#endif
