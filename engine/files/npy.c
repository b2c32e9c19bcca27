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
#include "ints.h"

#define MAX_HEADER 65536

struct header {
	struct bark_numbers a; /* all but the data and the strides */
	bool fortran;
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
		if (value > BARK_INTS_MAX * 10)
			return false;
		value = value * 10 + (size_t)(*t->at++ - '0');
	}
	*ret = value;
	return t->at > begin;
}

static bool take_shape(struct text *t, struct header *h)
{
	struct bark_numbers *a = &h->a;

	a->n_dims = 0;
	if (!take(t, "("))
		return false;
	while (!take(t, ")")) {
		if (a->n_dims == BARK_MAX_DIMS ||
		    !take_size(t, &a->dims[a->n_dims++]))
			return false;
		if (!take(t, ","))
			return take(t, ")") && a->n_dims > 1;
	}
	return a->n_dims > 0;
}

/* The byte order, the kind and the size, such as "<i8". */
static const char *take_dtype(struct text *t, struct header *h)
{
	static const char kinds[] = "iuf";
	char name[8];
	const char *kind;

	if (!take_string(t, name, sizeof(name)) || !name[0] || !name[1])
		return "a type that is no name";
	if (name[1] == 'O')
		return "Python objects (or None), not numbers";
	kind = strchr(kinds, name[1]);
	h->a.size = (unsigned)(name[2] - '0');
	if (!kind || !name[2] || name[3] || !strchr("1248", name[2]) ||
	    (*kind == 'f' && h->a.size < 4) || !strchr("<>|", name[0]) ||
	    (name[0] == '|') != (h->a.size == 1))
		return "of a type that does not hold whole numbers";
	h->a.big = name[0] == '>';
	h->a.kind = *kind == 'i' ? BARK_NUMBER_SIGNED
		    : *kind == 'u' ? BARK_NUMBER_UNSIGNED : BARK_NUMBER_FLOAT;
	return NULL;
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
		const char *why = take_dtype(t, h);

		if (why)
			return why;
		which = 0;
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
		return "the shape is not of 1 to 4 sizes";
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

/* Elements, and how far apart they are. */
static size_t lay_out(struct header *h)
{
	struct bark_numbers *a = &h->a;
	size_t n = 1;

	for (unsigned i = 0; i < a->n_dims; i++) {
		const unsigned d = h->fortran ? i : a->n_dims - 1 - i;

		a->strides[d] = n;
		if (__builtin_mul_overflow(n, a->dims[d], &n))
			return SIZE_MAX;
	}
	return n;
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
	h.n = lay_out(&h);
	if (h.n > BARK_INTS_MAX)
		return bark_fail(err, -E2BIG, "%s: over %zu values", label,
				 BARK_INTS_MAX);
	if (size != h.n * h.a.size)
		return bark_fail(err, -EINVAL, "%s: %zu bytes of data where "
				 "the shape takes %zu", label, size,
				 h.n * h.a.size);
	h.a.data = data + len;
	return bark_ints_make(ret, &h.a, label, err);
}
