/* SPDX-License-Identifier: MIT */
/* A published model, from a hub into the user's own models. */
#ifndef CLIENT_FETCH_H
#define CLIENT_FETCH_H

#include "progress.h"

struct fetch_options {
	const char *base;   /* the hub's address */
	const char *token;  /* or NULL */
	const char *ca;     /* file of certificates, or NULL: the system's */
	const char *repo;   /* OWNER/NAME */
	const char *rev;    /* branch, tag or commit */
	const char *name;   /* what to call it here */
	const char *vocab;  /* a file, or NULL: the hub's */
	const char *voices; /* which presets: a shell pattern, or "none" */
	unsigned tries;     /* without a byte in between */
	unsigned timeout_s;
};

/* Whether a word can be a repository, or a revision. */
bool fetch_repo_ok(const char *repo);
bool fetch_rev_ok(const char *rev);

/* Returns an exit status; says why when that is not EXIT_OK. */
int fetch_model(const struct fetch_options *opts, struct progress *progress);

#endif
