/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <errno.h>
#include <math.h>

#include "error.h"
#include "map.h"

#define MAX_FILE ((size_t)8 << 20)
#define MAX_WHOLE 9007199254740992.0 /* 2^53: doubles below it are exact */

/* The integer that a real number is; NULL: it is none. */
static json_t *as_integer(const json_t *v)
{
	const double n = json_real_value(v);

	return json_is_real(v) && n == rint(n) && fabs(n) <= MAX_WHOLE ?
		       json_integer((json_int_t)n) : NULL;
}

/* Undoes JSON_DECODE_INT_AS_REAL for the numbers that fit. The parser limits
 * the depth. */
static void restore_integers(json_t *v)
{
	json_t *item, *whole;
	const char *key;
	void *next;
	size_t i;

	json_object_foreach_safe(v, next, key, item) {
		restore_integers(item);
		whole = as_integer(item);
		if (whole)
			json_object_set_new(v, key, whole);
	}
	json_array_foreach(v, i, item) {
		restore_integers(item);
		whole = as_integer(item);
		if (whole)
			json_array_set_new(v, i, whole);
	}
}

/* An integer that fits no machine's ("no limit" is 1e30, written out) makes
 * that value a real number; the file is good. */
static json_t *load(const void *data, size_t size, json_error_t *why)
{
	json_t *root = json_loadb(data, size, JSON_REJECT_DUPLICATES, why);

	if (root || json_error_code(why) != json_error_numeric_overflow)
		return root;
	root = json_loadb(data, size,
			  JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL,
			  why);
	if (root)
		restore_integers(root);
	return root;
}

int bark_json_parse(json_t **ret, const void *data, size_t size,
		    const char *name, struct bark_error *err)
{
	json_error_t why;
	json_t *root;

	errno = 0;
	root = load(data, size, &why);
	/* jansson takes failed allocations for mistakes in the text; malloc()
	 * has told which they are. */
	if (errno == ENOMEM || (!root && !why.text[0])) {
		json_decref(root);
		return bark_fail(err, -ENOMEM, "%s: out of memory", name);
	}
	if (!root)
		return bark_fail(err, -EINVAL, "%s: line %d: %s", name,
				 why.line, why.text);
	if (!json_is_object(root)) {
		json_decref(root);
		return bark_fail(err, -EINVAL, "%s: not a JSON object", name);
	}
	*ret = root;
	return 0;
}

int bark_json_read_large(json_t **ret, const char *path, size_t most,
			 struct bark_error *err)
{
	const char *name = bark_base_name(path);
	struct bark_map map = {0};
	int r;

	r = bark_map_open(&map, path, err);
	if (r < 0)
		return r;
	if (map.size > most)
		r = bark_fail(err, -E2BIG, "%s: over %zu MiB", name,
			      most >> 20);
	else
		r = bark_json_parse(ret, map.data, map.size, name, err);
	bark_map_close(&map);
	return r;
}

int bark_json_read(json_t **ret, const char *path, struct bark_error *err)
{
	return bark_json_read_large(ret, path, MAX_FILE, err);
}
