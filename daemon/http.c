/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <arpa/inet.h>
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
#include "peer.h"

/* A body too long is read so far, so that the client gets to its answer. */
#define HTTP_DRAIN_MAX (8 * HTTP_BODY_MAX)
#define LAST_TURNS 8

/* --- requests --- */

static int connection_fd(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

static void request_free(struct http_request *req)
{
	if (!req)
		return;
	sd_event_source_disable_unref(req->hangup);
	if (req->response)
		MHD_destroy_response(req->response);
	free(req->method);
	free(req->path);
	free(req->body);
	for (unsigned i = 0; i < req->n_extra; i++)
		free(req->extra[i].value);
	free(req->stream.buf);
	free(req);
}

static void request_link(struct http_request *req)
{
	struct http_server *s = req->server;

	req->next = s->requests;
	if (req->next)
		req->next->prev = req;
	s->requests = req;
	req->handed = true;
}

void http_release(struct http_request *req)
{
	if (!req->handed)
		return;
	if (req->next)
		req->next->prev = req->prev;
	if (req->prev)
		req->prev->next = req->next;
	else
		req->server->requests = req->next;
	req->prev = req->next = NULL;
	req->handed = false;
}

const char *http_method(const struct http_request *req)
{
	return req->method;
}

const char *http_path(const struct http_request *req)
{
	return req->path;
}

const char *http_id(const struct http_request *req)
{
	return req->id;
}

const char *http_body(const struct http_request *req, size_t *ret_n)
{
	*ret_n = req->n_body;
	return req->body ? req->body : "";
}

const char *http_header(const struct http_request *req, const char *name)
{
	return MHD_lookup_connection_value(req->connection, MHD_HEADER_KIND,
					   name);
}

const char *http_query(const struct http_request *req, const char *name)
{
	return MHD_lookup_connection_value(req->connection,
					   MHD_GET_ARGUMENT_KIND, name);
}

int http_local_address(const struct http_request *req, char *ret, size_t n)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		req->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct sockaddr_storage a;
	socklen_t n_a = sizeof(a);
	const char *shape = "%s";
	const void *from;
	char text[INET6_ADDRSTRLEN];

	if (!info ||
	    getsockname(info->connect_fd, (struct sockaddr *)&a, &n_a) < 0)
		return -EINVAL;
	if (a.ss_family == AF_INET) {
		from = &((const struct sockaddr_in *)&a)->sin_addr;
	} else if (a.ss_family == AF_INET6) {
		from = &((const struct sockaddr_in6 *)&a)->sin6_addr;
		shape = "[%s]";
	} else {
		return -EINVAL;
	}
	if (!inet_ntop(a.ss_family, from, text, sizeof(text)) ||
	    (size_t)snprintf(ret, n, shape, text) >= n)
		return -EINVAL;
	return 0;
}

void http_set_watch(struct http_request *req, const struct http_watch *watch,
		    void *data)
{
	req->watch = watch;
	req->data = data;
}

void http_add_header(struct http_request *req, const char *name,
		     const char *value)
{
	char *copy = strdup(value);

	if (!copy || req->n_extra == HTTP_EXTRA_MAX) {
		free(copy);
		return;
	}
	req->extra[req->n_extra++] = (struct http_extra){name, copy};
}

void http_tell_gone(struct http_request *req)
{
	if (!req->handed)
		return;
	http_release(req);
	req->gone = true;
	if (req->watch && req->watch->gone)
		req->watch->gone(req->data, req);
}

static void body_add(struct http_request *req, const char *data, size_t n)
{
	size_t room = req->room ? req->room : 1024;
	char *body;

	if (req->no_memory)
		return;
	if (req->too_large || n > HTTP_BODY_MAX - req->n_body) {
		req->too_large = true;
		req->n_body += n;
		return;
	}
	while (room < req->n_body + n + 1)
		room *= 2;
	if (room != req->room) {
		body = realloc(req->body, room);
		if (!body) {
			req->no_memory = true;
			return;
		}
		req->body = body;
		req->room = room;
	}
	memcpy(req->body + req->n_body, data, n);
	req->n_body += n;
	req->body[req->n_body] = '\0';
}

/* --- answers --- */

void http_wake(struct http_request *req)
{
	struct http_server *s = req->server;

	if (!req->suspended)
		return;
	req->suspended = false;
	if (!req->stream.buf)
		req->hangup = sd_event_source_disable_unref(req->hangup);
	MHD_resume_connection(req->connection);
	s->again = true;
	sd_event_source_set_time_relative(s->timer, 0);
	sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
}

void http_answer(struct http_request *req, unsigned status,
		 struct MHD_Response *response)
{
	if (response)
		MHD_add_response_header(response, "X-Request-Id", req->id);
	for (unsigned i = 0; response && i < req->n_extra; i++)
		MHD_add_response_header(response, req->extra[i].name,
					req->extra[i].value);
	req->response = response;
	req->status = status;
	http_wake(req);
}

void http_reply_data(struct http_request *req, unsigned status,
		     const char *type, const void *data, size_t n)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		n, (void *)data, MHD_RESPMEM_MUST_COPY);

	if (response)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
					type);
	http_release(req);
	http_answer(req, status, response);
}

void http_reply(struct http_request *req, unsigned status, json_t *json)
{
	static const char no_memory[] =
		"{\"error\":{\"message\":\"out of memory\","
		"\"type\":\"server_error\",\"param\":null,"
		"\"code\":\"out_of_memory\"}}";
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY)
			  : NULL;

	json_decref(json);
	if (!text)
		status = MHD_HTTP_INTERNAL_SERVER_ERROR;
	http_reply_data(req, status, "application/json",
			text ? text : no_memory,
			text ? strlen(text) : sizeof(no_memory) - 1);
	free(text);
}

static enum MHD_Result queue_response(struct http_request *req)
{
	enum MHD_Result r;

	/* Without memory for an answer the connection ends. */
	if (!req->response)
		return MHD_NO;
	r = MHD_queue_response(req->connection, req->status, req->response);
	MHD_destroy_response(req->response);
	req->response = NULL;
	return r;
}

/* libmicrohttpd does not look at a suspended connection, so its end is looked
 * for here. */
static int on_hangup(sd_event_source *source, int fd, uint32_t revents,
		     void *userdata)
{
	struct http_request *req = userdata;

	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	http_tell_gone(req);
	http_wake(req);
	return 0;
}

void http_watch_hangup(struct http_request *req)
{
	int fd = connection_fd(req->connection);
	/* Over TCP a client that is gone looks like one that has said all,
	 * and a stream's reader has nothing to say. */
	uint32_t events = req->server->tcp || req->stream.buf ? EPOLLRDHUP : 0;
	int r = -EIO;

	req->hangup = sd_event_source_disable_unref(req->hangup);
	if (fd >= 0)
		r = sd_event_add_io(sd_event_source_get_event(req->server->io),
				    &req->hangup, fd, events, on_hangup, req);
	if (r < 0)
		log_warning("cannot watch a client: %s", strerror(-r));
}

void http_suspend(struct http_request *req)
{
	req->suspended = true;
	MHD_suspend_connection(req->connection);
}

static enum MHD_Result suspend(struct http_request *req)
{
	http_watch_hangup(req);
	http_suspend(req);
	return MHD_YES;
}

/* --- libmicrohttpd's callbacks --- */

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

/* Whether a connection is another user's, whatever the socket's mode is. */
static bool is_foreign(struct http_server *s, struct MHD_Connection *connection)
{
	uid_t uid = 0;

	if (s->tcp || barkd_peer_check(connection_fd(connection), &uid) == 0)
		return false;
	if (!s->told_foreign)
		log_warning("refused a client of user %u", (unsigned)uid);
	s->told_foreign = true;
	return true;
}

static void closing_reply(struct http_request *req)
{
	api_error_reply(req, 503, NULL, "shutting_down", "barkd is stopping");
}

static enum MHD_Result on_access(void *cls, struct MHD_Connection *connection,
				 const char *url, const char *method,
				 const char *version, const char *upload_data,
				 size_t *upload_data_size, void **con_cls)
{
	struct http_server *s = cls;
	struct http_request *req = *con_cls;

	if (!req) {
		if (is_foreign(s, connection))
			return MHD_NO;
		req = calloc(1, sizeof(*req));
		if (!req)
			return MHD_NO;
		req->server = s;
		snprintf(req->id, sizeof(req->id), "req_%08x%08" PRIx64,
			 s->name, ++s->n_requests);
		req->connection = connection;
		req->method = strdup(method);
		req->path = strdup(url);
		*con_cls = req;
		return req->method && req->path ? MHD_YES : MHD_NO;
	}
	if (*upload_data_size) {
		body_add(req, upload_data, *upload_data_size);
		*upload_data_size = 0;
		/* Beyond that, drop the connection. */
		return req->n_body > HTTP_DRAIN_MAX ? MHD_NO : MHD_YES;
	}
	if (req->gone)
		return MHD_NO;
	if (req->status)
		return queue_response(req);
	if (req->handed)
		return MHD_YES;

	request_link(req);
	if (req->too_large)
		api_error_reply(req, 413, NULL, "too_large",
				"the body is longer than %d bytes",
				HTTP_BODY_MAX);
	else if (req->no_memory)
		http_reply(req, 500, NULL);
	else if (s->closing)
		closing_reply(req);
	else if (is_ambiguous(req))
		api_error_reply(req, 400, NULL, "ambiguous_request",
				"a header is there twice");
	else
		s->handler.handle(s->handler.data, req);
	return req->status ? queue_response(req) : suspend(req);
}

static void on_completed(void *cls, struct MHD_Connection *connection,
			 void **con_cls, enum MHD_RequestTerminationCode how)
{
	struct http_request *req = *con_cls;

	if (!req)
		return;
	http_tell_gone(req);
	/* A connection that ends is put away in the next turn. */
	req->server->again = true;
	request_free(req);
	*con_cls = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection,
			  void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http_server *s = cls;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		s->n_connections++;
		/* Its place is free again at once. */
		if (is_foreign(s, connection))
			shutdown(connection_fd(connection), SHUT_RDWR);
	} else if (s->n_connections) {
		s->n_connections--;
	}
	s->again |= code == MHD_CONNECTION_NOTIFY_CLOSED;
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

static void run(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG timeout;

	/* Neither a resumed connection wakes libmicrohttpd's descriptor, nor
	 * does a place that became free when the limit had been reached. */
	do {
		s->again = false;
		MHD_run(s->mhd);
	} while (s->again);
	if (MHD_get_timeout(s->mhd, &timeout) == MHD_YES) {
		sd_event_source_set_time_relative(s->timer, timeout * 1000);
		sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
	} else {
		sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	}
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

int http_server_new(struct http_server **ret, sd_event *event, int fd,
		    const struct http_handler *handler)
{
	struct http_server *s = calloc(1, sizeof(*s));
	const union MHD_DaemonInfo *info;
	int r;

	if (!s)
		return -ENOMEM;
	s->handler = *handler;
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
		free(s);
		return -EIO;
	}
	info = MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	r = info ? sd_event_add_io(event, &s->io, info->epoll_fd, EPOLLIN,
				   on_io, s)
		 : -EIO;
	if (r >= 0)
		r = sd_event_add_time_relative(event, &s->timer,
					       CLOCK_MONOTONIC, 0, 1000,
					       on_timer, s);
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

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	s->closing = true;
	while (s->requests) {
		struct http_request *req = s->requests;

		if (!req->stream.buf) {
			closing_reply(req);
			continue;
		}
		http_tell_gone(req);
		http_wake(req);
	}
	/* Taken back: libmicrohttpd would close what is the caller's. */
	MHD_quiesce_daemon(s->mhd);
	/* The answers above go out, which takes several turns. */
	for (int i = 0; i < LAST_TURNS; i++)
		MHD_run(s->mhd);
	sd_event_source_disable_unref(s->io);
	sd_event_source_disable_unref(s->timer);
	MHD_stop_daemon(s->mhd);
	free(s);
}
