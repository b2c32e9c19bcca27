/* SPDX-License-Identifier: MIT */
#include "fetch_lists.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copy.h"
#include "fetch.h"
#include "files/json.h"
#include "files/npz.h"

static int read_json(json_t **ret, const char *dir, const char *file,
		     char *why, size_t n_why)
{
	struct bark_error err;
	char *path;
	int r;

	if (asprintf(&path, "%s/%s", dir, file) < 0) {
		snprintf(why, n_why, "out of memory");
		return -ENOMEM;
	}
	r = bark_json_read(ret, path, &err);
	if (r < 0)
		snprintf(why, n_why, "%s", err.message);
	free(path);
	return r;
}

/* --- shards --- */

/* With -, the weight map has one entry a tensor, thousands, and few files. */
static int add_shard(json_t *names, const char *name)
{
	size_t i;
	json_t *have;

	json_array_foreach(names, i, have)
		if (!strcmp(json_string_value(have), name))
			return 0;
	if (json_array_size(names) >= FETCH_MAX_SHARDS)
		return -E2BIG;
	return json_array_append_new(names, json_string(name)) ? -ENOMEM : 0;
}

int fetch_shards(json_t **ret, const char *dir, const char *index, char *why,
		 size_t n_why)
{
	json_t *root, *names, *value;
	const char *key;
	int r;

	r = read_json(&root, dir, index, why, n_why);
	if (r)
		return r;
	names = json_array();
	if (!names)
		r = -ENOMEM;
	json_object_foreach(json_object_get(root, "weight_map"), key, value) {
		const char *name = json_string_value(value);

		if (!r && (!name || !copy_name_ok(name)))
			r = -EINVAL;
		if (!r)
			r = add_shard(names, name);
	}
	if (!r && !json_array_size(names))
		r = -EINVAL;
	json_decref(root);
	if (r) {
		snprintf(why, n_why, "%s: %s", index,
			 r == -EINVAL ? "names what cannot be a file of weights" :
			 r == -E2BIG ? "too many files" : "out of memory");
		json_decref(names);
		return r;
	}
	*ret = names;
	return 0;
}

/* --- presets --- */

/* A preset's name, or its file's: names that barkd can find again. */
static bool path_ok(const char *path)
{
	return fetch_rev_ok(path) && !strstr(path, "/.") && strlen(path) <= 100;
}

static bool preset_name_ok(const char *name)
{
	const char *slash = strchr(name, '/');

	return path_ok(name) && (!slash || (slash[1] && !strchr(slash + 1, '/')));
}

static bool read_preset(struct fetch_preset *ret, const char *name,
			const json_t *files)
{
	ret->name = name;
	for (size_t i = 0; i < 3; i++) {
		ret->files[i] = json_string_value(
			json_object_get(files, bark_voice_arrays[i]));
		if (!ret->files[i] || !path_ok(ret->files[i]))
			return false;
	}
	return preset_name_ok(name);
}

int fetch_presets_read(struct fetch_presets *ret, const char *dir,
		       const char *file, char *why, size_t n_why)
{
	struct fetch_presets list = {0};
	const char *name, *repo;
	json_t *value;
	int r;

	r = read_json(&list.root, dir, file, why, n_why);
	if (r)
		return r;
	if (json_object_size(list.root) > FETCH_MAX_PRESETS) {
		snprintf(why, n_why, "%s: too many voices", file);
		fetch_presets_clear(&list);
		return -E2BIG;
	}
	list.items = calloc(json_object_size(list.root) + 1,
			    sizeof(*list.items));
	if (!list.items) {
		snprintf(why, n_why, "out of memory");
		fetch_presets_clear(&list);
		return -ENOMEM;
	}
	json_object_foreach(list.root, name, value) {
		if (json_is_string(value))
			continue;
		if (!read_preset(&list.items[list.n++], name, value)) {
			snprintf(why, n_why, "%s: a voice whose name or files cannot be what they are: %.64s",
				 file, name);
			fetch_presets_clear(&list);
			return -EINVAL;
		}
	}
	repo = json_string_value(json_object_get(list.root, "repo_or_path"));
	if (repo && fetch_repo_ok(repo))
		list.elsewhere = repo;
	*ret = list;
	return 0;
}

void fetch_presets_clear(struct fetch_presets *list)
{
	json_decref(list->root);
	free(list->items);
	*list = (struct fetch_presets){0};
}
