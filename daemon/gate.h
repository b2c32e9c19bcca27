/* SPDX-License-Identifier: MIT */
/*
 * The API over TCP, for browsers and for programs that speak to an OpenAI-style
 * address; on loopback, unless the configuration says otherwise. Any web page
 * can reach a port on loopback, so each request must carry the token and come
 * from a page that is allowed, and the Host header must be loopback, the
 * address that was connected to, or a configured name (against DNS rebinding).
 */
#ifndef BARKD_GATE_H
#define BARKD_GATE_H

#include <systemd/sd-event.h>

#include "conf.h"
#include "http.h"

struct gate;

struct gate_handler {
	/* As http.h has it, of a request that may pass. */
	bool (*admit)(void *data, struct http_request *req);
	/* A request that may pass. */
	void (*handle)(void *data, struct http_request *req);
	/* A connection came or went. */
	void (*connections)(void *data, unsigned n);
	void *data;
};

/* Errors: -ENOMEM. */
int gate_new(struct gate **ret, sd_event *event,
	     const struct gate_handler *handler);
/* Requests in progress get 503. NULL is fine. */
void gate_free(struct gate *g);

/*
 * Opens, moves or closes the port as the configuration's [http] says. An
 * address that cannot be had is logged and left out. Errors: -ENOMEM.
 */
int gate_configure(struct gate *g, const struct conf *conf);
/* 0: closed, or g is NULL. */
unsigned gate_port(const struct gate *g);
/* What clients must send; NULL: closed. */
const char *gate_token(const struct gate *g);
/* Where programs of this machine, or else others, reach it: "http://...", to
 * be freed. NULL: closed, or no memory. */
char *gate_url(const struct gate *g);

#endif
