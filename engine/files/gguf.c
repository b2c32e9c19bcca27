/* SPDX-License-Identifier: MIT */
/*
 * GGUF, version 3: keys with values, then the tensors' names, shapes and
 * places, then the data, each tensor on a multiple of the alignment. Values
 * that are numbers or short strings become the set's arguments; arrays and
 * long strings are of no use here and passed over.
 */
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "error.h"
#include "gguf.h"
#include "tensors_build.h"

#define MAX_KEYS 1024
#define MAX_KEY 128

struct reader {
	struct bark_tensors *set;
	const unsigned char *at, *end;
	const char *label;
	struct bark_error *err;
	size_t alignment;
	size_t size; /* of the file */
	size_t used; /* of the data, by the tensors so far */
};

/* A string in the file, not terminated. */
struct text {
	const char *at;
	size_t len;
};

static int truncated(struct reader *f)
{
	return bark_fail(f->err, -EINVAL, "%s: the file is truncated",
			 f->label);
}

/* NULL where fewer than n bytes are left. */
static const unsigned char *take(struct reader *f, size_t n)
{
	const unsigned char *at = f->at;

	if ((size_t)(f->end - at) < n)
		return NULL;
	f->at += n;
	return at;
}

/* These are false where the file ends too early. */

static bool take_u32(struct reader *f, uint32_t *ret)
{
	const unsigned char *p = take(f, 4);

	if (p)
		*ret = bark_le32(p);
	return p != NULL;
}

static bool take_u64(struct reader *f, uint64_t *ret)
{
	const unsigned char *p = take(f, 8);

	if (p)
		*ret = bark_le64(p);
	return p != NULL;
}

static bool take_text(struct reader *f, struct text *ret)
{
	uint64_t len;

	if (!take_u64(f, &len) || len > (size_t)(f->end - f->at))
		return false;
	ret->at = (const char *)take(f, (size_t)len);
	ret->len = (size_t)len;
	return true;
}

/* For messages, which hold only so much. */
static int shown(const struct text *t)
{
	return t->len < 64 ? (int)t->len : 64;
}

/* --- keys --- */

static size_t value_size(uint32_t type)
{
	switch (type) {
	case BARK_GGUF_U8:
	case BARK_GGUF_I8:
	case BARK_GGUF_BOOL:
		return 1;
	case BARK_GGUF_U16:
	case BARK_GGUF_I16:
		return 2;
	case BARK_GGUF_U32:
	case BARK_GGUF_I32:
	case BARK_GGUF_F32:
		return 4;
	case BARK_GGUF_U64:
	case BARK_GGUF_I64:
	case BARK_GGUF_F64:
		return 8;
	}
	return 0;
}

static int bad_value(struct reader *f, const struct text *key, uint32_t type)
{
	return bark_fail(f->err, -EINVAL, "%s: %.*s: a value of unknown type "
			 "%u", f->label, shown(key), key->at, type);
}

static int skip_array(struct reader *f, const struct text *key)
{
	struct text item;
	uint32_t type;
	uint64_t n;
	size_t size;

	if (!take_u32(f, &type) || !take_u64(f, &n))
		return truncated(f);
	size = value_size(type);
	if (size > 0)
		return n > (size_t)(f->end - f->at) / size ||
				       !take(f, (size_t)n * size) ?
			       truncated(f) : 0;
	if (type != BARK_GGUF_STRING)
		return bad_value(f, key, type);
	/* Each takes eight bytes at least, so the file's end bounds n. */
	while (n-- > 0)
		if (!take_text(f, &item))
			return truncated(f);
	return 0;
}

static int64_t whole_value(const unsigned char *p, uint32_t type)
{
	switch (type) {
	case BARK_GGUF_U8:
	case BARK_GGUF_BOOL:
		return *p;
	case BARK_GGUF_I8:
		return (int8_t)*p;
	case BARK_GGUF_U16:
		return bark_le16(p);
	case BARK_GGUF_I16:
		return (int16_t)bark_le16(p);
	case BARK_GGUF_U32:
		return bark_le32(p);
	case BARK_GGUF_I32:
		return (int32_t)bark_le32(p);
	default:
		return (int64_t)bark_le64(p);
	}
}

static int add_real(struct reader *f, const struct text *key,
		    const unsigned char *p, uint32_t type)
{
	double wide;
	float narrow;

	if (type == BARK_GGUF_F32) {
		memcpy(&narrow, p, sizeof(narrow));
		wide = (double)narrow;
	} else {
		memcpy(&wide, p, sizeof(wide));
	}
	return bark_tensors_add_number(f->set, key->at, key->len, wide,
				       f->err);
}

static int read_value(struct reader *f, const struct text *key)
{
	const unsigned char *p;
	struct text string;
	uint32_t type;

	if (!take_u32(f, &type))
		return truncated(f);
	if (type == BARK_GGUF_ARRAY)
		return skip_array(f, key);
	if (type == BARK_GGUF_STRING) {
		if (!take_text(f, &string))
			return truncated(f);
		if (string.len > BARK_MAX_ARG_TEXT)
			return 0;
		return bark_tensors_add_text(f->set, key->at, key->len,
					     string.at, string.len, f->err);
	}
	if (value_size(type) == 0)
		return bad_value(f, key, type);
	p = take(f, value_size(type));
	if (!p)
		return truncated(f);
	if (type == BARK_GGUF_F32 || type == BARK_GGUF_F64)
		return add_real(f, key, p, type);
	return bark_tensors_add_arg(f->set, key->at, key->len,
				    whole_value(p, type), f->err);
}

static int read_keys(struct reader *f, uint64_t n)
{
	struct text key;
	int r = 0;

	if (n > MAX_KEYS)
		return bark_fail(f->err, -E2BIG, "%s: too many keys",
				 f->label);
	while (n-- > 0 && r == 0) {
		if (!take_text(f, &key))
			return truncated(f);
		if (key.len == 0 || key.len > MAX_KEY)
			return bark_fail(f->err, -EINVAL, "%s: a key that is "
					 "not of 1 to %d characters", f->label,
					 MAX_KEY);
		if (bark_tensors_has_arg(f->set, key.at, key.len))
			return bark_fail(f->err, -EINVAL, "%s: the key %.*s "
					 "is there twice", f->label,
					 shown(&key), key.at);
		r = read_value(f, &key);
	}
	return r;
}

static int find_alignment(struct reader *f)
{
	int64_t value = 32; /* the format's default */

	bark_tensors_arg(f->set, "general.alignment", &value);
	if (value < 8 || value > 65536 || (value & (value - 1)))
		return bark_fail(f->err, -EINVAL, "%s: general.alignment is "
				 "%lld, not a power of two in 8..65536",
				 f->label, (long long)value);
	f->alignment = (size_t)value;
	return 0;
}

/* --- tensors --- */

static bool find_type(uint32_t type, enum bark_tensor_type *ret)
{
	static const struct {
		uint32_t number;
		enum bark_tensor_type type;
	} types[] = {
		{BARK_GGML_F32, BARK_TENSOR_F32},
		{BARK_GGML_F16, BARK_TENSOR_F16},
		{BARK_GGML_I8, BARK_TENSOR_I8},
		{BARK_GGML_I32, BARK_TENSOR_I32},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].number == type) {
			*ret = types[i].type;
			return true;
		}
	}
	return false;
}

static size_t aligned(const struct reader *f, size_t n)
{
	return (n + f->alignment - 1) & ~(f->alignment - 1);
}

static int read_shape(struct reader *f, struct bark_tensor *t,
		      const struct text *name)
{
	size_t stride = 1;
	uint32_t n;
	uint64_t dim;

	if (!take_u32(f, &n))
		return truncated(f);
	if (n > BARK_MAX_DIMS)
		return bark_fail(f->err, -EINVAL, "%s: %.*s has %u dimensions, "
				 "not at most %d", f->label, shown(name),
				 name->at, n, BARK_MAX_DIMS);
	t->n_dims = n;
	/* The file gives the fastest dimension first. */
	for (unsigned i = n; i-- > 0;) {
		if (!take_u64(f, &dim))
			return truncated(f);
		t->dims[i] = (size_t)dim;
		t->strides[i] = stride;
		if (dim > SIZE_MAX / 2 ||
		    __builtin_mul_overflow(stride, (size_t)dim, &stride))
			return bark_fail(f->err, -EINVAL, "%s: %.*s: the shape "
					 "overflows", f->label, shown(name),
					 name->at);
	}
	return 0;
}

static int not_all_there(struct reader *f, const struct text *name)
{
	return bark_fail(f->err, -EINVAL, "%s: the file is truncated: %.*s is "
			 "not all there", f->label, shown(name), name->at);
}

/* t.data stays NULL: where the data begin is known at the header's end. */
static int read_tensor(struct reader *f)
{
	struct bark_tensor t = {0};
	struct text name;
	uint32_t type;
	uint64_t offset;
	size_t bytes;
	int r;

	if (!take_text(f, &name))
		return truncated(f);
	r = read_shape(f, &t, &name);
	if (r < 0)
		return r;
	if (!take_u32(f, &type) || !take_u64(f, &offset))
		return truncated(f);
	if (!find_type(type, &t.type))
		return bark_fail(f->err, -ENOTSUP, "%s: %.*s is of type %u, "
				 "none of f32, f16, i8 and i32", f->label,
				 shown(&name), name.at, type);
	if (!bark_tensor_bytes(&t, &bytes))
		return bark_fail(f->err, -EINVAL, "%s: %.*s: the shape "
				 "overflows", f->label, shown(&name), name.at);
	if (offset != f->used)
		return bark_fail(f->err, -EINVAL, "%s: %.*s lies at %llu where "
				 "the tensors before it end at %zu", f->label,
				 shown(&name), name.at,
				 (unsigned long long)offset, f->used);
	if (f->used > f->size || bytes > f->size - f->used)
		return not_all_there(f, &name);
	t.n_bytes = bytes;
	f->used = aligned(f, f->used + bytes);
	return bark_tensors_add(f->set, &t, name.at, name.len, f->err);
}

/* Gives the tensors from `first` on their data, in the header's order. */
static int place(struct reader *f, const unsigned char *begin, size_t first)
{
	size_t at = aligned(f, (size_t)(f->at - begin));

	for (size_t i = first; i < bark_tensors_count(f->set); i++) {
		struct bark_tensor *t = bark_tensors_edit(f->set, i);
		const struct text name = {t->name, strlen(t->name)};

		if (at > f->size || t->n_bytes > f->size - at)
			return not_all_there(f, &name);
		t->data = begin + at;
		at = aligned(f, at + t->n_bytes);
	}
	return 0;
}

int bark_gguf_read(struct bark_tensors *set, const struct bark_map *map,
		   const char *label, struct bark_error *err)
{
	struct reader f = {
		.set = set, .at = map->data + 4, .end = map->data + map->size,
		.label = label, .err = err, .size = map->size,
	};
	const size_t first = bark_tensors_count(set);
	uint32_t version;
	uint64_t n_tensors, n_keys;
	int r;

	if (!take_u32(&f, &version))
		return truncated(&f);
	if (version != BARK_GGUF_VERSION)
		return bark_fail(err, -ENOTSUP, "%s: GGUF of version %u, not "
				 "%u", label, version, BARK_GGUF_VERSION);
	if (!take_u64(&f, &n_tensors) || !take_u64(&f, &n_keys))
		return truncated(&f);
	r = read_keys(&f, n_keys);
	if (r == 0)
		r = find_alignment(&f);
	/* bark_tensors_add() and the file's end bound their number. */
	while (r == 0 && n_tensors-- > 0)
		r = read_tensor(&f);
	return r < 0 ? r : place(&f, map->data, first);
}
