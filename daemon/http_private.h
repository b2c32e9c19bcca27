/* SPDX-License-Identifier: MIT */
/* What http.c and http_stream.c share. */
#ifndef BARKD_HTTP_PRIVATE_H
#define BARKD_HTTP_PRIVATE_H

#include <microhttpd.h>

#include "http.h"

/* Headers that a handler adds to an answer. */
#define HTTP_EXTRA_MAX 12
#define HTTP_ID_ROOM 32

struct http_extra {
	const char *name; /* static */
	char *value;
};

/* An answer that comes bit by bit. */
struct http_stream {
	char *buf;        /* NULL: the answer is no stream */
	size_t begin, end, room;
	bool ended;       /* nothing more will be written */
	bool broken;      /* the client is to see that something is missing */
	bool thirsty;     /* drained() is due when there is room again */
};

struct http_request {
	struct http_server *server;
	struct MHD_Connection *connection;
	char *method, *path;
	char id[HTTP_ID_ROOM];
	char *body;
	size_t n_body, room;
	bool too_large, no_memory;
	bool handed;     /* to the handler */
	bool suspended;
	bool gone;       /* the client, while it waited */
	struct MHD_Response *response; /* set: answered */
	unsigned status;
	sd_event_source *hangup;       /* while suspended, or a stream */
	struct http_extra extra[HTTP_EXTRA_MAX];
	unsigned n_extra;
	struct http_stream stream;
	const struct http_watch *watch;
	void *data;
	struct http_request *prev, *next;
};

struct http_server {
	struct MHD_Daemon *mhd;
	sd_event_source *io, *timer;
	struct http_handler handler;
	struct http_request *requests; /* handed over, not answered */
	uint64_t n_requests;
	uint32_t name; /* tells its requests from another server's */
	unsigned n_connections;
	bool tcp;
	bool told_foreign; /* that another user's client was refused */
	bool again;      /* libmicrohttpd has something to do at once */
	bool closing;
};

/* The answer is ready: libmicrohttpd takes it now, or is woken. */
void http_answer(struct http_request *req, unsigned status,
		 struct MHD_Response *response);
/* Wakes a suspended connection; others are awake. */
void http_wake(struct http_request *req);
/* libmicrohttpd leaves the connection alone until http_wake(). */
void http_suspend(struct http_request *req);
/* Tells the handler, once, that the client is gone. */
void http_tell_gone(struct http_request *req);
/* From now on the client's end is looked for. */
void http_watch_hangup(struct http_request *req);
/* The handler is through with the request. */
void http_release(struct http_request *req);

#endif
