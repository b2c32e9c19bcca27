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
#define HTTP_CONNECTIONS_MAX 128
#define HTTP_HELD_MAX 64 /* requests that wait, or stream */
#define HTTP_HEADERS_MAX (16 * 1024)
#define HTTP_HEADERS_S 10 /* from the connection to its first headers' end */
#define HTTP_BODY_S 30    /* for a body */
#define HTTP_ANSWER_S 60  /* to take an answer that is no stream */
#define HTTP_TIMEOUT_S 60 /* of idleness, or to take a bit of a stream */

struct http_server;
struct http_request;

struct http_handler {
	/*
	 * A request's headers are there; its body is not read yet. Returns
	 * whether the client may ask as often as it likes: strangers wait for
	 * their turn and send no body. The call may answer, and the body is
	 * not read then; it may set http_limit_body(). NULL: all are known.
	 */
	bool (*admit)(void *data, struct http_request *req);
	/*
	 * A request is complete. It must be answered with http_reply(), in the
	 * call or later, or with a stream, unless the watch's gone() comes
	 * first.
	 */
	void (*handle)(void *data, struct http_request *req);
	/* A connection came or went. */
	void (*connections)(void *data, unsigned n);
	void *data;
	int priority; /* sd-event's, of the server's sources */
};

/* What a handler wants to know of a request that it has not answered yet, or
 * answers with a stream. */
struct http_watch {
	/* The client went away: req is no more. */
	void (*gone)(void *data, struct http_request *req);
	/* A stream that had no room has some again. NULL is fine. */
	void (*drained)(void *data, struct http_request *req);
};

/* Serves fd, a Unix or TCP socket, which stays the caller's. Errors: -ENOMEM,
 * -EIO. */
int http_server_new(struct http_server **ret, sd_event *event, int fd,
		    const struct http_handler *handler);
/* Accepts no more: who connects from now on waits in the socket's backlog for
 * who serves it next. */
void http_server_quiesce(struct http_server *s);
/* Requests that wait for their answer get 503. NULL is fine. */
void http_server_free(struct http_server *s);

const char *http_method(const struct http_request *req);
const char *http_path(const struct http_request *req);
/* As the answer's X-Request-Id; of no other request, for logs. */
const char *http_id(const struct http_request *req);
/* n bytes and a NUL behind them. */
const char *http_body(const struct http_request *req, size_t *ret_n);
/* A request header, or NULL; valid while the request is. */
const char *http_header(const struct http_request *req, const char *name);
/* A field of the query, decoded, or NULL; likewise. */
const char *http_query(const struct http_request *req, const char *name);
/* Our address of a TCP connection as it stands in a URL, "127.0.0.1" or
 * "[::1]"; -EINVAL: none, or longer than ret. */
int http_local_address(const struct http_request *req, char *ret, size_t n);
/* n: the longest body that is taken, at most HTTP_BODY_MAX, which holds
 * otherwise. */
void http_limit_body(struct http_request *req, size_t n);
/* To be asked before a request is answered much later, or with a stream:
 * places are kept for those that are answered at once. -EBUSY: none is left. */
int http_hold(struct http_request *req);
/* watch lives as long as the request; NULL: nothing is to be told. */
void http_set_watch(struct http_request *req, const struct http_watch *watch,
		    void *data);

/* --- answers --- */

/* A header of the answer, before it is given; name is static. Left out
 * without memory. */
void http_add_header(struct http_request *req, const char *name,
		     const char *value);
/* Answers with a JSON value, whose reference is taken; req is no more the
 * handler's. NULL stands for a value that could not be made. */
void http_reply(struct http_request *req, unsigned status, json_t *json);
/* The same with n bytes, which are copied. */
void http_reply_data(struct http_request *req, unsigned status,
		     const char *type, const void *data, size_t n);

/* --- answers that come bit by bit --- */

/*
 * Begins an answer of unknown length, with a store of `room` bytes between
 * handler and client. The request stays the handler's until
 * http_stream_end() or gone(). Errors: -ENOMEM; it is to be answered
 * otherwise then.
 */
int http_stream_begin(struct http_request *req, unsigned status,
		      const char *type, size_t room);
/* Bytes that can be written now. */
size_t http_stream_room(const struct http_request *req);
/* Writes n bytes. -ENOBUFS: they do not fit, nothing was written; drained()
 * will come. */
int http_stream_write(struct http_request *req, const void *data, size_t n);
/* Calls drained() when more than half of the store is free. */
void http_stream_wait(struct http_request *req);
/* What was written goes out, then the answer ends; broken: such that the
 * client sees that it is not complete. req is no more the handler's. */
void http_stream_end(struct http_request *req, bool broken);

#endif
