/* SPDX-License-Identifier: MIT */
#include "presets.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copy.h"
#include "files/npz.h"
#include "paths.h"

#define MAX_PRESETS 4096

/* The first is what a preset of three files is recognised by. */
static const char *const triple[] = {
	"_semantic_prompt.npy", "_coarse_prompt.npy", "_fine_prompt.npy",
};

static bool ends_in(const char *path, const char *end)
{
	const size_t n = strlen(path), m = strlen(end);

	return n > m && !strcmp(path + n - m, end);
}

static bool is_file(const char *prefix, const char *end)
{
	struct stat st;
	bool is;
	char *path;

	if (asprintf(&path, "%s%s", prefix, end) < 0)
		return false;
	is = !stat(path, &st) && S_ISREG(st.st_mode);
	free(path);
	return is;
}

/* Adds the preset of which `path` without its last `cut` bytes is the stem;
 * keep: the whole path is the preset's. */
static int add(struct barkd_entries *list, const char *path, size_t cut,
	       bool keep)
{
	const size_t n = strlen(path) - cut;
	const char *base = strrchr(path, '/');
	struct barkd_entry *items;
	char *name, *file;

	base = base ? base + 1 : path;
	if (list->n >= MAX_PRESETS)
		return -E2BIG;
	items = realloc(list->items, (list->n + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	name = strndup(base, n - (size_t)(base - path));
	file = strndup(path, keep ? n + cut : n);
	if (!name || !file) {
		free(name);
		free(file);
		return -ENOMEM;
	}
	items[list->n++] = (struct barkd_entry){name, file};
	return 0;
}

/* How long the ending of a preset in one file is; 0: it is none. */
static size_t file_ending(const char *name)
{
	return ends_in(name, ".npz") || ends_in(name, ".pth") ? 4 :
	       ends_in(name, ".pt")			      ? 3 : 0;
}

static int by_name(const void *a, const void *b)
{
	const struct barkd_entry *x = a, *y = b;
	const int r = strcmp(x->name, y->name);

	return r ? r : strcmp(x->path, y->path);
}

/* A preset that lies there in two forms is one preset, the first by its path. */
static void sort(struct barkd_entries *list)
{
	size_t kept = 0;

	if (list->n < 2)
		return;
	qsort(list->items, list->n, sizeof(*list->items), by_name);
	for (size_t i = 1; i < list->n; i++) {
		if (strcmp(list->items[kept].name, list->items[i].name)) {
			list->items[++kept] = list->items[i];
			continue;
		}
		free(list->items[i].name);
		free(list->items[i].path);
	}
	list->n = kept + 1;
}

static int scan(struct barkd_entries *list, const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int r = 0;

	if (!d)
		return -errno;
	while (!r && (e = readdir(d))) {
		const size_t one = file_ending(e->d_name);
		char *file;

		/* A .pt is a model's, most likely. */
		if (e->d_name[0] == '.' || one == 3 ||
		    (!one && !ends_in(e->d_name, triple[0])))
			continue;
		if (asprintf(&file, "%s/%s", path, e->d_name) < 0) {
			r = -ENOMEM;
			break;
		}
		r = add(list, file, one ? one : strlen(triple[0]), one);
		free(file);
	}
	closedir(d);
	if (!r)
		sort(list);
	return r;
}

static int find_one(struct barkd_entries *list, const char *path)
{
	const size_t one = file_ending(path);

	if (one)
		return access(path, R_OK) < 0 ? -errno :
						add(list, path, one, true);
	for (size_t i = 0; i < 3; i++)
		if (ends_in(path, triple[i]))
			return access(path, R_OK) < 0 ? -errno :
			       add(list, path, strlen(triple[i]), false);
	return is_file(path, triple[0]) ? add(list, path, 0, false) : -ENOENT;
}

int presets_find(struct barkd_entries *ret, const char *path)
{
	struct barkd_entries list = {0};
	struct stat st;
	int r;

	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		r = scan(&list, path);
	else
		r = find_one(&list, path);
	if (!r && !list.n)
		r = -ENOENT;
	if (r) {
		barkd_entries_clear(&list);
		return r;
	}
	*ret = list;
	return 0;
}

static bool exists(const char *dir, const char *name)
{
	char *stem;
	bool is;

	if (asprintf(&stem, "%s/%s", dir, name) < 0)
		return false;
	is = is_file(stem, ".npz") || is_file(stem, triple[0]);
	free(stem);
	return is;
}

static int copy_as(const char *from, const char *from_end, const char *dir,
		   const char *name, const char *end)
{
	char *source, *file;
	int r = -ENOMEM;

	if (asprintf(&source, "%s%s", from, from_end) < 0)
		return r;
	if (asprintf(&file, "%s%s", name, end) >= 0) {
		r = copy_file(source, dir, file);
		free(file);
	}
	free(source);
	return r;
}

/* -ENOENT is no failure. */
static int unlink_as(const char *dir, const char *name, const char *end)
{
	char *path;
	int r;

	if (asprintf(&path, "%s/%s%s", dir, name, end) < 0)
		return -ENOMEM;
	r = unlink(path) < 0 && errno != ENOENT ? -errno : 0;
	free(path);
	return r;
}

/* As suno's files are; there at once. */
static int write_voice(const struct bark_model *m, const struct bark_voice *v,
		       const char *dir, const char *name)
{
	const struct bark_ints arrays[] = {
		{v->semantic, 1, {v->n_semantic, 0}},
		{v->coarse, 2, {m->config.coarse.n_codebooks, v->n_coarse}},
		{v->fine, 2, {m->config.fine.n_total, v->n_fine}},
	};
	char *hidden;
	int r = barkd_make_folders(dir);

	if (r)
		return r;
	if (asprintf(&hidden, "%s/.%s.%ld", dir, name, (long)getpid()) < 0)
		return -ENOMEM;
	r = bark_npz_write_voice(hidden, &arrays[0], &arrays[1], &arrays[2]);
	if (!r)
		r = copy_as(hidden, "", dir, name, ".npz");
	unlink(hidden);
	free(hidden);
	return r;
}

int presets_install(const struct bark_model *model,
		    const struct bark_voice *voice, const char *path,
		    const char *dir, const char *name)
{
	int r = 0;

	if (exists(dir, name))
		return -EEXIST;
	if (ends_in(path, ".npz"))
		return copy_as(path, "", dir, name, ".npz");
	if (file_ending(path))
		return write_voice(model, voice, dir, name);
	/* It is there once the first is there. */
	for (size_t i = 3; i-- > 0 && !r;) {
		r = unlink_as(dir, name, triple[i]);
		if (!r)
			r = copy_as(path, triple[i], dir, name, triple[i]);
	}
	return r;
}

int presets_remove(const char *dir, const char *name)
{
	int r;

	if (!exists(dir, name))
		return -ENOENT;
	r = unlink_as(dir, name, ".npz");
	for (size_t i = 0; i < 3 && !r; i++)
		r = unlink_as(dir, name, triple[i]);
	return r;
}
