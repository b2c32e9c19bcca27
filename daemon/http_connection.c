/* SPDX-License-Identifier: MIT */
/*
 * A connection's places and deadlines. libmicrohttpd has a time limit for
 * idleness alone, which a client that sends a byte now and then never reaches;
 * it does not look at suspended connections; and it overlooks an end that comes
 * together with data.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "http_private.h"
#include "log.h"
#include "peer.h"

#define SECOND 1000000u
/* From here on a new connection takes an idle one's place. */
#define FULL (HTTP_CONNECTIONS_MAX - 16)
#define DRAIN_BYTES (64 * 1024)

struct refusal {
	const char *status, *code, *message;
};

static const struct refusal too_late = {
	"408 Request Timeout", "timeout", "the request did not come in time",
};
static const struct refusal too_many = {
	"429 Too Many Requests", "rate_limit_exceeded",
	"too many clients are connected",
};

/* --- the client's end --- */

static int on_end(sd_event_source *source, int fd, uint32_t revents,
		  void *userdata)
{
	struct http_connection *c = userdata;
	char byte;

	if (c->phase == HTTP_IDLE || c->phase == HTTP_READING) {
		/* What came before is read first. */
		if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) {
			http_again(c->server);
			return 0;
		}
		/* libmicrohttpd notices that. */
		shutdown(fd, SHUT_RDWR);
		http_again(c->server);
	} else if (c->req) {
		http_tell_gone(c->req);
		http_wake(c->req);
	}
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

static void watch(struct http_connection *c, uint32_t events)
{
	int r;

	if (c->watch) {
		r = sd_event_source_set_io_events(c->watch, events);
		if (r >= 0)
			r = sd_event_source_set_enabled(c->watch, SD_EVENT_ON);
	} else {
		r = sd_event_add_io(c->server->event, &c->watch, c->fd, events,
				    on_end, c);
		if (r >= 0)
			r = sd_event_source_set_priority(
				c->watch, c->server->handler.priority);
	}
	if (r < 0)
		log_warning("cannot watch a client: %s", strerror(-r));
}

static void watch_no_more(struct http_connection *c)
{
	if (c->watch)
		sd_event_source_set_enabled(c->watch, SD_EVENT_OFF);
}

/* --- phases --- */

void http_enter(struct http_connection *c, enum http_phase phase)
{
	uint64_t now = http_now(c->server), limit = 0;

	if (c->dropped)
		return;
	c->phase = phase;
	switch (phase) {
	case HTTP_IDLE:
		c->since = now;
		limit = c->served ? HTTP_TIMEOUT_S : HTTP_HEADERS_S;
		watch(c, EPOLLRDHUP);
		break;
	case HTTP_READING:
		limit = HTTP_BODY_S;
		watch(c, EPOLLRDHUP);
		break;
	case HTTP_QUEUED:
		watch_no_more(c);
		break;
	case HTTP_HANDED:
		/* Over TCP a client that is gone looks like one that has said
		 * all. */
		watch(c, c->server->tcp ? EPOLLRDHUP : 0);
		break;
	case HTTP_ANSWERING:
		limit = HTTP_ANSWER_S;
		watch_no_more(c);
		break;
	case HTTP_STREAMING:
		/* A stream's reader has nothing to say. */
		watch(c, EPOLLRDHUP);
		break;
	}
	c->deadline = limit ? now + limit * SECOND : 0;
}

/* --- connections that have to go --- */

/* Past libmicrohttpd, which answers whole requests only. */
static void tell(const struct http_connection *c, const struct refusal *why)
{
	char body[256], all[512];
	int n = snprintf(body, sizeof(body),
			 "{\"error\":{\"message\":\"%s\","
			 "\"type\":\"invalid_request_error\",\"param\":null,"
			 "\"code\":\"%s\"}}",
			 why->message, why->code);

	n = snprintf(all, sizeof(all),
		     "HTTP/1.1 %s\r\nConnection: close\r\nRetry-After: 1\r\n"
		     "Content-Type: application/json\r\n"
		     "Content-Length: %d\r\n\r\n%s",
		     why->status, n, body);
	send(c->fd, all, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void drop(struct http_connection *c, const struct refusal *why)
{
	/* One that was kept alive may just be idle. */
	if (c->phase == HTTP_READING || (c->phase == HTTP_IDLE && !c->served))
		tell(c, why);
	shutdown(c->fd, SHUT_RDWR);
	watch_no_more(c);
	c->deadline = 0;
	c->dropped = true;
	c->server->n_dropped++;
	if (c->phase == HTTP_QUEUED) {
		TAILQ_REMOVE(&c->server->slow, c->req, turn);
		c->req->gone = true;
		http_wake(c->req);
	}
	http_again(c->server);
}

uint64_t http_expire(struct http_server *s, uint64_t now)
{
	struct http_connection *c;
	uint64_t next = UINT64_MAX;

	LIST_FOREACH(c, &s->connections, list) {
		if (c->deadline && c->deadline <= now)
			drop(c, &too_late);
		if (c->deadline && c->deadline < next)
			next = c->deadline;
	}
	return next;
}

/* Whether nothing is lost with it but a request that is not complete, or a
 * stranger's. */
static bool can_go(const struct http_connection *c)
{
	return !c->dropped &&
	       (c->phase == HTTP_IDLE || c->phase == HTTP_READING ||
		(c->phase == HTTP_QUEUED && c->req->due));
}

/* Strangers go first, of equals who has been idle longest. */
static void make_room(struct http_server *s)
{
	struct http_connection *c, *first = NULL;

	LIST_FOREACH(c, &s->connections, list)
		if (can_go(c) && (!first || c->trusted < first->trusted ||
				  (c->trusted == first->trusted &&
				   c->since < first->since)))
			first = c;
	if (first)
		drop(first, &too_many);
}

/* --- beginning and end --- */

/* Whether a connection is another user's, whatever the socket's mode is. */
static bool is_foreign(struct http_server *s, int fd)
{
	uid_t uid = 0;

	if (s->tcp || barkd_peer_check(fd, &uid) == 0)
		return false;
	if (!s->told_foreign)
		log_warning("refused a client of user %u", (unsigned)uid);
	s->told_foreign = true;
	return true;
}

struct http_connection *http_connection_new(struct http_server *s, int fd)
{
	struct http_connection *c =
		is_foreign(s, fd) ? NULL : calloc(1, sizeof(*c));

	if (!c) {
		/* Its place is free again at once. */
		shutdown(fd, SHUT_RDWR);
		return NULL;
	}
	if (s->n_connections - s->n_dropped > FULL)
		make_room(s);
	c->server = s;
	c->fd = fd;
	LIST_INSERT_HEAD(&s->connections, c, list);
	http_enter(c, HTTP_IDLE);
	return c;
}

void http_connection_free(struct http_connection *c)
{
	char rest[8192];

	if (!c)
		return;
	/* With data unread, the kernel would reset the connection, and the
	 * client might lose its answer. */
	for (size_t n = 0; n < DRAIN_BYTES; n += sizeof(rest))
		if (recv(c->fd, rest, sizeof(rest), MSG_DONTWAIT) <= 0)
			break;
	LIST_REMOVE(c, list);
	if (c->dropped)
		c->server->n_dropped--;
	sd_event_source_disable_unref(c->watch);
	free(c);
}
