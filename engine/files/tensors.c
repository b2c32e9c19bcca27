/* SPDX-License-Identifier: MIT */
/* Sets of tensors: a file, or a directory's files, of any container. */
#include "tensors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "error.h"
#include "tensors_build.h"

struct arg {
	char *key, *text; /* text NULL: a number */
	bool whole;       /* value is it; else number alone */
	int64_t value;
	double number;
};

struct bark_tensors {
	struct bark_tensor *items; /* by name once open */
	size_t n, cap;
	struct bark_map *maps;
	size_t n_maps;
	struct arg *args;
	size_t n_args;
	char *label;
};

size_t bark_tensor_type_size(enum bark_tensor_type type)
{
	switch (type) {
	case BARK_TENSOR_F64:
	case BARK_TENSOR_I64:
		return 8;
	case BARK_TENSOR_F32:
	case BARK_TENSOR_I32:
		return 4;
	case BARK_TENSOR_F16:
	case BARK_TENSOR_BF16:
	case BARK_TENSOR_I16:
	case BARK_TENSOR_U16:
		return 2;
	case BARK_TENSOR_U8:
	case BARK_TENSOR_I8:
	case BARK_TENSOR_BOOL:
		return 1;
	}
	return 0;
}

const char *bark_tensor_type_name(enum bark_tensor_type type)
{
	static const char *const names[] = {
		[BARK_TENSOR_F32] = "f32", [BARK_TENSOR_F16] = "f16",
		[BARK_TENSOR_BF16] = "bf16", [BARK_TENSOR_F64] = "f64",
		[BARK_TENSOR_I64] = "i64", [BARK_TENSOR_I32] = "i32",
		[BARK_TENSOR_I16] = "i16", [BARK_TENSOR_U16] = "u16",
		[BARK_TENSOR_U8] = "u8", [BARK_TENSOR_I8] = "i8",
		[BARK_TENSOR_BOOL] = "bool",
	};

	return names[type];
}

bool bark_tensor_bytes(const struct bark_tensor *t, size_t *ret)
{
	size_t n = bark_tensor_type_size(t->type);

	/* A zero among huge sizes must not hide that the others overflow. */
	for (unsigned i = 0; i < t->n_dims; i++) {
		size_t dim = t->dims[i] ? t->dims[i] : 1;

		if (__builtin_mul_overflow(n, dim, &n) || n > SIZE_MAX / 2)
			return false;
	}
	for (unsigned i = 0; i < t->n_dims; i++)
		if (t->dims[i] == 0)
			n = 0;
	*ret = n;
	return true;
}

size_t bark_tensor_elements(const struct bark_tensor *t)
{
	size_t n = 1;

	for (unsigned i = 0; i < t->n_dims; i++)
		n *= t->dims[i];
	return n;
}

static int copy_name(const struct bark_tensors *set, char **ret,
		     const char *name, size_t len, struct bark_error *err)
{
	if (len == 0 || len > BARK_MAX_TENSOR_NAME || memchr(name, 0, len))
		return bark_fail(err, -EINVAL, "%s: a name that is not of 1 to "
				 "%d characters", set->label, BARK_MAX_TENSOR_NAME);
	*ret = strndup(name, len);
	return *ret ? 0 : bark_fail(err, -ENOMEM, "%s: out of memory",
				    set->label);
}

/* A part of a name that torch.compile or a wrapper for several devices put
 * there. */
static bool is_wrapper(const char *part, size_t n)
{
	return (n == 6 && !memcmp(part, "module", n)) ||
	       (n == 9 && !memcmp(part, "_orig_mod", n));
}

size_t bark_tensors_unwrap(char *buf, const char *name, size_t len)
{
	const char *end = name + len, *dot;
	size_t n = 0;

	while ((dot = memchr(name, '.', (size_t)(end - name)))) {
		const size_t part = (size_t)(dot - name);

		if (!is_wrapper(name, part)) {
			memcpy(buf + n, name, part + 1);
			n += part + 1;
		}
		name = dot + 1;
	}
	memcpy(buf + n, name, (size_t)(end - name));
	return n + (size_t)(end - name);
}

int bark_tensors_add(struct bark_tensors *set, const struct bark_tensor *t,
		     const char *name, size_t len, struct bark_error *err)
{
	char plain[BARK_MAX_TENSOR_NAME], *copy;
	int r;

	if (set->n == BARK_MAX_TENSORS)
		return bark_fail(err, -E2BIG, "%s: too many tensors",
				 set->label);
	if (set->n == set->cap) {
		size_t cap = set->cap ? set->cap * 2 : 256;
		void *items = realloc(set->items, cap * sizeof(*set->items));

		if (!items)
			return bark_fail(err, -ENOMEM, "%s: out of memory",
					 set->label);
		set->items = items;
		set->cap = cap;
	}
	if (len <= BARK_MAX_TENSOR_NAME) {
		len = bark_tensors_unwrap(plain, name, len);
		name = plain;
	}
	r = copy_name(set, &copy, name, len, err);
	if (r < 0)
		return r;
	set->items[set->n] = *t;
	set->items[set->n++].name = copy;
	return 0;
}

/* A copy of *arg under a copy of the key. */
static int add_arg(struct bark_tensors *set, const char *key, size_t len,
		   const struct arg *arg, struct bark_error *err)
{
	struct arg *args;
	char *copy;
	int r;

	if (set->n_args == BARK_MAX_ARGS)
		return bark_fail(err, -E2BIG, "%s: too many arguments or keys",
				 set->label);
	args = realloc(set->args, (set->n_args + 1) * sizeof(*args));
	if (!args)
		return bark_fail(err, -ENOMEM, "%s: out of memory", set->label);
	set->args = args;
	r = copy_name(set, &copy, key, len, err);
	if (r < 0)
		return r;
	args[set->n_args] = *arg;
	args[set->n_args++].key = copy;
	return 0;
}

int bark_tensors_add_arg(struct bark_tensors *set, const char *key, size_t len,
			 int64_t value, struct bark_error *err)
{
	const struct arg arg = {
		.whole = true, .value = value, .number = (double)value,
	};

	return add_arg(set, key, len, &arg, err);
}

int bark_tensors_add_number(struct bark_tensors *set, const char *key,
			    size_t len, double value, struct bark_error *err)
{
	const struct arg arg = {.number = value};

	return add_arg(set, key, len, &arg, err);
}

int bark_tensors_add_text(struct bark_tensors *set, const char *key, size_t len,
			  const char *text, size_t n, struct bark_error *err)
{
	const struct arg arg = {.text = strndup(text, n)};
	int r;

	if (!arg.text)
		return bark_fail(err, -ENOMEM, "%s: out of memory", set->label);
	r = add_arg(set, key, len, &arg, err);
	if (r < 0)
		free(arg.text);
	return r;
}

bool bark_tensors_has_arg(const struct bark_tensors *set, const char *key,
			  size_t len)
{
	for (size_t i = 0; i < set->n_args; i++)
		if (strlen(set->args[i].key) == len &&
		    !memcmp(set->args[i].key, key, len))
			return true;
	return false;
}

struct bark_tensor *bark_tensors_edit(struct bark_tensors *set, size_t index)
{
	return &set->items[index];
}

/* Reads a whole file as what its first bytes say it is. */
static int read_bytes(struct bark_tensors *set, const struct bark_map *map,
		      const char *label, struct bark_error *err)
{
	if (map->size >= 4 && !memcmp(map->data, "PK\3\4", 4))
		return bark_torch_read(set, map, label, err);
	if (map->size >= 4 && !memcmp(map->data, "GGUF", 4))
		return bark_gguf_read(set, map, label, err);
	if (map->size > 8 && map->data[8] == '{')
		return bark_safetensors_read(set, map, label, err);
	if (map->size > 0 && map->data[0] == 0x80)
		return bark_fail(err, -EINVAL, "%s: torch's old format; save "
				 "it again with torch 1.6 or later", label);
	return bark_fail(err, -EINVAL, "%s: not a safetensors, torch or GGUF "
			 "file", label);
}

int bark_tensors_read_file(struct bark_tensors *set, const char *path,
		     struct bark_error *err)
{
	const char *label = bark_base_name(path);
	struct bark_map *maps, *map;
	int r;

	maps = realloc(set->maps, (set->n_maps + 1) * sizeof(*maps));
	if (!maps)
		return bark_fail(err, -ENOMEM, "%s: out of memory", label);
	set->maps = maps;
	map = &maps[set->n_maps];
	*map = (struct bark_map){0};
	r = bark_map_open(map, path, err);
	if (r < 0)
		return r;
	set->n_maps++;
	return read_bytes(set, map, label, err);
}

static int by_name(const void *pa, const void *pb)
{
	const struct bark_tensor *a = pa, *b = pb;

	return strcmp(a->name, b->name);
}

int bark_tensors_sort(struct bark_tensors *set, struct bark_error *err)
{
	if (set->n == 0)
		return bark_fail(err, -EINVAL, "%s: no tensors", set->label);
	qsort(set->items, set->n, sizeof(*set->items), by_name);
	for (size_t i = 1; i < set->n; i++)
		if (!strcmp(set->items[i - 1].name, set->items[i].name))
			return bark_fail(err, -EINVAL, "%s: %s is there twice",
					 set->label, set->items[i].name);
	return 0;
}

static struct bark_tensors *new_set(const char *label)
{
	struct bark_tensors *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->label = strdup(label);
	if (set->label)
		return set;
	free(set);
	return NULL;
}

int bark_tensors_parse(struct bark_tensors **ret, const void *data, size_t size,
		       const char *label, struct bark_error *err)
{
	const struct bark_map map = {data, size};
	struct bark_tensors *set = new_set(label);
	int r;

	if (!set)
		return bark_fail(err, -ENOMEM, "out of memory");
	r = read_bytes(set, &map, label, err);
	if (r == 0)
		r = bark_tensors_sort(set, err);
	if (r < 0) {
		bark_tensors_free(set);
		return r;
	}
	*ret = set;
	return 0;
}

int bark_tensors_open(struct bark_tensors **ret, const char *path,
		      struct bark_error *err)
{
	struct bark_tensors *set;
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return bark_fail(err, -errno, "%s: %s", bark_base_name(path),
				 strerror(errno));
	set = new_set(bark_base_name(path));
	if (!set)
		return bark_fail(err, -ENOMEM, "out of memory");
	if (S_ISDIR(st.st_mode)) {
		r = bark_tensors_read_dir(set, path, err);
	} else {
		r = bark_tensors_read_file(set, path, err);
		if (r == 0)
			r = bark_tensors_sort(set, err);
	}
	if (r < 0) {
		bark_tensors_free(set);
		return r;
	}
	*ret = set;
	return 0;
}

void bark_tensors_free(struct bark_tensors *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->n; i++)
		free((char *)set->items[i].name);
	for (size_t i = 0; i < set->n_maps; i++)
		bark_map_close(&set->maps[i]);
	for (size_t i = 0; i < set->n_args; i++) {
		free(set->args[i].key);
		free(set->args[i].text);
	}
	free(set->items);
	free(set->maps);
	free(set->args);
	free(set->label);
	free(set);
}

size_t bark_tensors_count(const struct bark_tensors *set)
{
	return set->n;
}

const struct bark_tensor *bark_tensors_at(const struct bark_tensors *set,
					  size_t index)
{
	return index < set->n ? &set->items[index] : NULL;
}

const struct bark_tensor *bark_tensors_find(const struct bark_tensors *set,
					    const char *name)
{
	const struct bark_tensor key = {.name = name};

	return set->n ? bsearch(&key, set->items, set->n, sizeof(key), by_name)
		      : NULL;
}

static const struct arg *find_arg(const struct bark_tensors *set,
				  const char *key)
{
	for (size_t i = 0; i < set->n_args; i++)
		if (!strcmp(set->args[i].key, key))
			return &set->args[i];
	return NULL;
}

int bark_tensors_arg(const struct bark_tensors *set, const char *key,
		     int64_t *ret)
{
	const struct arg *arg = find_arg(set, key);

	if (!arg || !arg->whole)
		return -ENOENT;
	*ret = arg->value;
	return 0;
}

int bark_tensors_number(const struct bark_tensors *set, const char *key,
			double *ret)
{
	const struct arg *arg = find_arg(set, key);

	if (!arg || arg->text)
		return -ENOENT;
	*ret = arg->number;
	return 0;
}

const char *bark_tensors_text(const struct bark_tensors *set, const char *key)
{
	const struct arg *arg = find_arg(set, key);

	return arg ? arg->text : NULL;
}

const char *bark_tensors_label(const struct bark_tensors *set)
{
	return set->label;
}
