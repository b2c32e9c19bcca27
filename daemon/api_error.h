/* SPDX-License-Identifier: MIT */
/* Errors as OpenAI's API shapes them. */
#ifndef BARKD_API_ERROR_H
#define BARKD_API_ERROR_H

#include <jansson.h>

struct http_request;

struct api_error {
	unsigned status; /* HTTP's */
	const char *code;
	char param[64];  /* "": none */
	char message[256];
};

/* Fills *ret; returns -EINVAL. param may be NULL. */
__attribute__((format(printf, 5, 6))) int
api_error_set(struct api_error *ret, unsigned status, const char *param,
	      const char *code, const char *fmt, ...);

/* {"error": {...}}, or NULL without memory. */
json_t *api_error_json(const struct api_error *error);

/* Answers req with an error. */
__attribute__((format(printf, 5, 6))) void
api_error_reply(struct http_request *req, unsigned status, const char *param,
		const char *code, const char *fmt, ...);

#endif
