/* SPDX-License-Identifier: MIT */
/*
 * safetensors: eight bytes of header length, a JSON header, the data. Each
 * tensor's range must be its shape times its type; together the ranges must
 * cover the data without gap or overlap, as the format demands.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "error.h"
#include "json.h"
#include "tensors_build.h"

#define MAX_HEADER ((size_t)16 << 20)

struct span {
	size_t begin, end;
	const char *name; /* the header's */
};

static const struct {
	const char *name;
	enum bark_tensor_type type;
} types[] = {
	{"F32", BARK_TENSOR_F32}, {"F16", BARK_TENSOR_F16},
	{"BF16", BARK_TENSOR_BF16}, {"F64", BARK_TENSOR_F64},
	{"I64", BARK_TENSOR_I64}, {"I32", BARK_TENSOR_I32},
	{"I16", BARK_TENSOR_I16}, {"U16", BARK_TENSOR_U16},
	{"U8", BARK_TENSOR_U8}, {"BOOL", BARK_TENSOR_BOOL},
};

static bool find_type(const char *name, enum bark_tensor_type *ret)
{
	for (size_t i = 0; name && i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strcmp(types[i].name, name)) {
			*ret = types[i].type;
			return true;
		}
	}
	return false;
}

static bool get_size(const json_t *v, size_t *ret)
{
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*ret = (size_t)json_integer_value(v);
	return true;
}

/* Reads one header entry into t and span; data is the file's data part. */
static int read_entry(struct bark_tensor *t, struct span *span,
		      const char *name, const json_t *entry,
		      const unsigned char *data, size_t size,
		      const char *label, struct bark_error *err)
{
	const char *dtype = json_string_value(json_object_get(entry, "dtype"));
	const json_t *shape = json_object_get(entry, "shape");
	const json_t *range = json_object_get(entry, "data_offsets");
	size_t bytes, stride = 1;

	*t = (struct bark_tensor){0};
	if (!find_type(dtype, &t->type))
		return bark_fail(err, -EINVAL, "%s: %s: unknown dtype %s",
				 label, name, dtype ? dtype : "(none)");
	if (!json_is_array(shape) || json_array_size(shape) > BARK_MAX_DIMS)
		return bark_fail(err, -EINVAL,
				 "%s: %s: the shape is not a list of at most "
				 "%d sizes", label, name, BARK_MAX_DIMS);
	t->n_dims = (unsigned)json_array_size(shape);
	for (unsigned i = 0; i < t->n_dims; i++)
		if (!get_size(json_array_get(shape, i), &t->dims[i]))
			return bark_fail(err, -EINVAL,
					 "%s: %s: size %u is not a number",
					 label, name, i);
	if (!bark_tensor_bytes(t, &bytes))
		return bark_fail(err, -EINVAL, "%s: %s: the shape overflows",
				 label, name);
	for (unsigned i = t->n_dims; i-- > 0; stride *= t->dims[i])
		t->strides[i] = stride;
	if (!json_is_array(range) || json_array_size(range) != 2 ||
	    !get_size(json_array_get(range, 0), &span->begin) ||
	    !get_size(json_array_get(range, 1), &span->end) ||
	    span->begin > span->end || span->end > size)
		return bark_fail(err, -EINVAL,
				 "%s: %s: data_offsets are outside the file",
				 label, name);
	if (span->end - span->begin != bytes)
		return bark_fail(err, -EINVAL,
				 "%s: %s: %zu bytes of data where the shape "
				 "takes %zu", label, name,
				 span->end - span->begin, bytes);
	span->name = name;
	t->data = data + span->begin;
	t->n_bytes = bytes;
	return 0;
}

static int by_place(const void *pa, const void *pb)
{
	const struct span *a = pa, *b = pb;

	if (a->begin != b->begin)
		return a->begin < b->begin ? -1 : 1;
	return a->end < b->end ? -1 : a->end > b->end;
}

static int check_cover(struct span *spans, size_t n, size_t size,
		       const char *label, struct bark_error *err)
{
	size_t at = 0;

	if (n)
		qsort(spans, n, sizeof(*spans), by_place);
	for (size_t i = 0; i < n; at = spans[i++].end)
		if (spans[i].begin != at)
			return bark_fail(err, -EINVAL,
					 "%s: %s: its data %s another tensor",
					 label, spans[i].name,
					 spans[i].begin < at ? "overlap" :
					 "leave a gap after");
	if (at != size)
		return bark_fail(err, -EINVAL,
				 "%s: %zu bytes of data where the header "
				 "describes %zu", label, size, at);
	return 0;
}

static int read_header(struct bark_tensors *set, json_t *header,
		       const unsigned char *data, size_t size,
		       const char *label, struct bark_error *err)
{
	size_t n = 0, max = json_object_size(header);
	struct span *spans;
	const char *name;
	json_t *entry;
	int r = 0;

	if (max > BARK_MAX_TENSORS)
		return bark_fail(err, -E2BIG, "%s: too many tensors", label);
	spans = calloc(max ? max : 1, sizeof(*spans));
	if (!spans)
		return bark_fail(err, -ENOMEM, "%s: out of memory", label);
	json_object_foreach(header, name, entry) {
		struct bark_tensor t;

		if (!strcmp(name, "__metadata__"))
			continue;
		r = read_entry(&t, &spans[n], name, entry, data, size, label,
			       err);
		if (r == 0)
			r = bark_tensors_add(set, &t, name, strlen(name), err);
		if (r < 0)
			break;
		n++;
	}
	if (r == 0)
		r = check_cover(spans, n, size, label, err);
	free(spans);
	return r;
}

int bark_safetensors_read(struct bark_tensors *set, const struct bark_map *map,
			  const char *label, struct bark_error *err)
{
	json_t *header = NULL;
	uint64_t len;
	int r;

	if (map->size < 8)
		return bark_fail(err, -EINVAL, "%s: the file is truncated",
				 label);
	len = bark_le64(map->data);
	if (len > MAX_HEADER)
		return bark_fail(err, -EINVAL, "%s: a header over 16 MiB",
				 label);
	if (len > map->size - 8)
		return bark_fail(err, -EINVAL, "%s: the header is truncated",
				 label);
	r = bark_json_parse(&header, map->data + 8, (size_t)len, label, err);
	if (r < 0)
		return r;
	r = read_header(set, header, map->data + 8 + len,
			map->size - 8 - (size_t)len, label, err);
	json_decref(header);
	return r;
}
