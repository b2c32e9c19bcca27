/* SPDX-License-Identifier: MIT */
/* The HTTP API's routes, as docs/api.md describes them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "pages.h"

#define MODELS_PATH "/v1/models/"

/* Bytes of a body: a chat's message may be escaped throughout, all others are
 * an object of few fields. */
#define CHAT_BODY_MAX (128 * 1024)
#define SMALL_BODY_MAX (4 * 1024)

static void reply_error(struct http_request *req, const struct api_error *err)
{
	http_reply(req, err->status, api_error_json(err));
}

static void reply_no_memory(struct http_request *req)
{
	api_error_reply(req, 500, NULL, "out_of_memory", "out of memory");
}

/* --- POST --- */

/* The request is handled again when the voices' folders have been read. */
static void read_voices_first(struct daemon *d, struct http_request *req)
{
	if (voices_wait(d->voices, req) < 0)
		reply_no_memory(req);
}

/* Finds the voice that is meant, *voice, which is owned; false: the request was
 * answered with an error, or will be handled again. fallback: another one is
 * better than none, and than waiting. */
static bool choose_voice(struct daemon *d, struct http_request *req,
			 char **voice, const char *language, bool fallback)
{
	bool missing = *voice && !voice_exists(d, *voice);

	if (!voices_known(d->voices) && (missing || (!*voice && language))) {
		read_voices_first(d, req);
		return false;
	}
	if (missing && fallback) {
		/* It may have been installed just now: for the next text. */
		voices_use(d->voices);
		voice_missing(d, *voice);
		free(*voice);
		*voice = NULL;
		missing = false;
	}
	if (!*voice && language)
		*voice = voice_for_language(d, language);
	if (!missing)
		return true;
	if (!voices_fresh(d->voices))
		read_voices_first(d, req);
	else
		api_error_reply(req, 404, "voice", "voice_not_found",
				"there is no voice \"%.100s\" for model %s",
				*voice, studio_info(d->studio).name);
	return false;
}

/* Whether there is a place for a request that takes long; else it is
 * answered. */
static bool may_hold(struct http_request *req)
{
	if (http_hold(req) == 0)
		return true;
	http_add_header(req, "Retry-After", "1");
	api_error_reply(req, 429, NULL, "rate_limit_exceeded",
			"%d clients wait for their answers already",
			HTTP_HELD_MAX);
	return false;
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
	if (!choose_voice(d, req, &speak.voice, speak.language,
			  speak.fallback) ||
	    (speak.wait && !may_hold(req))) {
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

/* Whether the model is ours, by a name that clients have for it. */
static bool is_model(struct daemon *d, const char *name)
{
	const char *slash = strchr(name, '/');

	/* A hub's OWNER/NAME. */
	if (slash && slash > name && strcmp(studio_info(d->studio).name,
					    slash + 1) == 0)
		return true;
	return strcmp(name, "bark") == 0 || strcmp(name, "barkd") == 0 ||
	       speech_model_is_openai(name) ||
	       strcmp(studio_info(d->studio).name, name) == 0;
}

static void reply_no_model(struct daemon *d, struct http_request *req,
			   const char *name)
{
	api_error_reply(req, 404, "model", "model_not_found",
			"the model is %s, not \"%.100s\"",
			studio_info(d->studio).name, name);
}

/* Takes what the request owns. */
static void speech(struct daemon *d, struct http_request *req,
		   struct speech_request *speech)
{
	int r;

	if (speech->model && !is_model(d, speech->model)) {
		reply_no_model(d, req, speech->model);
		speech_request_clear(speech);
		return;
	}
	if (speech->voice && !voice_exists(d, speech->voice) &&
	    speech_voice_is_openai(speech->voice)) {
		free(speech->voice);
		speech->voice = NULL;
	}
	if (!choose_voice(d, req, &speech->voice, speech->language,
			  speech->fallback)) {
		speech_request_clear(speech);
		return;
	}
	if (strcmp(http_method(req), "HEAD") == 0) {
		http_reply_data(req, 200, encoder_type(speech->format), "", 0);
		speech_request_clear(speech);
		return;
	}
	if (!may_hold(req)) {
		speech_request_clear(speech);
		return;
	}
	r = render_start(d, req, speech);
	if (r == -EBUSY) {
		http_add_header(req, "Retry-After", "1");
		api_error_reply(req, 429, NULL, "rate_limit_exceeded",
				"%u answers are being made already",
				d->conf.http.streams);
	} else if (r == -ENOMEM) {
		reply_no_memory(req);
	} else if (r < 0) {
		api_error_reply(req, 500, NULL, "synthesis_failed",
				"the encoder failed");
	}
}

static void post_speech(struct daemon *d, struct http_request *req)
{
	struct speech_request request;
	struct api_error err;
	size_t n;
	const char *body = http_body(req, &n);

	if (speech_request_parse(&request, body, n, &err) < 0)
		reply_error(req, &err);
	else
		speech(d, req, &request);
}

static const char *query_field(const void *data, const char *name)
{
	return http_query(data, name);
}

/* For players, which are given an address and nothing else. */
static void get_speech(struct daemon *d, struct http_request *req)
{
	struct speech_request request;
	struct api_error err;

	if (speech_request_query(&request, query_field, req, &err) < 0)
		reply_error(req, &err);
	else
		speech(d, req, &request);
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
	if (voices_fresh(d->voices))
		http_reply(req, 200, view_voices(d));
	else
		read_voices_first(d, req);
}

static void get_audio_voices(struct daemon *d, struct http_request *req)
{
	if (voices_fresh(d->voices))
		http_reply(req, 200, view_audio_voices(d));
	else
		read_voices_first(d, req);
}

static void get_audio_models(struct daemon *d, struct http_request *req)
{
	http_reply(req, 200, view_audio_models(d));
}

static void get_model(struct daemon *d, struct http_request *req)
{
	const char *name = http_path(req) + strlen(MODELS_PATH);

	if (is_model(d, name))
		http_reply(req, 200, view_audio_model(name));
	else
		reply_no_model(d, req, name);
}

static void get_status(struct daemon *d, struct http_request *req)
{
	http_reply(req, 200, view_status(d));
}

static void get_http(struct daemon *d, struct http_request *req)
{
	char *url = gate_url(d->gate);

	http_reply(req, 200, json_pack("{s:s?, s:s?}", "url", url, "token",
				       gate_token(d->gate)));
	free(url);
}

static void get_events(struct daemon *d, struct http_request *req)
{
	const char *levels = http_query(req, "levels");
	int r;

	if (!may_hold(req))
		return;
	r = events_listen(d->events, req, levels && strcmp(levels, "1") == 0);
	if (r == -EBUSY)
		api_error_reply(req, 429, NULL, "rate_limit_exceeded",
				"%d clients listen already",
				EVENTS_LISTENERS_MAX);
	else if (r < 0)
		reply_no_memory(req);
}

static void get_metrics(struct daemon *d, struct http_request *req)
{
	size_t n;
	char *page = metrics_page(d, &n);

	if (page)
		http_reply_data(req, 200, METRICS_TYPE, page, n);
	else
		reply_no_memory(req);
	free(page);
}

static void get_health(struct daemon *d, struct http_request *req)
{
	http_reply(req, 200, json_pack("{s:s}", "status", "ok"));
}

/* --- routes --- */

static const struct route {
	const char *path; /* one that ends with a slash: whatever follows */
	bool post;      /* else GET and HEAD */
	bool own_body;  /* the handler reads it; else it must be empty */
	size_t body_max;
	void (*handle)(struct daemon *d, struct http_request *req);
} routes[] = {
	{"/v1/speak", true, true, HTTP_BODY_MAX, post_speak},
	{"/v1/audio/speech", true, true, HTTP_BODY_MAX, post_speech},
	{"/v1/audio/speech", false, true, SMALL_BODY_MAX, get_speech},
	{"/v1/chat", true, true, CHAT_BODY_MAX, api_chat},
	{"/v1/stop", true, true, SMALL_BODY_MAX, post_stop},
	{"/v1/skip", true, false, SMALL_BODY_MAX, post_skip},
	{"/v1/pause", true, false, SMALL_BODY_MAX, post_pause},
	{"/v1/resume", true, false, SMALL_BODY_MAX, post_resume},
	{"/v1/queue", false, true, SMALL_BODY_MAX, get_queue},
	{"/v1/voices", false, true, SMALL_BODY_MAX, get_voices},
	{"/v1/audio/voices", false, true, SMALL_BODY_MAX, get_audio_voices},
	{"/v1/audio/models", false, true, SMALL_BODY_MAX, get_audio_models},
	{"/v1/models", false, true, SMALL_BODY_MAX, get_audio_models},
	{MODELS_PATH, false, true, SMALL_BODY_MAX, get_model},
	{"/v1/status", false, true, SMALL_BODY_MAX, get_status},
	{"/v1/http", false, true, SMALL_BODY_MAX, get_http},
	{"/v1/events", false, true, SMALL_BODY_MAX, get_events},
	{"/metrics", false, true, SMALL_BODY_MAX, get_metrics},
	{"/healthz", false, true, SMALL_BODY_MAX, get_health},
};

static bool leads_to(const struct route *route, const char *path)
{
	size_t n = strlen(route->path);

	return route->path[n - 1] == '/'
		       ? strncmp(route->path, path, n) == 0 && path[n]
		       : strcmp(route->path, path) == 0;
}

static bool takes(const struct route *route, const char *method)
{
	return route->post ? strcmp(method, "POST") == 0
			   : strcmp(method, "GET") == 0 ||
				     strcmp(method, "HEAD") == 0;
}

/* By path and method, or NULL. */
static const struct route *find_route(const struct http_request *req)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++)
		if (leads_to(&routes[i], http_path(req)) &&
		    takes(&routes[i], http_method(req)))
			return &routes[i];
	return NULL;
}

bool api_admit(void *data, struct http_request *req)
{
	const struct route *route = find_route(req);

	http_limit_body(req, route ? route->body_max : SMALL_BODY_MAX);
	return true;
}

static void dispatch(struct daemon *d, struct http_request *req,
		     const struct route *route)
{
	const char *body;
	struct api_error err;
	size_t n;

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

/* --- pages --- */

static void send_page(struct http_request *req, const struct page *page)
{
	const char *method = http_method(req);
	struct api_error err;

	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		api_error_set(&err, 405, NULL, "method_not_allowed",
			      "%s takes GET", page->path);
		http_add_header(req, "Allow", "GET, HEAD");
		reply_error(req, &err);
		return;
	}
	/* Nothing but what barkd serves runs in its pages, or holds them. */
	http_add_header(req, "Content-Security-Policy",
			"default-src 'none'; script-src 'self'; "
			"style-src 'self'; connect-src 'self'; "
			"base-uri 'none'; form-action 'none'; "
			"frame-ancestors 'none'");
	http_add_header(req, "X-Content-Type-Options", "nosniff");
	http_add_header(req, "Referrer-Policy", "no-referrer");
	http_add_header(req, "Cache-Control", "no-cache");
	http_reply_data(req, 200, page->type, page->data, page->n);
}

static const struct page *find_page(const char *path)
{
	for (size_t i = 0; i < pages_n; i++)
		if (strcmp(pages[i].path, path) == 0)
			return &pages[i];
	return NULL;
}

static void refuse_method(struct http_request *req)
{
	bool posts = false, gets = false;

	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
		if (!leads_to(&routes[i], http_path(req)))
			continue;
		posts |= routes[i].post;
		gets |= !routes[i].post;
	}
	if (!posts && !gets) {
		api_error_reply(req, 404, NULL, "not_found",
				"there is no %.100s", http_path(req));
		return;
	}
	http_add_header(req, "Allow", !gets    ? "POST"
				      : !posts ? "GET, HEAD"
					       : "POST, GET, HEAD");
	api_error_reply(req, 405, NULL, "method_not_allowed", "%.100s takes %s",
			http_path(req), !gets    ? "POST"
					: !posts ? "GET"
						 : "POST and GET");
}

void api_handle(void *data, struct http_request *req)
{
	const struct page *page = find_page(http_path(req));
	const struct route *route = find_route(req);

	if (page)
		send_page(req, page);
	else if (route)
		dispatch(data, req, route);
	else
		refuse_method(req);
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
		   json_pack("{s:I, s:s, s:I, s:s*}", "id", id, "state",
			     states[outcome], "played_ms",
			     (json_int_t)u->played_ms, "why",
			     *u->why ? u->why : NULL));
}
