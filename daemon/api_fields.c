/* SPDX-License-Identifier: MIT */
#include "api_fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int api_no_memory(struct api_error *err)
{
	api_error_set(err, 500, NULL, "out_of_memory", "out of memory");
	return -ENOMEM;
}

/* Whether the text has at most API_VALUES_MAX values, roughly: jansson takes
 * 0.3 s for a megabyte of small ones, and this takes a millisecond. */
static bool is_small(const char *body, size_t n)
{
	bool quoted = false;
	size_t values = 0;

	for (size_t i = 0; i < n; i++) {
		if (quoted && body[i] == '\\')
			i++;
		else if (body[i] == '"')
			quoted = !quoted;
		else if (!quoted && (body[i] == ',' || body[i] == '[' ||
				     body[i] == '{'))
			values++;
	}
	return values <= API_VALUES_MAX;
}

int api_object(json_t **ret, const char *body, size_t n,
	       bool may_be_empty, struct api_error *err)
{
	json_error_t e;
	json_t *root;

	if (n == 0 && may_be_empty) {
		root = json_object();
		if (!root)
			return api_no_memory(err);
		*ret = root;
		return 0;
	}
	if (!is_small(body, n))
		return api_error_set(err, 400, NULL, "invalid_json",
				     "the body has more than %d values",
				     API_VALUES_MAX);
	errno = 0;
	root = json_loadb(body, n, JSON_REJECT_DUPLICATES, &e);
	/* jansson takes failed allocations for mistakes in the text; malloc()
	 * has told which they are. */
	if (errno == ENOMEM) {
		json_decref(root);
		return api_no_memory(err);
	}
	if (!root) {
		/* Its words may quote the body: the place must do. */
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

int api_wrong_type(struct api_error *err, const char *name, const char *what)
{
	return api_error_set(err, 400, name, "invalid_type", "%s must be %s",
			     name, what);
}

json_t *api_get(json_t *root, const char *name)
{
	json_t *v = json_object_get(root, name);

	return json_is_null(v) ? NULL : v;
}

int api_get_string(json_t *root, const char *name, size_t max, char **ret,
		   struct api_error *err)
{
	json_t *v = api_get(root, name);
	char *copy;

	if (!v)
		return 0;
	if (!json_is_string(v))
		return api_wrong_type(err, name, "a string");
	if (json_string_length(v) == 0 || json_string_length(v) > max)
		return api_error_set(err, 400, name, "invalid_value",
				     "%s must have 1 to %zu bytes", name, max);
	copy = strdup(json_string_value(v));
	if (!copy)
		return api_no_memory(err);
	*ret = copy;
	return 0;
}

static int get_name(json_t *root, const char *name, bool fallback, char **ret,
		    struct api_error *err)
{
	json_t *v = api_get(root, name);
	size_t n = json_string_length(v);

	if (fallback && (!json_is_string(v) || n == 0 || n > API_NAME_MAX))
		return 0;
	return api_get_string(root, name, API_NAME_MAX, ret, err);
}

int api_get_voice(json_t *root, bool fallback, char **voice, char **language,
		  struct api_error *err)
{
	int r = get_name(root, "voice", fallback, voice, err);

	return r < 0 ? r : get_name(root, "language", fallback, language, err);
}

int api_get_number(json_t *root, const char *name, double min, double max,
		   double *ret, struct api_error *err)
{
	json_t *v = api_get(root, name);
	double d;

	if (!v)
		return 0;
	if (!json_is_number(v))
		return api_wrong_type(err, name, "a number");
	d = json_number_value(v);
	if (!(d >= min && d <= max))
		return api_error_set(err, 400, name, "invalid_value",
				     "%s must be between %g and %g", name, min,
				     max);
	*ret = d;
	return 0;
}

int api_get_bool(json_t *root, const char *name, bool *ret,
		 struct api_error *err)
{
	json_t *v = api_get(root, name);

	if (!v)
		return 0;
	if (!json_is_boolean(v))
		return api_wrong_type(err, name, "true or false");
	*ret = json_is_true(v);
	return 0;
}

int api_get_integer(json_t *root, const char *name, bool *ret_has,
		    uint64_t *ret, struct api_error *err)
{
	json_t *v = api_get(root, name);

	if (!v)
		return 0;
	if (!json_is_integer(v))
		return api_wrong_type(err, name, "an integer");
	if (json_integer_value(v) < 0)
		return api_error_set(err, 400, name, "invalid_value",
				     "%s must not be negative", name);
	*ret_has = true;
	*ret = (uint64_t)json_integer_value(v);
	return 0;
}

int api_only_fields(json_t *root, const char *const *fields,
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

int api_get_text(json_t *root, const char *name, char **ret,
		 struct api_error *err)
{
	json_t *v = api_get(root, name);

	if (!v)
		return api_error_set(err, 400, name, "missing_field",
				     "%s is required", name);
	if (!json_is_string(v))
		return api_wrong_type(err, name, "a string");
	if (json_string_length(v) > API_TEXT_MAX)
		return api_error_set(err, 413, name, "too_large",
				     "%s is longer than %d bytes", name,
				     API_TEXT_MAX);
	return api_get_string(root, name, API_TEXT_MAX, ret, err);
}
