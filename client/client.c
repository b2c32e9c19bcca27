/* SPDX-License-Identifier: MIT */
#include "barkd-client.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client_private.h"
#include "paths.h"

#define TIMEOUT_MS 30000
#define WAIT_FOR_EVER (-1)
/* For the next barkd, where the last one ends. */
#define ATTEMPTS 4
#define PAUSE_MS 25
#define NO_SOCKET                                                             \
	"XDG_RUNTIME_DIR is not set, so barkd's socket cannot be found; log in to a session or set BARKD_SOCKET"

static const char *const priority_names[] = {
	[BARKD_PRIORITY_IMPORTANT] = "important",
	[BARKD_PRIORITY_MESSAGE] = "message",
	[BARKD_PRIORITY_TEXT] = "text",
	[BARKD_PRIORITY_NOTIFICATION] = "notification",
	[BARKD_PRIORITY_PROGRESS] = "progress",
};

int client_fail(struct barkd_client *c, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->message, sizeof(c->message), fmt, ap);
	va_end(ap);
	return error;
}

int barkd_client_new(struct barkd_client **ret, const char *socket)
{
	struct barkd_client *c = calloc(1, sizeof(*c));
	int r = 0;

	if (!c)
		return -ENOMEM;
	c->timeout_ms = TIMEOUT_MS;
	if (socket) {
		c->socket = strdup(socket);
		if (!c->socket)
			r = -ENOMEM;
	} else {
		r = barkd_socket_path(&c->socket);
	}
	/* Without a session there may be no path: the first request says so. */
	if (r == -ENOMEM) {
		free(c);
		return r;
	}
	*ret = c;
	return 0;
}

void barkd_client_free(struct barkd_client *c)
{
	if (!c)
		return;
	free(c->socket);
	free(c);
}

const char *barkd_client_message(const struct barkd_client *c)
{
	return c->message;
}

int client_transport_error(struct barkd_client *c, int error)
{
	if (!c->socket)
		return client_fail(c, error, NO_SOCKET);
	switch (error) {
	case -EHOSTDOWN:
		return client_fail(c, error,
			    "no barkd listens at %s; start it with 'systemctl --user start barkd.socket' or run 'barkd'",
			    c->socket);
	case -EACCES:
	case -EPERM:
		return client_fail(c, error,
			    "%s: not allowed to connect; barkd serves the user who runs it",
			    c->socket);
	case -ENAMETOOLONG:
		return client_fail(c, error,
			    "%s: too long for a socket's path; set BARKD_SOCKET to a shorter one",
			    c->socket);
	case -ETIMEDOUT:
		return client_fail(c, error,
			    "barkd does not answer; see 'systemctl --user status barkd' or restart it");
	case -ECONNRESET:
		return client_fail(c, error,
			    "barkd closed the connection; see 'systemctl --user status barkd'");
	case -EPROTO:
	case -EMSGSIZE:
		return client_fail(c, error,
			    "%s: what answers there is not barkd, or another version of it",
			    c->socket);
	default:
		return client_fail(c, error, "%s: %s", c->socket, strerror(-error));
	}
}

/* OpenAI's shape: {"error":{"message":…}} */
int client_http_error(struct barkd_client *c, const struct http_reply *reply)
{
	static const struct {
		int status, error;
	} map[] = {
		{400, -EINVAL}, {401, -EACCES}, {403, -EACCES},
		{404, -ENOENT}, {413, -E2BIG},	{422, -EINVAL},
		{429, -EBUSY},	{501, -ENOTSUP}, {503, -EAGAIN},
	};
	json_t *root = json_loadb(reply->body, reply->len, 0, NULL);
	const char *words = json_string_value(
		json_object_get(json_object_get(root, "error"), "message"));
	int error = reply->status < 500 ? -EINVAL : -EIO;

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
		if (map[i].status == reply->status)
			error = map[i].error;
	}
	if (words)
		client_fail(c, error, "%s", words);
	else
		client_fail(c, error, "barkd answers with HTTP status %d",
		     reply->status);
	json_decref(root);
	return error;
}

/* Whether a barkd that ends has refused what another one would take. */
static bool is_stopping(const struct http_reply *reply)
{
	json_t *root;
	const char *code;
	bool yes;

	if (reply->status != 503)
		return false;
	root = json_loadb(reply->body, reply->len, 0, NULL);
	code = json_string_value(
		json_object_get(json_object_get(root, "error"), "code"));
	yes = code && !strcmp(code, "stopping");
	json_decref(root);
	return yes;
}

static int exchange(struct barkd_client *c, const char *method,
		    const char *path, const char *body, int timeout_ms,
		    struct http_reply *ret)
{
	int attempts = ATTEMPTS, r;

	c->message[0] = 0;
	if (!c->socket)
		return client_transport_error(c, -EHOSTDOWN);
	for (const char *p = path; *p; p++) {
		if (*p <= ' ' || *p == 0x7f)
			return client_fail(c, -EINVAL, "not a path: '%s'", path);
	}
	for (;;) {
		r = http_request(c->socket, method, path, body, timeout_ms,
				 ret);
		if (r)
			return client_transport_error(c, r);
		if (!is_stopping(ret) || --attempts == 0)
			return 0;
		free(ret->body);
		*ret = (struct http_reply){0};
		poll(NULL, 0, PAUSE_MS);
	}
}

int barkd_client_request(struct barkd_client *c, const char *method,
			 const char *path, const char *body, int *ret_status,
			 char **ret_body)
{
	struct http_reply reply = {0};
	int r;

	r = exchange(c, method, path, body, c->timeout_ms, &reply);
	if (r)
		return r;
	if (reply.status >= 400)
		client_http_error(c, &reply);
	*ret_status = reply.status;
	*ret_body = reply.body;
	return 0;
}

/* The body of a request that succeeded. */
static int call(struct barkd_client *c, const char *method, const char *path,
		const char *body, int timeout_ms, struct http_reply *ret)
{
	struct http_reply reply = {0};
	int r;

	r = exchange(c, method, path, body, timeout_ms, &reply);
	if (r)
		return r;
	if (reply.status >= 300) {
		r = client_http_error(c, &reply);
		free(reply.body);
		return r;
	}
	*ret = reply;
	return 0;
}

int barkd_client_get(struct barkd_client *c, const char *path, char **ret_json)
{
	struct http_reply reply = {0};
	int r;

	r = call(c, "GET", path, NULL, c->timeout_ms, &reply);
	if (r)
		return r;
	*ret_json = reply.body;
	return 0;
}

int client_how(json_t *o, const struct barkd_say *say, const char *rate)
{
	int r = 0;

	if (say->voice)
		r |= json_object_set_new(o, "voice", json_string(say->voice));
	if (say->language)
		r |= json_object_set_new(o, "language",
					 json_string(say->language));
	if (say->rate != 0)
		r |= json_object_set_new(o, rate, json_real(say->rate));
	if (say->volume != 0)
		r |= json_object_set_new(o, "volume", json_real(say->volume));
	if (say->pitch != 0)
		r |= json_object_set_new(o, "pitch", json_real(say->pitch));
	if (say->has_seed)
		r |= json_object_set_new(o, "seed",
					 json_integer((json_int_t)say->seed));
	if (say->fallback)
		r |= json_object_set_new(o, "fallback", json_true());
	return r;
}

static json_t *say_request(const struct barkd_say *say)
{
	json_t *o = json_object();
	int r;

	r = json_object_set_new(o, "text", json_string(say->text));
	r |= client_how(o, say, "rate");
	if (say->has_priority)
		r |= json_object_set_new(
			o, "priority",
			json_string(priority_names[say->priority]));
	if (say->patient)
		r |= json_object_set_new(o, "interrupt", json_false());
	if (say->tag)
		r |= json_object_set_new(o, "tag", json_string(say->tag));
	if (say->deadline_ms)
		r |= json_object_set_new(o, "deadline_ms",
					 json_integer(say->deadline_ms));
	/* Who waits and goes away has interrupted the speech. */
	if (say->wait)
		r |= json_object_set_new(o, "wait", json_true()) |
		     json_object_set_new(o, "cancel_on_disconnect",
					 json_true());
	if (r) {
		json_decref(o);
		return NULL;
	}
	return o;
}

/* {"id": 17, "state": "queued"} and so on. */
static int say_reply(struct barkd_client *c, const struct http_reply *reply,
		     unsigned long long *ret_id)
{
	json_t *root = json_loadb(reply->body, reply->len, 0, NULL);
	json_t *id = json_object_get(root, "id");
	const char *state = json_string_value(json_object_get(root, "state"));
	int r = 0;

	if (!json_is_integer(id) || !state)
		r = client_fail(c, -EPROTO, "barkd's answer is not understood");
	else if (!strcmp(state, "stopped"))
		r = client_fail(c, -ECANCELED, "the speech was stopped");
	else if (!strcmp(state, "dropped"))
		r = client_fail(c, -ECANCELED,
			 "the text was dropped for one of higher priority");
	if (ret_id && json_is_integer(id))
		*ret_id = (unsigned long long)json_integer_value(id);
	json_decref(root);
	return r;
}

/* *ret is the JSON of a request, to be freed with free(). */
static int say_body(struct barkd_client *c, const struct barkd_say *say,
		    char **ret)
{
	json_t *request;

	c->message[0] = 0;
	if (say->has_priority &&
	    (unsigned)say->priority > BARKD_PRIORITY_PROGRESS)
		return client_fail(c, -EINVAL, "no such priority");
	if (say->has_seed && say->seed > INT64_MAX)
		return client_fail(c, -EINVAL, "the seed is larger than 2^63-1");
	/* jansson refuses what is not UTF-8. */
	request = say_request(say);
	if (!request)
		return client_fail(c, -EINVAL, "the text is not UTF-8");
	*ret = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	return *ret ? 0 : client_fail(c, -ENOMEM, "out of memory");
}

void barkd_client_set_timeout(struct barkd_client *c, unsigned ms)
{
	c->timeout_ms = ms ? (int)ms : TIMEOUT_MS;
}

int barkd_client_say(struct barkd_client *c, const struct barkd_say *say,
		     unsigned long long *ret_id)
{
	struct http_reply reply = {0};
	char *body;
	int r;

	r = say_body(c, say, &body);
	if (r)
		return r;
	r = call(c, "POST", "/v1/speak", body,
		 say->wait ? WAIT_FOR_EVER : c->timeout_ms, &reply);
	free(body);
	if (r)
		return r;
	r = say_reply(c, &reply, ret_id);
	free(reply.body);
	return r;
}

int barkd_client_say_start(struct barkd_client *c, const struct barkd_say *say,
			   int *ret_fd)
{
	struct barkd_say waiting = *say;
	char *body;
	int r;

	waiting.wait = true;
	r = say_body(c, &waiting, &body);
	if (r)
		return r;
	r = c->socket ? http_start(c->socket, "POST", "/v1/speak", body,
				   PROMPT_MS, ret_fd)
		      : -EHOSTDOWN;
	free(body);
	return r ? client_transport_error(c, r) : 0;
}

int barkd_client_say_finish(struct barkd_client *c, int fd)
{
	struct http_reply reply = {0};
	int r;

	c->message[0] = 0;
	r = http_finish(fd, PROMPT_MS, &reply);
	if (r)
		return client_transport_error(c, r);
	r = reply.status >= 300 ? client_http_error(c, &reply)
				: say_reply(c, &reply, NULL);
	free(reply.body);
	return r;
}

int barkd_client_command(struct barkd_client *c, const char *verb)
{
	static const char *const verbs[] = {"stop", "pause", "resume", "skip"};
	struct http_reply reply = {0};
	char path[32];
	int r;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i], verb))
			continue;
		snprintf(path, sizeof(path), "/v1/%s", verb);
		r = call(c, "POST", path, NULL, c->timeout_ms, &reply);
		if (!r)
			free(reply.body);
		return r;
	}
	return client_fail(c, -EINVAL, "no such command: %s", verb);
}
