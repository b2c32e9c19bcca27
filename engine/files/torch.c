/* SPDX-License-Identifier: MIT */
/*
 * torch.save's zip: NAME/data.pkl says what the tensors are, NAME/data/KEY
 * are their storages, NAME/byteorder how numbers are written. The pickle is a
 * dictionary of tensors, or has one in 'model' beside 'model_args'.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "pickle.h"
#include "tensors_build.h"
#include "zip.h"

#define MAX_ENTRY 512

struct torch_file {
	struct bark_tensors *set;
	struct bark_zip zip;
	const char *prefix; /* NAME/ */
	size_t prefix_len;
	const char *label;
	struct bark_error *err;
};

static const struct bark_zip_entry *find_member(const struct torch_file *f,
						const char *folder,
						const char *name, size_t len)
{
	char path[MAX_ENTRY];
	int n = snprintf(path, sizeof(path), "%.*s%s%.*s", (int)f->prefix_len,
			 f->prefix, folder, (int)len, name);

	return n < (int)sizeof(path) ? bark_zip_find(&f->zip, path) : NULL;
}

/* The archive's one folder is named after the file it was saved to. */
static const struct bark_zip_entry *find_pickle(struct torch_file *f)
{
	static const char name[] = "/data.pkl";
	const size_t len = sizeof(name) - 1;

	for (size_t i = 0; i < f->zip.n; i++) {
		const struct bark_zip_entry *e = &f->zip.entries[i];
		const char *slash = memchr(e->name, '/', e->name_len);

		if (!slash || e->name + e->name_len - slash != (long)len ||
		    memcmp(slash, name, len) || e->name_len > MAX_ENTRY / 2)
			continue;
		f->prefix = e->name;
		f->prefix_len = e->name_len - len + 1;
		return e;
	}
	return NULL;
}

static int check_order(const struct torch_file *f)
{
	static const char little[] = "little";
	const struct bark_zip_entry *e;

	/* Files of before torch 2.1 do not say; they are little-endian. */
	e = find_member(f, "", "byteorder", 9);
	if (!e || (e->method == 0 && e->size == sizeof(little) - 1 &&
		   !memcmp(e->data, little, sizeof(little) - 1)))
		return 0;
	return bark_fail(f->err, -ENOTSUP, "%s: not little-endian", f->label);
}

/* --- tensors --- */

static int bad_tensor(const struct torch_file *f,
		      const struct bark_pickle_value *name, const char *what)
{
	return bark_fail(f->err, -EINVAL, "%s: %.*s: %s", f->label,
			 (int)(name->len < 128 ? name->len : 128), name->text,
			 what);
}

/* The last element that sizes and strides reach, from the first one. */
static bool reach_of(const struct bark_tensor *t, size_t *ret)
{
	size_t reach = 0;

	for (unsigned i = 0; i < t->n_dims; i++) {
		size_t step;

		if (__builtin_mul_overflow(t->dims[i] - 1, t->strides[i],
					   &step) ||
		    __builtin_add_overflow(reach, step, &reach))
			return false;
	}
	*ret = reach;
	return true;
}

static bool get_shape(struct bark_tensor *t,
		      const struct bark_pickle_value *sizes,
		      const struct bark_pickle_value *strides)
{
	if (sizes->n > BARK_MAX_DIMS)
		return false;
	t->n_dims = (unsigned)sizes->n;
	for (unsigned i = 0; i < t->n_dims; i++) {
		if (sizes->items[i]->number < 0 ||
		    strides->items[i]->number < 0)
			return false;
		t->dims[i] = (size_t)sizes->items[i]->number;
		t->strides[i] = (size_t)strides->items[i]->number;
	}
	return true;
}

static int add_tensor(const struct torch_file *f,
		      const struct bark_pickle_value *name,
		      const struct bark_pickle_value *v)
{
	const struct bark_pickle_value *storage = v->items[0];
	const size_t size = bark_tensor_type_size(storage->type);
	struct bark_tensor t = {.type = storage->type};
	const struct bark_zip_entry *e;
	size_t bytes, reach;
	uint64_t offset, count;

	if (v->items[1]->number < 0 ||
	    !get_shape(&t, v->items[2], v->items[3]))
		return bad_tensor(f, name, "bad sizes or strides");
	if (!bark_tensor_bytes(&t, &bytes))
		return bad_tensor(f, name, "the shape overflows");
	if (storage->len > MAX_ENTRY / 4)
		return bad_tensor(f, name, "a bad storage key");
	e = find_member(f, "data/", storage->text, storage->len);
	if (!e)
		return bad_tensor(f, name, "its storage is missing");
	if (e->method != 0)
		return bad_tensor(f, name, "its storage is compressed");
	offset = (uint64_t)v->items[1]->number;
	count = (uint64_t)storage->number;
	if (count > e->size / size || offset > count)
		return bad_tensor(f, name, "its storage is truncated");
	if (bytes && (!reach_of(&t, &reach) || reach >= count - offset))
		return bad_tensor(f, name, "it reaches beyond its storage");
	t.data = e->data + offset * size;
	t.n_bytes = (size_t)(count - offset) * size;
	return bark_tensors_add(f->set, &t, name->text, name->len, f->err);
}

static int add_tensors(const struct torch_file *f,
		       const struct bark_pickle_value *dict)
{
	for (size_t i = 0; i + 1 < dict->n; i += 2) {
		const struct bark_pickle_value *key = dict->items[i];
		const struct bark_pickle_value *v = dict->items[i + 1];
		int r;

		if (v->kind != BARK_PICKLE_TENSOR)
			continue;
		if (key->kind != BARK_PICKLE_STRING)
			return bark_fail(f->err, -EINVAL,
					 "%s: a tensor without a name",
					 f->label);
		r = add_tensor(f, key, v);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_args(const struct torch_file *f,
		    const struct bark_pickle_value *dict)
{
	for (size_t i = 0; i + 1 < dict->n; i += 2) {
		const struct bark_pickle_value *key = dict->items[i];
		const struct bark_pickle_value *v = dict->items[i + 1];
		int r;

		if (key->kind != BARK_PICKLE_STRING ||
		    (v->kind != BARK_PICKLE_INT && v->kind != BARK_PICKLE_BOOL))
			continue;
		r = bark_tensors_add_arg(f->set, key->text, key->len, v->number,
					 f->err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_root(const struct torch_file *f,
		     const struct bark_pickle_value *root)
{
	const struct bark_pickle_value *model, *args;
	int r;

	if (root->kind != BARK_PICKLE_DICT)
		return bark_fail(f->err, -EINVAL, "%s: not a dictionary of "
				 "tensors", f->label);
	model = bark_pickle_get(root, "model");
	args = bark_pickle_get(root, "model_args");
	r = add_tensors(f, model && model->kind == BARK_PICKLE_DICT ? model
								    : root);
	if (r == 0 && args && args->kind == BARK_PICKLE_DICT)
		r = add_args(f, args);
	return r;
}

static int read_archive(struct torch_file *f)
{
	const struct bark_pickle_value *root;
	const struct bark_zip_entry *entry;
	struct bark_pickle *pickle = NULL;
	unsigned char *owned = NULL;
	const unsigned char *data;
	int r;

	entry = find_pickle(f);
	if (!entry)
		return bark_fail(f->err, -ENODATA, "%s: a zip archive, but not "
				 "of torch's", f->label);
	r = check_order(f);
	if (r == 0)
		r = bark_zip_read(entry, BARK_MAX_PICKLE, &data, &owned,
				  f->label, f->err);
	if (r == 0)
		r = bark_pickle_read(&pickle, &root, data, entry->size,
				     f->label, f->err);
	if (r == 0)
		r = read_root(f, root);
	bark_pickle_free(pickle);
	free(owned);
	return r;
}

int bark_torch_read(struct bark_tensors *set, const struct bark_map *map,
		    const char *label, struct bark_error *err)
{
	struct torch_file f = {.set = set, .label = label, .err = err};
	int r;

	r = bark_zip_open(&f.zip, map->data, map->size, label, err);
	if (r < 0)
		return r;
	r = read_archive(&f);
	bark_zip_close(&f.zip);
	return r;
}
