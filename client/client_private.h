/* SPDX-License-Identifier: MIT */
/* What the client library's files share. */
#ifndef CLIENT_PRIVATE_H
#define CLIENT_PRIVATE_H

#include <jansson.h>

#include "barkd-client.h"
#include "http.h"

/* For a loop that has others to serve. */
#define PROMPT_MS 2000

struct barkd_client {
	char *socket; /* NULL: nothing says where it is */
	int timeout_ms;
	char message[512];
};

/* Keeps the words and returns the error. */
__attribute__((format(printf, 3, 4))) int
client_fail(struct barkd_client *c, int error, const char *fmt, ...);
/* Adds what of `say` an object of a request has: voice, language, rate (by the
 * name that the request has for it), pitch, volume, seed. 0: all of it. */
int client_how(json_t *o, const struct barkd_say *say, const char *rate);
/* Of http.h's functions. */
int client_transport_error(struct barkd_client *c, int error);
/* Of an answer with another status than 2xx. */
int client_http_error(struct barkd_client *c, const struct http_reply *reply);

#endif
