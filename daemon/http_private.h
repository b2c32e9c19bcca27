/* SPDX-License-Identifier: MIT */
/* What http.c, http_connection.c, http_server.c and http_stream.c share. */
#ifndef BARKD_HTTP_PRIVATE_H
#define BARKD_HTTP_PRIVATE_H

#include <microhttpd.h>
#include <sys/queue.h>

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

/* What a connection does at the moment. */
enum http_phase {
	HTTP_IDLE,      /* a request's headers are awaited */
	HTTP_READING,   /* its body is */
	HTTP_QUEUED,    /* the request waits for its turn */
	HTTP_HANDED,    /* the handler has it */
	HTTP_ANSWERING,
	HTTP_STREAMING,
};

struct http_connection {
	struct http_server *server;
	struct http_request *req; /* NULL: none has begun */
	int fd;                   /* libmicrohttpd's */
	enum http_phase phase;
	uint64_t since;           /* it is idle, CLOCK_MONOTONIC in us */
	uint64_t deadline;        /* of the phase; 0: none */
	bool trusted;  /* a request of it was admitted */
	bool served;   /* a request of it was answered */
	bool dropped;
	sd_event_source *watch;   /* for the client's end */
	LIST_ENTRY(http_connection) list;
};

struct http_request {
	struct http_server *server;
	struct http_connection *client;
	struct MHD_Connection *connection;
	char *method, *path;
	char id[HTTP_ID_ROOM];
	char *body;
	size_t n_body, room, body_max;
	bool too_large, no_memory;
	bool handed;     /* to the handler */
	bool held;       /* counts among those that may take long */
	bool suspended;
	bool gone;       /* the client, while it waited */
	struct MHD_Response *response; /* set: answered */
	unsigned status;
	struct http_extra extra[HTTP_EXTRA_MAX];
	unsigned n_extra;
	struct http_stream stream;
	const struct http_watch *watch;
	void *data;
	struct http_request *prev, *next;
	uint64_t due;    /* of one that is slowed, CLOCK_MONOTONIC in us */
	TAILQ_ENTRY(http_request) turn;
};

TAILQ_HEAD(http_turns, http_request);

struct http_server {
	struct MHD_Daemon *mhd;
	sd_event *event;
	sd_event_source *io, *timer, *soon;
	struct http_handler handler;
	LIST_HEAD(, http_connection) connections;
	struct http_request *requests; /* handed over, not answered */
	struct http_turns ready; /* complete, to be handed over */
	struct http_turns slow;  /* of strangers, by when they are due */
	uint64_t allowance; /* when strangers have their full one, in us */
	uint64_t n_requests;
	uint32_t name; /* tells its requests from another server's */
	unsigned n_connections, n_dropped, n_held;
	bool may_hand; /* no request was handed over in this turn */
	bool tcp;
	bool told_foreign; /* that another user's client was refused */
	bool closing;
};

/* --- http.c --- */

/* The answer is ready: libmicrohttpd takes it now, or is woken. */
void http_answer(struct http_request *req, unsigned status,
		 struct MHD_Response *response);
/* Gives libmicrohttpd the answer. */
enum MHD_Result http_queue(struct http_request *req);
/* Wakes a suspended connection; others are awake. */
void http_wake(struct http_request *req);
/* libmicrohttpd leaves the connection alone until http_wake(). */
void http_suspend(struct http_request *req);
/* Tells the handler, once, that the client is gone. */
void http_tell_gone(struct http_request *req);
/* The request is the handler's from now on, and no more. */
void http_request_link(struct http_request *req);
void http_release(struct http_request *req);
/* Keeps n more bytes of the body, within its limit. */
void http_body_add(struct http_request *req, const char *data, size_t n);
/* NULL is fine. */
void http_request_free(struct http_request *req);

/* --- http_connection.c --- */

/* NULL without memory, or when the client is another user: the connection has
 * been shut down. May drop another connection to make room. */
struct http_connection *http_connection_new(struct http_server *s, int fd);
/* Before libmicrohttpd closes it. NULL is fine. */
void http_connection_free(struct http_connection *c);
/* Another phase begins, with its deadline and its watch. */
void http_enter(struct http_connection *c, enum http_phase phase);
/* Drops connections whose deadline is over; returns the next one, UINT64_MAX:
 * there is none. */
uint64_t http_expire(struct http_server *s, uint64_t now);

/* --- http_server.c --- */

/* libmicrohttpd has something to do in the loop's next turn. */
void http_again(struct http_server *s);
uint64_t http_now(const struct http_server *s);

#endif
