/* SPDX-License-Identifier: MIT */
/* A directory's weights: which file, or which index and its shards. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "json.h"
#include "tensors_build.h"

#define MAX_SHARDS 512

/* A shard is a plain file name: nothing outside the directory is opened. */
static bool is_plain_name(const char *name)
{
	return name && *name && *name != '.' && !strchr(name, '/');
}

static int read_shards(struct bark_tensors *set, const char *dir,
		       const char *index, const json_t *weight_map,
		       struct bark_error *err)
{
	const char *seen[MAX_SHARDS];
	char path[BARK_PATH_MAX];
	const char *name;
	json_t *value;
	size_t n = 0;

	json_object_foreach((json_t *)weight_map, name, value) {
		const char *shard = json_string_value(value);
		size_t i = 0;
		int r;

		if (!is_plain_name(shard))
			return bark_fail(err, -EINVAL, "%s: %s: not the name "
					 "of a file beside it", index, name);
		while (i < n && strcmp(seen[i], shard))
			i++;
		if (i < n)
			continue;
		if (n == MAX_SHARDS)
			return bark_fail(err, -E2BIG, "%s: too many files",
					 index);
		seen[n++] = shard;
		r = bark_path_join(path, dir, shard, err);
		if (r == 0)
			r = bark_tensors_read_file(set, path, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool has_wrapped(const struct bark_tensors *set, const char *name)
{
	const size_t len = strlen(name);
	char plain[BARK_MAX_TENSOR_NAME + 1];

	if (len > BARK_MAX_TENSOR_NAME)
		return false;
	plain[bark_tensors_unwrap(plain, name, len)] = '\0';
	return bark_tensors_find(set, plain) != NULL;
}

static int read_index(struct bark_tensors *set, const char *dir,
		      const char *path, struct bark_error *err)
{
	const char *index = bark_base_name(path), *name;
	json_t *root = NULL, *weight_map, *value;
	int r;

	r = bark_json_read(&root, path, err);
	if (r < 0)
		return r;
	weight_map = json_object_get(root, "weight_map");
	if (json_is_object(weight_map))
		r = read_shards(set, dir, index, weight_map, err);
	else
		r = bark_fail(err, -EINVAL, "%s: no weight_map", index);
	if (r == 0)
		r = bark_tensors_sort(set, err);
	if (r == 0) {
		json_object_foreach(weight_map, name, value) {
			if (has_wrapped(set, name))
				continue;
			r = bark_fail(err, -EINVAL, "%s: %s is not in %s",
				      index, name, json_string_value(value));
			break;
		}
	}
	json_decref(root);
	return r;
}

/* Where weights may be, the first first. VARIANT is as in save_pretrained(). */
static const struct container {
	const char *head, *tail; /* of "HEAD.TAIL", or "HEAD.VARIANT.TAIL" */
	bool index;
} containers[] = {
	{"model", "safetensors", false},
	{"model.safetensors.index", "json", true},
	{"pytorch_model", "bin", false},
	{"pytorch_model.bin.index", "json", true},
};
#define N_CONTAINERS (sizeof(containers) / sizeof(containers[0]))

static bool is_variant(const char *name, const struct container *c)
{
	const size_t head = strlen(c->head), tail = strlen(c->tail);
	const size_t n = strlen(name);
	const char *variant = name + head + 1;
	size_t len;

	if (n <= head + tail + 2 || strncmp(name, c->head, head) ||
	    name[head] != '.' || name[n - tail - 1] != '.' ||
	    strcmp(name + n - tail, c->tail))
		return false;
	len = n - head - tail - 2;
	/* A shard's number has dashes, an index dots. */
	return !memchr(variant, '.', len) && !memmem(variant, len, "-of-", 4);
}

/* The first by name, "" if there is none. */
static int find_variant(char ret[BARK_MAX_TENSOR_NAME], const char *dir,
			const struct container *c)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	ret[0] = '\0';
	if (!d)
		return -errno;
	while ((e = readdir(d)))
		if (strlen(e->d_name) < BARK_MAX_TENSOR_NAME && is_variant(e->d_name, c) &&
		    (!ret[0] || strcmp(e->d_name, ret) < 0))
			strcpy(ret, e->d_name);
	closedir(d);
	return 0;
}

/* A whole name goes before all variants. NULL: no weights. */
static const struct container *find_weights(char path[BARK_PATH_MAX],
					    const char *dir)
{
	char name[BARK_MAX_TENSOR_NAME];

	for (size_t i = 0; i < N_CONTAINERS; i++) {
		snprintf(name, sizeof(name), "%s.%s", containers[i].head,
			 containers[i].tail);
		if (bark_path_find(path, dir, name))
			return &containers[i];
	}
	for (size_t i = 0; i < N_CONTAINERS; i++)
		if (find_variant(name, dir, &containers[i]) == 0 && name[0] &&
		    bark_path_find(path, dir, name))
			return &containers[i];
	return NULL;
}

bool bark_tensors_in(const char *dir)
{
	char path[BARK_PATH_MAX];

	return find_weights(path, dir) != NULL;
}

int bark_tensors_read_dir(struct bark_tensors *set, const char *dir,
			  struct bark_error *err)
{
	const struct container *c;
	char path[BARK_PATH_MAX];
	int r;

	c = find_weights(path, dir);
	if (!c)
		return bark_fail(err, -ENOENT, "%s: neither model.safetensors "
				 "nor pytorch_model.bin is there",
				 bark_base_name(dir));
	if (c->index)
		return read_index(set, dir, path, err);
	r = bark_tensors_read_file(set, path, err);
	return r < 0 ? r : bark_tensors_sort(set, err);
}
