/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <errno.h>

#include "error.h"
#include "map.h"

#define MAX_FILE ((size_t)8 << 20)

int bark_json_parse(json_t **ret, const void *data, size_t size,
		    const char *name, struct bark_error *err)
{
	json_error_t why;
	json_t *root;

	root = json_loadb(data, size, JSON_REJECT_DUPLICATES, &why);
	if (!root) {
		/* jansson says nothing where an allocation failed. */
		if (!why.text[0] ||
		    json_error_code(&why) == json_error_out_of_memory)
			return bark_fail(err, -ENOMEM, "%s: out of memory",
					 name);
		return bark_fail(err, -EINVAL, "%s: line %d: %s", name,
				 why.line, why.text);
	}
	if (!json_is_object(root)) {
		json_decref(root);
		return bark_fail(err, -EINVAL, "%s: not a JSON object", name);
	}
	*ret = root;
	return 0;
}

int bark_json_read(json_t **ret, const char *path, struct bark_error *err)
{
	const char *name = bark_base_name(path);
	struct bark_map map = {0};
	int r;

	r = bark_map_open(&map, path, err);
	if (r < 0)
		return r;
	if (map.size > MAX_FILE)
		r = bark_fail(err, -E2BIG, "%s: over 8 MiB", name);
	else
		r = bark_json_parse(ret, map.data, map.size, name, err);
	bark_map_close(&map);
	return r;
}
