/* SPDX-License-Identifier: MIT */
/*
 * .npy: a magic string, a version, and a header that is a Python dictionary
 * of three keys, of which only what numpy writes is understood.
 */
#include "npy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "error.h"

#define MAX_ELEMENTS ((size_t)16 << 20)
#define MAX_HEADER 65536

struct header {
	unsigned size; /* bytes of an element */
	bool is_signed, fortran;
	unsigned n_dims;
	size_t dims[2];
	size_t n; /* elements */
};

/* A cursor over the header's text. */
struct text {
	const char *at, *end;
};

static void skip_blanks(struct text *t)
{
	while (t->at < t->end && (*t->at == ' ' || *t->at == '\n'))
		t->at++;
}

static bool take(struct text *t, const char *word)
{
	size_t n = strlen(word);

	skip_blanks(t);
	if ((size_t)(t->end - t->at) < n || memcmp(t->at, word, n))
		return false;
	t->at += n;
	return true;
}

/* A string in quotes of at most cap - 1 characters. */
static bool take_string(struct text *t, char *buf, size_t cap)
{
	size_t n = 0;
	char quote;

	skip_blanks(t);
	if (t->at == t->end || (*t->at != '\'' && *t->at != '"'))
		return false;
	quote = *t->at++;
	while (t->at < t->end && *t->at != quote && n + 1 < cap)
		buf[n++] = *t->at++;
	buf[n] = 0;
	return t->at < t->end && *t->at++ == quote;
}

static bool take_size(struct text *t, size_t *ret)
{
	size_t value = 0;
	const char *begin;

	skip_blanks(t);
	begin = t->at;
	while (t->at < t->end && *t->at >= '0' && *t->at <= '9') {
		if (value > MAX_ELEMENTS * 10)
			return false;
		value = value * 10 + (size_t)(*t->at++ - '0');
	}
	*ret = value;
	return t->at > begin;
}

static bool take_shape(struct text *t, struct header *h)
{
	h->n_dims = 0;
	if (!take(t, "("))
		return false;
	while (!take(t, ")")) {
		if (h->n_dims == 2 || !take_size(t, &h->dims[h->n_dims++]))
			return false;
		if (!take(t, ","))
			return take(t, ")") && h->n_dims > 1;
	}
	return h->n_dims > 0;
}

static bool take_dtype(struct text *t, struct header *h)
{
	static const struct {
		const char *name;
		unsigned size;
		bool is_signed;
	} types[] = {
		{"<i8", 8, true},  {"<i4", 4, true},  {"<i2", 2, true},
		{"|i1", 1, true},  {"<u8", 8, false}, {"<u4", 4, false},
		{"<u2", 2, false}, {"|u1", 1, false},
	};
	char name[8];

	if (!take_string(t, name, sizeof(name)))
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strcmp(types[i].name, name)) {
			h->size = types[i].size;
			h->is_signed = types[i].is_signed;
			return true;
		}
	}
	return false;
}

/* One `key: value`; NULL, or what is wrong with it. */
static const char *take_item(struct text *t, struct header *h, bool seen[3])
{
	char key[16];
	size_t which;
	bool ok;

	if (!take_string(t, key, sizeof(key)) || !take(t, ":"))
		return "the header is not a dictionary";
	if (!strcmp(key, "descr")) {
		which = 0;
		if (!take_dtype(t, h))
			return "not of integers, little-endian";
		ok = true;
	} else if (!strcmp(key, "fortran_order")) {
		which = 1;
		h->fortran = take(t, "True");
		ok = h->fortran || take(t, "False");
	} else if (!strcmp(key, "shape")) {
		which = 2;
		ok = take_shape(t, h);
	} else {
		return "an unknown key in the header";
	}
	if (!ok || seen[which])
		return "the shape is not of 1 or 2 sizes";
	seen[which] = true;
	return NULL;
}

static const char *parse_header(struct header *h, struct text t)
{
	bool seen[3] = {false, false, false};

	if (!take(&t, "{"))
		return "the header is not a dictionary";
	while (!take(&t, "}")) {
		const char *why = take_item(&t, h, seen);

		if (why)
			return why;
		if (take(&t, ","))
			continue;
		if (take(&t, "}"))
			break;
		return "the header is not a dictionary";
	}
	skip_blanks(&t);
	if (t.at != t.end || !seen[0] || !seen[1] || !seen[2])
		return "the header is not whole";
	return NULL;
}

static bool get_value(const unsigned char *p, const struct header *h,
		      int32_t *ret)
{
	int64_t v = 0;

	switch (h->size) {
	case 1:
		v = h->is_signed ? (int8_t)*p : *p;
		break;
	case 2:
		v = h->is_signed ? (int16_t)bark_le16(p) : bark_le16(p);
		break;
	case 4:
		v = h->is_signed ? (int64_t)(int32_t)bark_le32(p)
				 : (int64_t)bark_le32(p);
		break;
	case 8:
		/* What is out of int64_t's range becomes negative. */
		v = (int64_t)bark_le64(p);
		if (!h->is_signed && v < 0)
			return false;
		break;
	}
	*ret = (int32_t)v;
	return v >= INT32_MIN && v <= INT32_MAX;
}

static int copy_values(struct bark_ints *ret, const struct header *h,
		       const unsigned char *data, const char *label,
		       struct bark_error *err)
{
	const size_t rows = h->n_dims == 2 ? h->dims[0] : 1;
	const size_t columns = h->n_dims == 2 ? h->dims[1] : h->dims[0];
	int32_t *values = malloc(h->n ? h->n * sizeof(*values) : 1);

	if (!values)
		return bark_fail(err, -ENOMEM, "%s: out of memory", label);
	for (size_t i = 0; i < h->n; i++) {
		size_t at = h->fortran ? i % columns * rows + i / columns : i;

		if (!get_value(data + at * h->size, h, &values[i])) {
			free(values);
			return bark_fail(err, -EINVAL,
					 "%s: a value that is out of range",
					 label);
		}
	}
	/* The second of one size is 0. */
	*ret = (struct bark_ints){values, h->n_dims, {h->dims[0], h->dims[1]}};
	return 0;
}

int bark_npy_parse(struct bark_ints *ret, const unsigned char *data,
		   size_t size, const char *label, struct bark_error *err)
{
	struct header h = {0};
	size_t begin, len;
	const char *why;

	if (size < 12 || memcmp(data, "\x93NUMPY", 6))
		return bark_fail(err, -EINVAL, "%s: not an array of numpy",
				 label);
	if (data[6] < 1 || data[6] > 3)
		return bark_fail(err, -EINVAL, "%s: numpy format %u", label,
				 data[6]);
	begin = data[6] == 1 ? 10 : 12;
	len = data[6] == 1 ? bark_le16(data + 8) : bark_le32(data + 8);
	if (len > MAX_HEADER || len > size - begin)
		return bark_fail(err, -EINVAL, "%s: the header is truncated",
				 label);
	data += begin;
	size -= begin + len;
	why = parse_header(&h, (struct text){(const char *)data,
					     (const char *)data + len});
	if (why)
		return bark_fail(err, -EINVAL, "%s: %s", label, why);
	h.n = h.dims[0];
	if (h.n_dims == 2 && __builtin_mul_overflow(h.n, h.dims[1], &h.n))
		h.n = SIZE_MAX;
	if (h.n > MAX_ELEMENTS)
		return bark_fail(err, -E2BIG, "%s: over %zu values", label,
				 MAX_ELEMENTS);
	if (size != h.n * h.size)
		return bark_fail(err, -EINVAL, "%s: %zu bytes of data where "
				 "the shape takes %zu", label, size,
				 h.n * h.size);
	return copy_values(ret, &h, data + len, label, err);
}
