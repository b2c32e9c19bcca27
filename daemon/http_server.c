/* SPDX-License-Identifier: MIT */
/*
 * libmicrohttpd in the loop. A turn of the loop hands over one request, so that
 * clients who ask as fast as they can hold up neither each other nor anything
 * of a higher priority.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "api_error.h"
#include "http_private.h"
#include "log.h"

/* A body too long is read so far, so that the client gets to its answer. */
#define HTTP_DRAIN_MAX (8 * HTTP_BODY_MAX)
#define LAST_TURNS 8

/* Strangers' requests: one in so many microseconds, and so many at once. */
#define STRANGER_US 10000u
#define STRANGER_BURST 50u

uint64_t http_now(const struct http_server *s)
{
	uint64_t now = 0;

	sd_event_now(s->event, CLOCK_MONOTONIC, &now);
	return now;
}

void http_again(struct http_server *s)
{
	sd_event_source_set_enabled(s->soon, SD_EVENT_ONESHOT);
}

/* --- what comes in --- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Decodes %XX in place, but for %00, behind which a string would end. */
static size_t on_unescape(void *cls, struct MHD_Connection *connection, char *s)
{
	char *to = s;

	for (const char *from = s; *from; to++) {
		int high = *from == '%' ? hex_digit(from[1]) : -1;
		int low = high >= 0 ? hex_digit(from[2]) : -1;

		if (low >= 0 && high + low > 0) {
			*to = (char)(high * 16 + low);
			from += 3;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return (size_t)(to - s);
}

static enum MHD_Result count_header(void *cls, enum MHD_ValueKind kind,
				    const char *key, const char *value)
{
	/* Those that say who may come in and where a request ends. */
	static const char *const names[] = {
		"Host", "Origin", "Authorization", "Content-Length",
		"Transfer-Encoding",
	};
	unsigned *seen = cls;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcasecmp(key, names[i]) != 0)
			continue;
		if (*seen & 1u << i)
			*seen |= 1u << 31;
		*seen |= 1u << i;
	}
	return MHD_YES;
}

/* Whether a header of which there is one has been sent twice. */
static bool is_ambiguous(struct http_request *req)
{
	unsigned seen = 0;

	MHD_get_connection_values(req->connection, MHD_HEADER_KIND,
				  count_header, &seen);
	return seen >> 31;
}

static void closing_reply(struct http_request *req)
{
	api_error_reply(req, 503, NULL, "shutting_down", "barkd is stopping");
}

static void too_large_reply(struct http_request *req)
{
	api_error_reply(req, 413, NULL, "too_large",
			"the body is longer than %zu bytes", req->body_max);
}

static struct http_connection *connection_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static struct http_request *request_new(struct http_connection *c,
					struct MHD_Connection *connection,
					const char *method, const char *url)
{
	struct http_server *s = c->server;
	struct http_request *req = calloc(1, sizeof(*req));

	if (!req)
		return NULL;
	req->server = s;
	req->client = c;
	req->connection = connection;
	req->body_max = HTTP_BODY_MAX;
	snprintf(req->id, sizeof(req->id), "req_%08x%08" PRIx64, s->name,
		 ++s->n_requests);
	req->method = strdup(method);
	req->path = strdup(url);
	c->req = req;
	return req;
}

/* Bytes of the body as announced; UINT64_MAX: that is told as it comes. */
static uint64_t announced(const struct http_request *req)
{
	const char *length = http_header(req, "Content-Length");

	if (http_header(req, "Transfer-Encoding"))
		return UINT64_MAX;
	return length ? strtoull(length, NULL, 10) : 0;
}

/* When a stranger's next request is due; 0: now. */
static uint64_t next_turn(struct http_server *s)
{
	uint64_t now = http_now(s), burst = STRANGER_US * STRANGER_BURST;
	uint64_t base = s->allowance > now ? s->allowance : now;

	s->allowance = base + STRANGER_US;
	return base > now + burst ? base - burst : 0;
}

/* Whether the client is no stranger; it may have been answered. */
static bool is_known(struct http_request *req)
{
	struct http_server *s = req->server;

	if (is_ambiguous(req)) {
		api_error_reply(req, 400, NULL, "ambiguous_request",
				"a header is there twice");
		return !s->tcp;
	}
	return !s->handler.admit || s->handler.admit(s->handler.data, req);
}

/* The headers are there. */
static enum MHD_Result admit(struct http_request *req)
{
	struct http_server *s = req->server;
	bool known = is_known(req);
	uint64_t n = announced(req);

	req->client->trusted |= known;
	req->too_large = known && n != UINT64_MAX && n > req->body_max;
	if (!req->status && ((!known && n) ||
			     (req->too_large && n > HTTP_DRAIN_MAX)))
		too_large_reply(req);
	req->due = known ? 0 : next_turn(s);
	if (req->due) {
		TAILQ_INSERT_TAIL(&s->slow, req, turn);
		http_enter(req->client, HTTP_QUEUED);
		http_suspend(req);
		return MHD_YES;
	}
	if (req->status)
		return http_queue(req);
	http_enter(req->client, HTTP_READING);
	return MHD_YES;
}

static void hand_over(struct http_request *req)
{
	struct http_server *s = req->server;

	s->may_hand = false;
	http_request_link(req);
	if (req->no_memory)
		http_reply(req, 500, NULL);
	else if (s->closing)
		closing_reply(req);
	else
		s->handler.handle(s->handler.data, req);
	if (!req->status)
		http_enter(req->client, HTTP_HANDED);
}

static void hand_over_first(struct http_server *s)
{
	struct http_request *req = TAILQ_FIRST(&s->ready);

	TAILQ_REMOVE(&s->ready, req, turn);
	hand_over(req);
}

/* All of it is there. */
static enum MHD_Result complete(struct http_request *req)
{
	if (req->too_large) {
		too_large_reply(req);
		return http_queue(req);
	}
	/* Once suspended, libmicrohttpd has no answer for a client that has
	 * closed its sending side. */
	if (req->server->may_hand) {
		hand_over(req);
		if (req->status)
			return http_queue(req);
		http_suspend(req);
		return MHD_YES;
	}
	http_enter(req->client, HTTP_QUEUED);
	TAILQ_INSERT_TAIL(&req->server->ready, req, turn);
	http_suspend(req);
	http_again(req->server);
	return MHD_YES;
}

static enum MHD_Result on_access(void *cls, struct MHD_Connection *connection,
				 const char *url, const char *method,
				 const char *version, const char *upload_data,
				 size_t *upload_data_size, void **con_cls)
{
	struct http_connection *c = connection_of(connection);
	struct http_request *req = *con_cls;

	/* One that was dropped has its answer. */
	if (!c || c->dropped)
		return MHD_NO;
	if (!req) {
		req = request_new(c, connection, method, url);
		*con_cls = req;
		return req && req->method && req->path ? admit(req) : MHD_NO;
	}
	if (req->gone)
		return MHD_NO;
	if (req->status)
		return http_queue(req);
	if (*upload_data_size) {
		http_body_add(req, upload_data, *upload_data_size);
		*upload_data_size = 0;
		/* Beyond that, drop the connection. */
		return req->n_body > HTTP_DRAIN_MAX ? MHD_NO : MHD_YES;
	}
	if (c->phase == HTTP_QUEUED) {
		/* A stranger's turn has come. */
		http_enter(c, HTTP_READING);
		return MHD_YES;
	}
	return complete(req);
}

static void on_completed(void *cls, struct MHD_Connection *connection,
			 void **con_cls, enum MHD_RequestTerminationCode how)
{
	struct http_request *req = *con_cls;

	if (!req)
		return;
	http_tell_gone(req);
	req->client->req = NULL;
	req->client->served = true;
	http_enter(req->client, HTTP_IDLE);
	/* A connection that ends is put away in the next turn. */
	http_again(req->server);
	http_request_free(req);
	*con_cls = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection,
			  void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http_server *s = cls;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(
			connection, MHD_CONNECTION_INFO_CONNECTION_FD);

		s->n_connections++;
		*socket_context = http_connection_new(s, info->connect_fd);
	} else {
		s->n_connections--;
		http_connection_free(*socket_context);
		*socket_context = NULL;
		http_again(s);
	}
	if (s->handler.connections)
		s->handler.connections(s->handler.data, s->n_connections);
}

static void on_log(void *cls, const char *fmt, va_list ap)
{
	char text[256];
	size_t n;

	vsnprintf(text, sizeof(text), fmt, ap);
	n = strlen(text);
	if (n && text[n - 1] == '\n')
		text[n - 1] = '\0';
	log_debug("http: %s", text);
}

/* --- the loop --- */

/* Wakes the strangers whose turn it is. */
static void wake_slow(struct http_server *s, uint64_t now)
{
	struct http_request *req;

	while ((req = TAILQ_FIRST(&s->slow)) && req->due <= now) {
		TAILQ_REMOVE(&s->slow, req, turn);
		req->due = 0;
		http_wake(req);
	}
}

static void run(struct http_server *s)
{
	uint64_t now = http_now(s), next;
	MHD_UNSIGNED_LONG_LONG timeout;
	bool timed;

	wake_slow(s, now);
	s->may_hand &= TAILQ_EMPTY(&s->ready);
	MHD_run(s->mhd);
	s->may_hand = true;
	if (!TAILQ_EMPTY(&s->ready))
		http_again(s);
	next = http_expire(s, now);
	if (!TAILQ_EMPTY(&s->slow) && TAILQ_FIRST(&s->slow)->due < next)
		next = TAILQ_FIRST(&s->slow)->due;
	timed = MHD_get_timeout(s->mhd, &timeout) == MHD_YES;
	/* The timer would be a millisecond late. */
	if (timed && timeout == 0)
		http_again(s);
	else if (timed && now + timeout * 1000 < next)
		next = now + timeout * 1000;
	if (next != UINT64_MAX)
		sd_event_source_set_time(s->timer, next);
	sd_event_source_set_enabled(s->timer, next == UINT64_MAX
						      ? SD_EVENT_OFF
						      : SD_EVENT_ONESHOT);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents,
		 void *userdata)
{
	run(userdata);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	run(userdata);
	return 0;
}

/* Neither a resumed connection wakes libmicrohttpd's descriptor, nor does a
 * place that became free when the limit had been reached. */
static int on_again(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct http_server *s = userdata;

	if (!TAILQ_EMPTY(&s->ready))
		hand_over_first(s);
	run(s);
	return 0;
}

/* No deferred source, which sd-event would put before all others of its
 * priority as often as it is enabled again. */
static int add_sources(struct http_server *s)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	int r = info ? sd_event_add_io(s->event, &s->io, info->epoll_fd,
				       EPOLLIN, on_io, s)
		     : -EIO;

	if (r >= 0)
		r = sd_event_add_time_relative(s->event, &s->timer,
					       CLOCK_MONOTONIC, 0, 1000,
					       on_timer, s);
	if (r >= 0)
		r = sd_event_add_time(s->event, &s->soon, CLOCK_MONOTONIC, 0,
				      1, on_again, s);
	if (r >= 0)
		r = sd_event_source_set_priority(s->io, s->handler.priority);
	if (r >= 0)
		r = sd_event_source_set_priority(s->timer, s->handler.priority);
	if (r >= 0)
		r = sd_event_source_set_priority(s->soon, s->handler.priority);
	return r;
}

int http_server_new(struct http_server **ret, sd_event *event, int fd,
		    const struct http_handler *handler)
{
	struct http_server *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->event = sd_event_ref(event);
	s->handler = *handler;
	s->may_hand = true;
	LIST_INIT(&s->connections);
	TAILQ_INIT(&s->ready);
	TAILQ_INIT(&s->slow);
	/* Without it, ids are those of other servers. */
	if (getrandom(&s->name, sizeof(s->name), GRND_NONBLOCK) < 0)
		s->name = 0;
	s->tcp = sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) <= 0;
	s->mhd = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
		0, NULL, NULL, on_access, s,
		MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEADERS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_TIMEOUT_S,
		MHD_OPTION_END);
	if (!s->mhd) {
		sd_event_unref(s->event);
		free(s);
		return -EIO;
	}
	r = add_sources(s);
	if (r < 0) {
		http_server_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void http_server_quiesce(struct http_server *s)
{
	MHD_quiesce_daemon(s->mhd);
}

/* All who wait are answered, or their connections end. */
static void answer_all(struct http_server *s)
{
	while (!TAILQ_EMPTY(&s->ready))
		hand_over_first(s);
	wake_slow(s, UINT64_MAX);
	while (s->requests) {
		struct http_request *req = s->requests;

		if (!req->stream.buf) {
			closing_reply(req);
			continue;
		}
		http_tell_gone(req);
		http_wake(req);
	}
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	s->closing = true;
	s->may_hand = false;
	/* Taken back: libmicrohttpd would close what is the caller's. */
	MHD_quiesce_daemon(s->mhd);
	/* The answers go out, which takes several turns. */
	for (int i = 0; i < LAST_TURNS; i++) {
		answer_all(s);
		MHD_run(s->mhd);
	}
	answer_all(s);
	sd_event_source_disable_unref(s->io);
	sd_event_source_disable_unref(s->timer);
	MHD_stop_daemon(s->mhd);
	sd_event_source_disable_unref(s->soon);
	sd_event_unref(s->event);
	free(s);
}
