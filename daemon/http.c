/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http_private.h"

/* --- requests --- */

void http_request_free(struct http_request *req)
{
	if (!req)
		return;
	if (req->held)
		req->server->n_held--;
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

void http_request_link(struct http_request *req)
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
	struct sockaddr_storage a;
	socklen_t n_a = sizeof(a);
	const char *shape = "%s";
	const void *from;
	char text[INET6_ADDRSTRLEN];

	if (getsockname(req->client->fd, (struct sockaddr *)&a, &n_a) < 0)
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

void http_limit_body(struct http_request *req, size_t n)
{
	req->body_max = n;
}

int http_hold(struct http_request *req)
{
	struct http_server *s = req->server;

	if (req->held)
		return 0;
	if (s->n_held == HTTP_HELD_MAX)
		return -EBUSY;
	req->held = true;
	s->n_held++;
	return 0;
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

void http_body_add(struct http_request *req, const char *data, size_t n)
{
	size_t room = req->room ? req->room : 1024;
	char *body;

	if (req->no_memory)
		return;
	if (req->too_large || n > req->body_max - req->n_body) {
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
	if (!req->suspended)
		return;
	req->suspended = false;
	MHD_resume_connection(req->connection);
	http_again(req->server);
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

enum MHD_Result http_queue(struct http_request *req)
{
	enum MHD_Result r;

	/* Without memory for an answer the connection ends. */
	if (!req->response)
		return MHD_NO;
	http_enter(req->client, req->stream.buf ? HTTP_STREAMING
						: HTTP_ANSWERING);
	r = MHD_queue_response(req->connection, req->status, req->response);
	MHD_destroy_response(req->response);
	req->response = NULL;
	return r;
}

void http_suspend(struct http_request *req)
{
	req->suspended = true;
	MHD_suspend_connection(req->connection);
}
