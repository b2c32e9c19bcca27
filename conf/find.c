/* SPDX-License-Identifier: MIT */
#include "find.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "paths_private.h"

#define NAME_MAX_LEN 128
#define ENTRIES_MAX 4096
#define SEMANTIC_SUFFIX "_semantic_prompt.npy"

/* Files of which one makes a folder a model. */
static const char *const model_marks[] = {
	"config.json", "text_2.pt", "text.pt", "model.gguf",
};

/* A name is one to two parts ("en_speaker_6", "v2/en_speaker_6"), none of
 * which can lead out of the folder it is looked for in. */
static bool name_ok(const char *name)
{
	size_t n = strlen(name);
	const char *slash = strchr(name, '/');

	if (n == 0 || n > NAME_MAX_LEN || name[0] == '.' || name[0] == '/')
		return false;
	if (!slash)
		return true;
	return slash[1] && slash[1] != '.' && !strchr(slash + 1, '/');
}

static bool is_model(const char *dir)
{
	for (size_t i = 0; i < sizeof(model_marks) / sizeof(*model_marks);
	     i++) {
		char *path;
		bool found;

		if (barkd_join(&path, dir, model_marks[i]) < 0)
			return false;
		found = barkd_is_file(path);
		free(path);
		if (found)
			return true;
	}
	return false;
}

static int each_model_dir(int (*visit)(void *data, const char *dir), void *data)
{
	const char *source = getenv("BARKD_VOICES_DIR");
	int r;

	r = barkd_each_data_dir("models", visit, data);
	if (r == -ENOENT)
		r = visit(data, BARKD_VOICEDIR);
	if (r == -ENOENT)
		r = visit(data, source && *source ? source
						  : BARKD_SOURCE_VOICES);
	return r;
}

/* --- lists --- */

void barkd_entries_clear(struct barkd_entries *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->n; i++) {
		free(e->items[i].name);
		free(e->items[i].path);
	}
	free(e->items);
	e->items = NULL;
	e->n = 0;
}

/* Adds copies; the first of a name wins, as it does when looking one up. */
static int entries_add(struct barkd_entries *e, const char *name, size_t len,
		       const char *path)
{
	struct barkd_entry *items, *item;

	for (size_t i = 0; i < e->n; i++)
		if (strncmp(e->items[i].name, name, len) == 0 &&
		    e->items[i].name[len] == '\0')
			return 0;
	/* Leave out what is too much rather than fail for all. */
	if (e->n >= ENTRIES_MAX)
		return 0;
	items = realloc(e->items, (e->n + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	e->items = items;
	item = &items[e->n];
	item->name = strndup(name, len);
	item->path = strdup(path);
	if (!item->name || !item->path) {
		free(item->name);
		free(item->path);
		return -ENOMEM;
	}
	e->n++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct barkd_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void entries_sort(struct barkd_entries *e)
{
	if (e->n > 1)
		qsort(e->items, e->n, sizeof(*e->items), by_name);
}

static int list_models_in(void *data, const char *dir)
{
	struct barkd_entries *e = data;
	DIR *d = opendir(dir);
	struct dirent *de;
	int r = 0;

	if (!d)
		return -ENOENT;
	while (r == 0 && (de = readdir(d))) {
		char *path;

		if (!name_ok(de->d_name))
			continue;
		r = barkd_join(&path, dir, de->d_name);
		if (r < 0)
			break;
		if (is_model(path))
			r = entries_add(e, de->d_name, strlen(de->d_name),
					path);
		free(path);
	}
	closedir(d);
	return r < 0 ? r : -ENOENT;
}

int barkd_models_list(struct barkd_entries *ret)
{
	struct barkd_entries e = {0};
	int r = each_model_dir(list_models_in, &e);

	if (r != -ENOENT) {
		barkd_entries_clear(&e);
		return r;
	}
	entries_sort(&e);
	*ret = e;
	return 0;
}

struct voice_scan {
	struct barkd_entries *e;
	const char *suffix; /* ".npz", or SEMANTIC_SUFFIX */
	const char *prefix; /* put in front of the names, "" or "v2/" */
	bool cut;           /* the path ends before the suffix */
};

static int list_voices_in(void *data, const char *dir)
{
	struct voice_scan *s = data;
	DIR *d = opendir(dir);
	struct dirent *de;
	size_t n_suffix = strlen(s->suffix);
	int r = 0;

	if (!d)
		return -ENOENT;
	while (r == 0 && (de = readdir(d))) {
		size_t n = strlen(de->d_name);
		char *path, *name;

		if (!name_ok(de->d_name) || n <= n_suffix ||
		    strcmp(de->d_name + n - n_suffix, s->suffix) != 0)
			continue;
		r = barkd_join(&path, dir, de->d_name);
		if (r < 0)
			break;
		if (barkd_is_file(path)) {
			if (s->cut)
				path[strlen(path) - n_suffix] = '\0';
			if (asprintf(&name, "%s%.*s", s->prefix,
				     (int)(n - n_suffix), de->d_name) < 0) {
				r = -ENOMEM;
			} else {
				r = entries_add(s->e, name, strlen(name),
						path);
				free(name);
			}
		}
		free(path);
	}
	closedir(d);
	return r < 0 ? r : -ENOENT;
}

int barkd_voices_list(struct barkd_entries *ret, const char *model_dir)
{
	static const struct {
		const char *dir, *suffix, *prefix;
	} own[] = {
		{"voices", ".npz", ""},
		{"speaker_embeddings", SEMANTIC_SUFFIX, ""},
		{"speaker_embeddings/v2", SEMANTIC_SUFFIX, "v2/"},
	};
	struct barkd_entries e = {0};
	struct voice_scan scan = {&e, ".npz", "", false};
	struct voice_scan triples = {&e, SEMANTIC_SUFFIX, "", true};
	int r = barkd_each_data_dir("voices", list_voices_in, &scan);

	if (r == -ENOENT)
		r = barkd_each_data_dir("voices", list_voices_in, &triples);

	for (size_t i = 0;
	     model_dir && r == -ENOENT && i < sizeof(own) / sizeof(*own); i++) {
		char *dir;

		scan.suffix = own[i].suffix;
		scan.prefix = own[i].prefix;
		scan.cut = strcmp(own[i].suffix, SEMANTIC_SUFFIX) == 0;
		r = barkd_join(&dir, model_dir, own[i].dir);
		if (r == 0) {
			r = list_voices_in(&scan, dir);
			free(dir);
		}
	}
	if (r != -ENOENT) {
		barkd_entries_clear(&e);
		return r;
	}
	entries_sort(&e);
	*ret = e;
	return 0;
}

/* --- one of them --- */

static int take_entry(char **ret, const struct barkd_entries *e,
		      const char *name)
{
	for (size_t i = 0; i < e->n; i++) {
		char *path;

		if (strcmp(e->items[i].name, name) != 0)
			continue;
		path = strdup(e->items[i].path);
		if (!path)
			return -ENOMEM;
		*ret = path;
		return 0;
	}
	return -ENOENT;
}

/* The path of a folder; "." and ".." are resolved, as they are no names. */
static int take_folder(char **ret, const char *path)
{
	size_t n;
	const char *name = barkd_model_name(path, &n);
	const bool dots = (n == 1 && name[0] == '.') ||
			  (n == 2 && name[0] == '.' && name[1] == '.');
	char *copy = dots ? realpath(path, NULL) : strdup(path);

	if (!copy)
		return dots ? -errno : -ENOMEM;
	*ret = copy;
	return 0;
}

static int find_installed(char **ret, const char *name)
{
	struct barkd_entries e;
	int r;

	if (!name_ok(name))
		return -EINVAL;
	r = barkd_models_list(&e);
	if (r < 0)
		return r;
	r = take_entry(ret, &e, name);
	barkd_entries_clear(&e);
	return r;
}

int barkd_model_find(char **ret, const char *name)
{
	const char *slash;

	if (!name || !*name)
		name = BARKD_DEFAULT_MODEL;
	slash = strchr(name, '/');
	if (!slash)
		return find_installed(ret, name);
	if (barkd_is_dir(name))
		return take_folder(ret, name);
	/* "suno/bark-small", as a hub has it. */
	return name_ok(name) && find_installed(ret, slash + 1) == 0 ? 0
								   : -ENOENT;
}

int barkd_model_find_here(char **ret, const char *name)
{
	int r = barkd_model_find(ret, name);

	if ((r != -ENOENT && r != -EINVAL) || !name || !barkd_is_dir(name))
		return r;
	return take_folder(ret, name);
}

const char *barkd_model_name(const char *model_dir, size_t *ret_len)
{
	size_t end = strlen(model_dir), start;

	while (end > 0 && model_dir[end - 1] == '/')
		end--;
	for (start = end; start > 0 && model_dir[start - 1] != '/';)
		start--;
	*ret_len = end - start;
	return model_dir + start;
}

int barkd_model_label(char **ret, const char *name)
{
	const char *own;
	char *path, *label;
	size_t n;
	int r;

	if (!name || !*name)
		name = BARKD_DEFAULT_MODEL;
	if (!strchr(name, '/')) {
		label = strdup(name);
	} else {
		r = take_folder(&path, name);
		if (r < 0)
			return r;
		own = barkd_model_name(path, &n);
		label = n ? strndup(own, n) : strdup(name);
		free(path);
	}
	if (!label)
		return -ENOMEM;
	*ret = label;
	return 0;
}

/* A voice by path: a file, or the prefix of transformers' three. */
static int voice_by_path(char **ret, const char *path)
{
	char *copy;

	if (!barkd_is_file(path)) {
		char *first;
		bool found;

		if (asprintf(&first, "%s" SEMANTIC_SUFFIX, path) < 0)
			return -ENOMEM;
		found = barkd_is_file(first);
		free(first);
		if (!found)
			return -ENOENT;
	}
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

/* Whether a name is the model's own: then no preset is asked for. */
static bool is_own_name(const char *model_dir, const char *name)
{
	const char *own;
	size_t n;

	if (!model_dir)
		return false;
	own = barkd_model_name(model_dir, &n);
	return n > 0 && strlen(name) == n && memcmp(own, name, n) == 0;
}

const char *barkd_voice_alias(const char *name)
{
	return strncmp(name, "v2/", 3) ? NULL : name + 3;
}

static int take_voice(char **ret, const struct barkd_entries *e,
		      const char *name)
{
	const char *alias = barkd_voice_alias(name);
	int r = take_entry(ret, e, name);

	return r == -ENOENT && alias ? take_entry(ret, e, alias) : r;
}

int barkd_voice_find(char **ret, const char *model_dir, const char *name)
{
	struct barkd_entries e;
	int r;

	if (!name || strcmp(name, "none") == 0 ||
	    is_own_name(model_dir, name)) {
		*ret = NULL;
		return 0;
	}
	if (name_ok(name)) {
		r = barkd_voices_list(&e, model_dir);
		if (r < 0)
			return r;
		r = take_voice(ret, &e, name);
		barkd_entries_clear(&e);
		if (r != -ENOENT)
			return r;
	}
	if (strchr(name, '/'))
		return voice_by_path(ret, name);
	return name_ok(name) ? -ENOENT : -EINVAL;
}

int barkd_voice_find_here(char **ret, const char *model_dir, const char *name)
{
	int r = barkd_voice_find(ret, model_dir, name);

	if ((r != -ENOENT && r != -EINVAL) || !*name)
		return r;
	return voice_by_path(ret, name) < 0 ? r : 0;
}
