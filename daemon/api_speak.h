/* SPDX-License-Identifier: MIT */
/*
 * Requests' bodies, checked: what docs/api.md says of the fields of
 * POST /v1/speak and POST /v1/stop.
 */
#ifndef BARKD_API_SPEAK_H
#define BARKD_API_SPEAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api_error.h"
#include "api_fields.h"
#include "queue.h"

#define API_DEADLINE_MAX_MS 60000

/* Strings are owned; NULL: not asked for. */
struct speak_request {
	char *text;
	size_t n_text; /* bytes */
	char *voice, *language;
	char *user; /* whose words these are */
	char *tag;  /* the client's own, given back in events */
	double rate, pitch, volume; /* 1: not asked for */
	enum queue_priority priority;
	unsigned deadline_ms;  /* 0: none */
	bool has_seed, wait, cancel_on_disconnect;
	bool fallback; /* a voice that is not there is no error */
	bool interrupt; /* false: waits, and drops nothing */
	uint64_t seed;
};

/* -EINVAL with err filled, or -ENOMEM with err filled; *ret untouched then. */
int speak_request_parse(struct speak_request *ret, const char *body, size_t n,
			struct api_error *err);
/* What speak_request_parse() takes for the same request, but for the user; NULL
 * without memory. */
json_t *speak_request_json(const struct speak_request *r);
void speak_request_clear(struct speak_request *r);

/* *ret: the id, 0 for all. */
int stop_request_parse(uint64_t *ret, const char *body, size_t n,
		       struct api_error *err);
/* For requests that take no fields: an empty body or an empty object. */
int empty_request_parse(const char *body, size_t n, struct api_error *err);

#endif
