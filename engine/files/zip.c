/* SPDX-License-Identifier: MIT */
#include "zip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bytes.h"
#include "error.h"

/* APPNOTE 4.3: lengths of the records' fixed parts. */
#define LOCAL 30
#define CENTRAL 46
#define END 22
#define END64 56
#define LOCATOR 20

#define MAX_COMMENT 65535
/* Deflate makes at most 1,032 bytes of one. */
#define MAX_RATIO 1032

/* The archive while it is read. */
struct archive {
	const unsigned char *data;
	size_t size;
	size_t directory, directory_size, n; /* checked against size */
	const char *label;
	struct bark_error *err;
};

static int broken(const struct archive *a, const char *what)
{
	return bark_fail(a->err, -EINVAL, "%s: not a whole zip archive: %s",
			 a->label, what);
}

/* Finds the end record; its comment must end where the file does. */
static int find_end(const struct archive *a, size_t *ret)
{
	size_t least;

	if (a->size < END)
		return broken(a, "too short");
	least = a->size - END > MAX_COMMENT ? a->size - END - MAX_COMMENT : 0;
	for (size_t at = a->size - END;; at--) {
		const unsigned char *p = a->data + at;

		if (!memcmp(p, "PK\5\6", 4) &&
		    bark_le16(p + 20) == a->size - at - END) {
			*ret = at;
			return 0;
		}
		if (at == least)
			return broken(a, "no end record");
	}
}

static int read_end(struct archive *a)
{
	const unsigned char *p;
	uint64_t n, size, offset;
	size_t end = 0;
	int r;

	r = find_end(a, &end);
	if (r < 0)
		return r;
	p = a->data + end;
	if (bark_le16(p + 4) || bark_le16(p + 6))
		return broken(a, "more than one disk");
	n = bark_le16(p + 10);
	size = bark_le32(p + 12);
	offset = bark_le32(p + 16);
	if (end >= LOCATOR && !memcmp(p - LOCATOR, "PK\6\7", 4)) {
		uint64_t end64 = bark_le64(p - LOCATOR + 8);

		if (end64 > end - LOCATOR || end - LOCATOR - end64 < END64 ||
		    memcmp(a->data + end64, "PK\6\6", 4))
			return broken(a, "a bad zip64 end record");
		p = a->data + end64;
		n = bark_le64(p + 32);
		size = bark_le64(p + 40);
		offset = bark_le64(p + 48);
		end = (size_t)end64;
	}
	if (offset > end || size > end - offset)
		return broken(a, "the directory is outside the file");
	if (n > BARK_ZIP_MAX_ENTRIES)
		return bark_fail(a->err, -E2BIG, "%s: over %d members",
				 a->label, BARK_ZIP_MAX_ENTRIES);
	if (n > size / CENTRAL)
		return broken(a, "the directory is too short");
	a->directory = (size_t)offset;
	a->directory_size = (size_t)size;
	a->n = (size_t)n;
	return 0;
}

/* 64-bit values of the fields that are all ones in the central record. */
static int read_zip64(const struct archive *a, const unsigned char *extra,
		      size_t len, uint64_t *values[3])
{
	while (len >= 4) {
		size_t id = bark_le16(extra), n = bark_le16(extra + 2);

		if (n > len - 4)
			break;
		if (id == 1) {
			const unsigned char *p = extra + 4;

			for (size_t i = 0; i < 3; i++) {
				if (*values[i] != 0xffffffff)
					continue;
				if (n < 8)
					return broken(a, "a short zip64 field");
				*values[i] = bark_le64(p);
				p += 8;
				n -= 8;
			}
			return 0;
		}
		extra += 4 + n;
		len -= 4 + n;
	}
	return 0;
}

/* Reads the central record at *at and the local one that it points to. */
static int read_entry(const struct archive *a, struct bark_zip_entry *e,
		      size_t *at)
{
	const unsigned char *p = a->data + *at, *local;
	size_t left = a->directory + a->directory_size - *at;
	uint64_t packed, size, offset, data;
	uint64_t *wide[3] = {&size, &packed, &offset};
	size_t name_len, extra_len, comment_len;
	int r;

	if (left < CENTRAL || memcmp(p, "PK\1\2", 4))
		return broken(a, "a bad directory record");
	name_len = bark_le16(p + 28);
	extra_len = bark_le16(p + 30);
	comment_len = bark_le16(p + 32);
	if (name_len + extra_len + comment_len > left - CENTRAL)
		return broken(a, "a truncated directory record");
	packed = bark_le32(p + 20);
	size = bark_le32(p + 24);
	offset = bark_le32(p + 42);
	r = read_zip64(a, p + CENTRAL + name_len, extra_len, wide);
	if (r < 0)
		return r;
	*e = (struct bark_zip_entry){
		.name = (const char *)p + CENTRAL,
		.name_len = name_len,
		.crc = bark_le32(p + 16),
		.method = bark_le16(p + 10),
	};
	if (bark_le16(p + 8) & 1)
		return bark_fail(a->err, -ENOTSUP, "%s: encrypted", a->label);
	if (e->method != 0 && e->method != 8)
		return bark_fail(a->err, -ENOTSUP, "%s: compression method %u",
				 a->label, e->method);
	/* Members lie in front of the directory. */
	if (offset > a->directory || a->directory - offset < LOCAL)
		return broken(a, "a member outside the file");
	local = a->data + offset;
	if (memcmp(local, "PK\3\4", 4) || bark_le16(local + 26) != name_len)
		return broken(a, "a bad member record");
	data = offset + LOCAL + name_len + bark_le16(local + 28);
	if (data > a->directory || packed > a->directory - data)
		return broken(a, "a truncated member");
	if (memcmp(local + LOCAL, e->name, name_len))
		return broken(a, "a member of another name");
	if (e->method == 0 ? size != packed : size / MAX_RATIO > packed)
		return broken(a, "a member's sizes contradict each other");
	e->data = a->data + data;
	e->packed = (size_t)packed;
	e->size = (size_t)size;
	*at += CENTRAL + name_len + extra_len + comment_len;
	return 0;
}

static int by_place(const void *pa, const void *pb)
{
	const struct bark_zip_entry *a = pa, *b = pb;

	if (a->data != b->data)
		return a->data < b->data ? -1 : 1;
	return a->packed < b->packed ? -1 : a->packed > b->packed;
}

static int compare_names(const char *a, size_t a_len, const char *b,
			 size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order ? order : a_len < b_len ? -1 : a_len > b_len;
}

static int by_name(const void *pa, const void *pb)
{
	const struct bark_zip_entry *a = pa, *b = pb;

	return compare_names(a->name, a->name_len, b->name, b->name_len);
}

static int check_entries(const struct archive *a, struct bark_zip_entry *e,
			 size_t n)
{
	if (n == 0)
		return broken(a, "it is empty");
	qsort(e, n, sizeof(*e), by_place);
	for (size_t i = 1; i < n; i++)
		if (e[i].data < e[i - 1].data + e[i - 1].packed)
			return broken(a, "members overlap");
	qsort(e, n, sizeof(*e), by_name);
	for (size_t i = 1; i < n; i++)
		if (by_name(&e[i - 1], &e[i]) == 0)
			return broken(a, "a member is there twice");
	return 0;
}

int bark_zip_open(struct bark_zip *ret, const unsigned char *data, size_t size,
		  const char *label, struct bark_error *err)
{
	struct archive a = {
		.data = data, .size = size, .label = label, .err = err,
	};
	struct bark_zip_entry *entries;
	size_t at;
	int r;

	r = read_end(&a);
	if (r < 0)
		return r;
	entries = calloc(a.n ? a.n : 1, sizeof(*entries));
	if (!entries)
		return bark_fail(err, -ENOMEM, "%s: out of memory", label);
	at = a.directory;
	for (size_t i = 0; i < a.n && r == 0; i++)
		r = read_entry(&a, &entries[i], &at);
	if (r == 0)
		r = check_entries(&a, entries, a.n);
	if (r < 0) {
		free(entries);
		return r;
	}
	ret->entries = entries;
	ret->n = a.n;
	return 0;
}

void bark_zip_close(struct bark_zip *zip)
{
	free(zip->entries);
	*zip = (struct bark_zip){0};
}

const struct bark_zip_entry *bark_zip_find(const struct bark_zip *zip,
					   const char *name)
{
	const struct bark_zip_entry key = {
		.name = name, .name_len = strlen(name),
	};

	return zip->n ? bsearch(&key, zip->entries, zip->n, sizeof(key),
				by_name) : NULL;
}

static int inflate_all(const struct bark_zip_entry *e, unsigned char *dst)
{
	z_stream z = {
		.next_in = (unsigned char *)e->data,
		.avail_in = (uInt)e->packed,
		.next_out = dst,
		.avail_out = (uInt)e->size,
	};
	int r;

	r = inflateInit2(&z, -MAX_WBITS);
	if (r != Z_OK)
		return r == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
	r = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if (r == Z_MEM_ERROR)
		return -ENOMEM;
	return r == Z_STREAM_END && z.avail_out == 0 ? 0 : -EINVAL;
}

int bark_zip_read(const struct bark_zip_entry *e, size_t limit,
		  const unsigned char **ret, unsigned char **owned,
		  const char *label, struct bark_error *err)
{
	const int name_len = e->name_len < 80 ? (int)e->name_len : 80;
	unsigned char *copy = NULL;
	const unsigned char *data = e->data;
	int r = 0;

	if (e->size > limit || e->size > UINT32_MAX || e->packed > UINT32_MAX)
		return bark_fail(err, -E2BIG, "%s: %.*s is of %zu bytes, over "
				 "%zu", label, name_len, e->name, e->size,
				 limit);
	if (e->method == 8) {
		copy = malloc(e->size + 1);
		r = copy ? inflate_all(e, copy) : -ENOMEM;
		data = copy;
	}
	if (r == 0 && crc32_z(0, data, e->size) != e->crc)
		r = -EINVAL;
	if (r < 0) {
		free(copy);
		return bark_fail(err, r, "%s: %.*s %s", label, name_len,
				 e->name, r == -ENOMEM ? "takes memory that "
				 "is not there" : "is damaged");
	}
	*ret = data;
	*owned = copy;
	return 0;
}
