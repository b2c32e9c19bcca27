/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 on a listening socket, in the daemon's loop: libmicrohttpd without
 * threads of its own. It gathers a request's body up to a limit and hands the
 * whole request over; the answer may come at once or later.
 */
#ifndef BARKD_HTTP_H
#define BARKD_HTTP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#define HTTP_BODY_MAX (1024 * 1024)
#define HTTP_CONNECTIONS_MAX 64
#define HTTP_HEADERS_MAX (16 * 1024)
#define HTTP_TIMEOUT_S 60

struct http_server;
struct http_request;

struct http_handler {
	/*
	 * A request is complete. It must be answered with http_reply(), in the
	 * call or later, unless `gone` comes first.
	 */
	void (*handle)(void *data, struct http_request *req);
	/* The client went away before it was answered: req is no more. */
	void (*gone)(void *data, struct http_request *req);
	/* A connection came or went. */
	void (*connections)(void *data, unsigned n);
	void *data;
};

/* Serves fd, which stays the caller's. Errors: -ENOMEM, -EIO. */
int http_server_new(struct http_server **ret, sd_event *event, int fd,
		    const struct http_handler *handler);
/* Accepts no more: who connects from now on waits in the socket's backlog for
 * who serves it next. */
void http_server_quiesce(struct http_server *s);
/* Requests that wait for their answer get 503. NULL is fine. */
void http_server_free(struct http_server *s);

const char *http_method(const struct http_request *req);
const char *http_path(const struct http_request *req);
/* n bytes and a NUL behind them. */
const char *http_body(const struct http_request *req, size_t *ret_n);
/* The handler's own. */
void http_set_data(struct http_request *req, void *data);
void *http_data(const struct http_request *req);

/* Answers with a JSON value, whose reference is taken; req is no more the
 * handler's. NULL stands for a value that could not be made. */
void http_reply(struct http_request *req, unsigned status, json_t *json);
/* The same; allow: for the Allow header. */
void http_reply_allow(struct http_request *req, unsigned status, json_t *json,
		      const char *allow);

#endif
