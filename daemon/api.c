/* SPDX-License-Identifier: MIT */
/* The HTTP API's routes, as docs/api.md describes them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon.h"

static void reply_error(struct http_request *req, const struct api_error *err)
{
	http_reply(req, err->status, api_error_json(err));
}

static void reply_no_memory(struct http_request *req)
{
	api_error_reply(req, 500, NULL, "out_of_memory", "out of memory");
}

/* --- POST --- */

/* Finds the voice that is meant; false: answered with an error. */
static bool choose_voice(struct daemon *d, struct http_request *req,
			 struct speak_request *speak)
{
	int r;

	if (!speak->voice && speak->language)
		speak->voice = view_voice_for(d, speak->language);
	if (!speak->voice)
		return true;
	r = view_has_voice(d, speak->voice);
	if (r == -ESRCH)
		api_error_reply(req, 404, "voice", "voice_not_found",
				"there is no voice \"%.100s\" for model %s",
				speak->voice, studio_info(d->studio).name);
	else if (r < 0)
		reply_no_memory(req);
	return r == 0;
}

static void post_speak(struct daemon *d, struct http_request *req)
{
	struct speak_request speak;
	struct api_error err;
	size_t n;
	const char *body = http_body(req, &n);
	uint64_t id;
	bool dropped, wait;
	int r;

	if (speak_request_parse(&speak, body, n, &err) < 0) {
		reply_error(req, &err);
		return;
	}
	if (!choose_voice(d, req, &speak)) {
		speak_request_clear(&speak);
		return;
	}
	wait = speak.wait;
	r = control_speak(d, &speak, wait ? req : NULL, &id, &dropped);
	if (r == -ENOBUFS)
		api_error_reply(req, 429, NULL, "queue_full",
				"%u texts wait already",
				d->conf.service.queue_length);
	else if (r < 0)
		reply_no_memory(req);
	else if (!wait)
		http_reply(req, 202,
			   json_pack("{s:I, s:s}", "id", (json_int_t)id,
				     "state", dropped ? "dropped" : "queued"));
}

static void post_stop(struct daemon *d, struct http_request *req)
{
	struct api_error err;
	size_t n;
	const char *body = http_body(req, &n);
	uint64_t id;

	if (stop_request_parse(&id, body, n, &err) < 0) {
		reply_error(req, &err);
		return;
	}
	http_reply(req, 200, json_pack("{s:I}", "stopped",
				       (json_int_t)control_stop(d, id)));
}

static void post_skip(struct daemon *d, struct http_request *req)
{
	uint64_t id = control_skip(d);

	http_reply(req, 200,
		   json_pack("{s:o}", "skipped",
			     id ? json_integer((json_int_t)id) : json_null()));
}

static void post_pause(struct daemon *d, struct http_request *req)
{
	control_pause(d, true);
	http_reply(req, 200, json_pack("{s:b}", "paused", 1));
}

static void post_resume(struct daemon *d, struct http_request *req)
{
	control_pause(d, false);
	http_reply(req, 200, json_pack("{s:b}", "paused", 0));
}

/* --- GET --- */

static void get_queue(struct daemon *d, struct http_request *req)
{
	http_reply(req, 200, view_queue(d));
}

static void get_voices(struct daemon *d, struct http_request *req)
{
	http_reply(req, 200, view_voices(d));
}

static void get_status(struct daemon *d, struct http_request *req)
{
	http_reply(req, 200, view_status(d));
}

static void get_http(struct daemon *d, struct http_request *req)
{
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u", gate_port(d->gate));
	http_reply(req, 200,
		   json_pack("{s:s?, s:s?}", "url",
			     gate_port(d->gate) ? url : NULL, "token",
			     gate_token(d->gate)));
}

static void get_health(struct daemon *d, struct http_request *req)
{
	http_reply(req, 200, json_pack("{s:s}", "status", "ok"));
}

/* --- routes --- */

static const struct route {
	const char *path;
	bool post;      /* else GET and HEAD */
	bool own_body;  /* the handler reads it; else it must be empty */
	void (*handle)(struct daemon *d, struct http_request *req);
} routes[] = {
	{"/v1/speak", true, true, post_speak},
	{"/v1/stop", true, true, post_stop},
	{"/v1/skip", true, false, post_skip},
	{"/v1/pause", true, false, post_pause},
	{"/v1/resume", true, false, post_resume},
	{"/v1/queue", false, true, get_queue},
	{"/v1/voices", false, true, get_voices},
	{"/v1/status", false, true, get_status},
	{"/v1/http", false, true, get_http},
	{"/healthz", false, true, get_health},
};

static void dispatch(struct daemon *d, struct http_request *req,
		     const struct route *route)
{
	const char *method = http_method(req), *body;
	struct api_error err;
	size_t n;
	bool fits = route->post ? strcmp(method, "POST") == 0
				: strcmp(method, "GET") == 0 ||
					  strcmp(method, "HEAD") == 0;

	if (!fits) {
		api_error_set(&err, 405, NULL, "method_not_allowed",
			      "%s takes %s", route->path,
			      route->post ? "POST" : "GET");
		http_add_header(req, "Allow",
				route->post ? "POST" : "GET, HEAD");
		reply_error(req, &err);
		return;
	}
	if (d->stopping) {
		/* Nothing of it was taken: it may be asked again. */
		api_error_reply(req, 503, NULL, "stopping",
				"barkd is stopping");
		return;
	}
	body = http_body(req, &n);
	if (!route->own_body && empty_request_parse(body, n, &err) < 0) {
		reply_error(req, &err);
		return;
	}
	route->handle(d, req);
}

void api_handle(void *data, struct http_request *req)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
		if (strcmp(routes[i].path, http_path(req)) == 0) {
			dispatch(data, req, &routes[i]);
			return;
		}
	}
	api_error_reply(req, 404, NULL, "not_found", "there is no %.100s",
			http_path(req));
}

void api_connections(void *data, unsigned n)
{
	struct daemon *d = data;

	d->connections = n;
	idle_update(d);
}

void api_gate_connections(void *data, unsigned n)
{
	struct daemon *d = data;

	d->gate_connections = n;
	idle_update(d);
}

void api_answer(struct utterance *u, enum outcome outcome)
{
	static const char *const states[] = {"done", "stopped", "dropped"};
	struct http_request *req = u->waiter;
	json_int_t id = (json_int_t)u->item.id;

	u->waiter = NULL;
	if (outcome == OUTCOME_FAILED) {
		struct api_error err;
		json_t *json;

		api_error_set(&err, u->status, NULL, u->code, "%s", u->why);
		json = api_error_json(&err);
		if (json)
			json_object_set_new(json, "id", json_integer(id));
		http_reply(req, err.status, json);
		return;
	}
	http_reply(req, 200,
		   json_pack("{s:I, s:s, s:I}", "id", id, "state",
			     states[outcome], "played_ms",
			     (json_int_t)u->played_ms));
}
