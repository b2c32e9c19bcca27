/* SPDX-License-Identifier: MIT */
#include "api_speak.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api_fields.h"
#include "conf.h"

static int get_priority(json_t *root, struct speak_request *r,
			struct api_error *err)
{
	json_t *v = api_get(root, "priority");
	int p;

	if (!v)
		return 0;
	if (!json_is_string(v))
		return api_wrong_type(err, "priority", "a string");
	p = queue_priority_parse(json_string_value(v));
	if (p < 0)
		return api_error_set(err, 400, "priority", "invalid_value",
				     "priority must be one of important, message, text, notification, progress");
	r->priority = (enum queue_priority)p;
	return 0;
}

static int get_deadline(json_t *root, struct speak_request *r,
			struct api_error *err)
{
	bool has = false;
	uint64_t ms = 0;
	int e = api_get_integer(root, "deadline_ms", &has, &ms, err);

	if (e < 0)
		return e;
	if (has && (ms < 1 || ms > API_DEADLINE_MAX_MS))
		return api_error_set(err, 400, "deadline_ms", "invalid_value",
				     "deadline_ms must be between 1 and %d",
				     API_DEADLINE_MAX_MS);
	r->deadline_ms = (unsigned)ms;
	return 0;
}

int speak_request_parse(struct speak_request *ret, const char *body, size_t n,
			struct api_error *err)
{
	static const char *const fields[] = {
		"text", "voice", "language", "rate", "pitch", "volume",
		"priority", "seed", "wait", "cancel_on_disconnect",
		"deadline_ms", "tag", "fallback", "interrupt",
		NULL,
	};
	struct speak_request q = {
		.rate = 1, .pitch = 1, .volume = 1, .priority = QUEUE_TEXT,
		.interrupt = true,
	};
	json_t *root;
	int r;

	r = api_object(&root, body, n, false, err);
	if (r < 0)
		return r;
	r = api_only_fields(root, fields, err);
	if (r == 0)
		r = api_get_text(root, "text", &q.text, err);
	if (r == 0)
		r = api_get_bool(root, "fallback", &q.fallback, err);
	if (r == 0)
		r = api_get_voice(root, q.fallback, &q.voice, &q.language, err);
	if (r == 0)
		r = api_get_number(root, "rate", CONF_RATE_MIN, CONF_RATE_MAX,
				   &q.rate, err);
	if (r == 0)
		r = api_get_number(root, "pitch", CONF_PITCH_MIN,
				   CONF_PITCH_MAX, &q.pitch, err);
	if (r == 0)
		r = api_get_number(root, "volume", 0, CONF_VOLUME_MAX,
				   &q.volume, err);
	if (r == 0)
		r = get_priority(root, &q, err);
	if (r == 0)
		r = get_deadline(root, &q, err);
	if (r == 0)
		r = api_get_string(root, "tag", API_NAME_MAX, &q.tag, err);
	if (r == 0)
		r = api_get_integer(root, "seed", &q.has_seed, &q.seed, err);
	if (r == 0)
		r = api_get_bool(root, "wait", &q.wait, err);
	if (r == 0)
		r = api_get_bool(root, "cancel_on_disconnect",
				 &q.cancel_on_disconnect, err);
	if (r == 0)
		r = api_get_bool(root, "interrupt", &q.interrupt, err);
	json_decref(root);
	if (r < 0) {
		speak_request_clear(&q);
		return r;
	}
	q.n_text = strlen(q.text);
	*ret = q;
	return 0;
}

json_t *speak_request_json(const struct speak_request *r)
{
	json_t *root = json_pack(
		"{s:s%, s:s*, s:s*, s:f, s:f, s:f, s:s, s:s*, s:b, s:b, s:b, s:b}",
		"text", r->text, r->n_text, "voice", r->voice, "language",
		r->language, "rate", r->rate, "pitch", r->pitch, "volume",
		r->volume, "priority", queue_priority_names[r->priority],
		"tag", r->tag, "wait", r->wait, "cancel_on_disconnect",
		r->cancel_on_disconnect, "fallback", r->fallback, "interrupt",
		r->interrupt);
	int failed = 0;

	if (root && r->deadline_ms)
		failed |= json_object_set_new(root, "deadline_ms",
					      json_integer(r->deadline_ms));
	if (root && r->has_seed)
		failed |= json_object_set_new(
			root, "seed", json_integer((json_int_t)r->seed));
	if (failed) {
		json_decref(root);
		return NULL;
	}
	return root;
}

void speak_request_clear(struct speak_request *r)
{
	if (!r)
		return;
	free(r->text);
	free(r->voice);
	free(r->language);
	free(r->user);
	free(r->tag);
	r->text = r->voice = r->language = r->user = r->tag = NULL;
}

int stop_request_parse(uint64_t *ret, const char *body, size_t n,
		       struct api_error *err)
{
	static const char *const fields[] = {"id", NULL};
	uint64_t id = 0;
	bool has = false;
	json_t *root;
	int r;

	r = api_object(&root, body, n, true, err);
	if (r < 0)
		return r;
	r = api_only_fields(root, fields, err);
	if (r == 0)
		r = api_get_integer(root, "id", &has, &id, err);
	json_decref(root);
	if (r == 0 && has && id == 0)
		r = api_error_set(err, 400, "id", "invalid_value",
				  "id must be positive");
	if (r < 0)
		return r;
	*ret = id;
	return 0;
}

int empty_request_parse(const char *body, size_t n, struct api_error *err)
{
	static const char *const fields[] = {NULL};
	json_t *root;
	int r;

	r = api_object(&root, body, n, true, err);
	if (r < 0)
		return r;
	r = api_only_fields(root, fields, err);
	json_decref(root);
	return r;
}
