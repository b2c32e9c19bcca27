/* SPDX-License-Identifier: MIT */
#include "api_speak.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"

static int no_memory(struct api_error *err)
{
	api_error_set(err, 500, NULL, "out_of_memory", "out of memory");
	return -ENOMEM;
}

/* The body's object; an empty body counts as {} where that is allowed. */
static int parse_object(json_t **ret, const char *body, size_t n,
			bool may_be_empty, struct api_error *err)
{
	json_error_t e;
	json_t *root;

	if (n == 0 && may_be_empty) {
		root = json_object();
		if (!root)
			return no_memory(err);
		*ret = root;
		return 0;
	}
	root = json_loadb(body, n, JSON_REJECT_DUPLICATES, &e);
	if (!root) {
		/* jansson's words may quote the body: its place must do. */
		if (json_error_code(&e) == json_error_out_of_memory)
			return no_memory(err);
		return api_error_set(err, 400, NULL, "invalid_json",
				     "the body is not JSON in UTF-8 (line %d, column %d)",
				     e.line, e.column);
	}
	if (!json_is_object(root)) {
		json_decref(root);
		return api_error_set(err, 400, NULL, "invalid_json",
				     "the body must be a JSON object");
	}
	*ret = root;
	return 0;
}

static int wrong_type(struct api_error *err, const char *name,
		      const char *what)
{
	return api_error_set(err, 400, name, "invalid_type", "%s must be %s",
			     name, what);
}

/* null counts as left out. */
static json_t *get(json_t *root, const char *name)
{
	json_t *v = json_object_get(root, name);

	return json_is_null(v) ? NULL : v;
}

static int get_string(json_t *root, const char *name, size_t max, char **ret,
		      struct api_error *err)
{
	json_t *v = get(root, name);
	char *copy;

	if (!v)
		return 0;
	if (!json_is_string(v))
		return wrong_type(err, name, "a string");
	if (json_string_length(v) == 0 || json_string_length(v) > max)
		return api_error_set(err, 400, name, "invalid_value",
				     "%s must have 1 to %zu bytes", name, max);
	copy = strdup(json_string_value(v));
	if (!copy)
		return no_memory(err);
	*ret = copy;
	return 0;
}

static int get_number(json_t *root, const char *name, double min, double max,
		      double *ret, struct api_error *err)
{
	json_t *v = get(root, name);
	double d;

	if (!v)
		return 0;
	if (!json_is_number(v))
		return wrong_type(err, name, "a number");
	d = json_number_value(v);
	if (!(d >= min && d <= max))
		return api_error_set(err, 400, name, "invalid_value",
				     "%s must be between %g and %g", name, min,
				     max);
	*ret = d;
	return 0;
}

static int get_bool(json_t *root, const char *name, bool *ret,
		    struct api_error *err)
{
	json_t *v = get(root, name);

	if (!v)
		return 0;
	if (!json_is_boolean(v))
		return wrong_type(err, name, "true or false");
	*ret = json_is_true(v);
	return 0;
}

static int get_integer(json_t *root, const char *name, bool *ret_has,
		       uint64_t *ret, struct api_error *err)
{
	json_t *v = get(root, name);

	if (!v)
		return 0;
	if (!json_is_integer(v))
		return wrong_type(err, name, "an integer");
	if (json_integer_value(v) < 0)
		return api_error_set(err, 400, name, "invalid_value",
				     "%s must not be negative", name);
	*ret_has = true;
	*ret = (uint64_t)json_integer_value(v);
	return 0;
}

static int only_fields(json_t *root, const char *const *fields,
		       struct api_error *err)
{
	const char *key;
	json_t *v;

	json_object_foreach(root, key, v) {
		const char *const *f = fields;

		while (*f && strcmp(*f, key) != 0)
			f++;
		if (!*f)
			return api_error_set(err, 400, key, "unknown_field",
					     "there is no such field");
	}
	return 0;
}

static int get_text(json_t *root, struct speak_request *r,
		    struct api_error *err)
{
	json_t *v = get(root, "text");

	if (!v)
		return api_error_set(err, 400, "text", "missing_field",
				     "text is required");
	if (!json_is_string(v))
		return wrong_type(err, "text", "a string");
	if (json_string_length(v) > API_TEXT_MAX)
		return api_error_set(err, 413, "text", "too_large",
				     "text is longer than %d bytes",
				     API_TEXT_MAX);
	return get_string(root, "text", API_TEXT_MAX, &r->text, err);
}

static int get_priority(json_t *root, struct speak_request *r,
			struct api_error *err)
{
	json_t *v = get(root, "priority");
	int p;

	if (!v)
		return 0;
	if (!json_is_string(v))
		return wrong_type(err, "priority", "a string");
	p = queue_priority_parse(json_string_value(v));
	if (p < 0)
		return api_error_set(err, 400, "priority", "invalid_value",
				     "priority must be one of important, message, text, notification, progress");
	r->priority = (enum queue_priority)p;
	return 0;
}

int speak_request_parse(struct speak_request *ret, const char *body, size_t n,
			struct api_error *err)
{
	static const char *const fields[] = {
		"text", "voice", "language", "rate", "pitch", "volume",
		"priority", "seed", "wait", "cancel_on_disconnect", NULL,
	};
	struct speak_request q = {
		.rate = 1, .pitch = 1, .volume = 1, .priority = QUEUE_TEXT,
	};
	json_t *root;
	int r;

	r = parse_object(&root, body, n, false, err);
	if (r < 0)
		return r;
	r = only_fields(root, fields, err);
	if (r == 0)
		r = get_text(root, &q, err);
	if (r == 0)
		r = get_string(root, "voice", API_NAME_MAX, &q.voice, err);
	if (r == 0)
		r = get_string(root, "language", API_NAME_MAX, &q.language,
			       err);
	if (r == 0)
		r = get_number(root, "rate", CONF_RATE_MIN, CONF_RATE_MAX,
			       &q.rate, err);
	if (r == 0)
		r = get_number(root, "pitch", CONF_PITCH_MIN, CONF_PITCH_MAX,
			       &q.pitch, err);
	if (r == 0)
		r = get_number(root, "volume", 0, CONF_VOLUME_MAX, &q.volume,
			       err);
	if (r == 0)
		r = get_priority(root, &q, err);
	if (r == 0)
		r = get_integer(root, "seed", &q.has_seed, &q.seed, err);
	if (r == 0)
		r = get_bool(root, "wait", &q.wait, err);
	if (r == 0)
		r = get_bool(root, "cancel_on_disconnect",
			     &q.cancel_on_disconnect, err);
	json_decref(root);
	if (r < 0) {
		speak_request_clear(&q);
		return r;
	}
	q.n_text = strlen(q.text);
	*ret = q;
	return 0;
}

void speak_request_clear(struct speak_request *r)
{
	if (!r)
		return;
	free(r->text);
	free(r->voice);
	free(r->language);
	r->text = r->voice = r->language = NULL;
}

int stop_request_parse(uint64_t *ret, const char *body, size_t n,
		       struct api_error *err)
{
	static const char *const fields[] = {"id", NULL};
	uint64_t id = 0;
	bool has = false;
	json_t *root;
	int r;

	r = parse_object(&root, body, n, true, err);
	if (r < 0)
		return r;
	r = only_fields(root, fields, err);
	if (r == 0)
		r = get_integer(root, "id", &has, &id, err);
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

	r = parse_object(&root, body, n, true, err);
	if (r < 0)
		return r;
	r = only_fields(root, fields, err);
	json_decref(root);
	return r;
}
