/* SPDX-License-Identifier: MIT */
/* Files of numpy's: read through npy.c and zip.c, and written. */
#include "npz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "error.h"
#include "map.h"
#include "npy.h"
#include "zip.h"

/* 16 Mi elements of eight bytes, and the largest header. */
#define MAX_MEMBER (((size_t)128 << 20) + 65536 + 12)
#define MAX_LABEL 160
#define HEADER 128 /* of the images written, a multiple of 64 */

const char *const bark_voice_arrays[BARK_VOICE_ARRAYS] = {
	"semantic_prompt", "coarse_prompt", "fine_prompt",
};

void bark_ints_clear(struct bark_ints *a)
{
	free(a->data);
	*a = (struct bark_ints){0};
}

int bark_npy_read(struct bark_ints *ret, const char *path,
		  struct bark_error *err)
{
	struct bark_map map = {0};
	int r;

	r = bark_map_open(&map, path, err);
	if (r < 0)
		return r;
	r = bark_npy_parse(ret, map.data, map.size, bark_base_name(path), err);
	bark_map_close(&map);
	return r;
}

int bark_npz_parse(struct bark_ints *ret, const unsigned char *data,
		   size_t size, const char *file, const char *member,
		   struct bark_error *err)
{
	char name[MAX_LABEL], label[2 * MAX_LABEL];
	const struct bark_zip_entry *entry;
	unsigned char *owned = NULL;
	struct bark_zip zip = {0};
	int r;

	r = bark_zip_open(&zip, data, size, file, err);
	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "%s.npy", member);
	entry = bark_zip_find(&zip, name);
	/* Zips that numpy did not write may leave the ending away. */
	if (!entry)
		entry = bark_zip_find(&zip, member);
	if (entry)
		r = bark_zip_read(entry, MAX_MEMBER, &data, &owned, file, err);
	else
		r = bark_fail(err, -ENOENT, "%s: no array %s", file, member);
	if (r == 0) {
		snprintf(label, sizeof(label), "%.*s: %s", MAX_LABEL - 4, file,
			 member);
		r = bark_npy_parse(ret, data, entry->size, label, err);
	}
	free(owned);
	bark_zip_close(&zip);
	return r;
}

int bark_npz_read(struct bark_ints *ret, const char *path, const char *member,
		  struct bark_error *err)
{
	struct bark_map map = {0};
	int r;

	r = bark_map_open(&map, path, err);
	if (r < 0)
		return r;
	r = bark_npz_parse(ret, map.data, map.size, bark_base_name(path),
			   member, err);
	bark_map_close(&map);
	return r;
}

/* --- writing --- */

static void put16(unsigned char *p, unsigned v)
{
	p[0] = (unsigned char)v;
	p[1] = (unsigned char)(v >> 8);
}

static void put32(unsigned char *p, uint32_t v)
{
	put16(p, v & 0xffff);
	put16(p + 2, v >> 16);
}

/* Bytes that a file is made of. */
struct image {
	unsigned char *data;
	size_t n;
};

/* type: "<i4" or "<f4", elements of four bytes. */
static int make_npy(struct image *ret, const char *type, const void *values,
		    unsigned n_dims, const size_t *dims)
{
	char shape[64];
	size_t n, bytes;
	int len;

	if (n_dims < 1 || n_dims > 2)
		return -EINVAL;
	n = dims[0];
	if (n_dims == 2 && __builtin_mul_overflow(n, dims[1], &n))
		return -EINVAL;
	if (n > (UINT32_MAX >> 1) / 4)
		return -E2BIG;
	bytes = n * 4;
	ret->n = HEADER + bytes;
	ret->data = malloc(ret->n);
	if (!ret->data)
		return -ENOMEM;
	if (n_dims == 1)
		snprintf(shape, sizeof(shape), "(%zu,)", dims[0]);
	else
		snprintf(shape, sizeof(shape), "(%zu, %zu)", dims[0], dims[1]);
	memset(ret->data, ' ', HEADER);
	memcpy(ret->data, "\x93NUMPY\1\0", 8);
	put16(ret->data + 8, HEADER - 10);
	len = snprintf((char *)ret->data + 10, HEADER - 10,
		       "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
		       type, shape);
	ret->data[10 + len] = ' ';
	ret->data[HEADER - 1] = '\n';
	for (size_t i = 0; i < n; i++) {
		uint32_t bits;

		memcpy(&bits, (const unsigned char *)values + i * 4, 4);
		put32(ret->data + HEADER + i * 4, bits);
	}
	return 0;
}

static int write_file(const char *path, const struct image *images, size_t n)
{
	FILE *file = fopen(path, "wbe");
	int r = 0;

	if (!file)
		return -errno;
	errno = 0;
	for (size_t i = 0; i < n && r == 0; i++)
		if (fwrite(images[i].data, 1, images[i].n, file) != images[i].n)
			r = errno ? -errno : -EIO;
	if (fclose(file) != 0 && r == 0)
		r = -errno;
	if (r < 0)
		unlink(path);
	return r;
}

static int write_npy(const char *path, const char *type, const void *values,
		     unsigned n_dims, const size_t *dims)
{
	struct image image = {0};
	int r;

	r = make_npy(&image, type, values, n_dims, dims);
	if (r == 0)
		r = write_file(path, &image, 1);
	free(image.data);
	return r;
}

int bark_npy_write_i32(const char *path, const int32_t *data, unsigned n_dims,
		       const size_t *dims)
{
	return write_npy(path, "<i4", data, n_dims, dims);
}

int bark_npy_write_f32(const char *path, const float *data, size_t n)
{
	return write_npy(path, "<f4", data, 1, &n);
}

/* A zip record's fields that local (from byte 4) and central (6) share. */
static void put_fields(unsigned char *p, const struct image *image,
		       size_t name_len)
{
	memset(p, 0, 26);
	put16(p, 20);       /* version needed */
	put16(p + 8, 0x21); /* 1 January 1980: files do not depend on time */
	put32(p + 10, (uint32_t)crc32_z(0, image->data, image->n));
	put32(p + 14, (uint32_t)image->n);
	put32(p + 18, (uint32_t)image->n);
	put16(p + 22, (unsigned)name_len);
}

#define MAX_RECORD 128

int bark_npz_write_voice(const char *path, const struct bark_ints *semantic,
			 const struct bark_ints *coarse,
			 const struct bark_ints *fine)
{
	const struct bark_ints *arrays[BARK_VOICE_ARRAYS] = {semantic, coarse, fine};
	unsigned char local[BARK_VOICE_ARRAYS][MAX_RECORD] = {{0}};
	unsigned char directory[BARK_VOICE_ARRAYS * MAX_RECORD + 22] = {0};
	/* Each member's record and data; the directory. */
	struct image parts[2 * BARK_VOICE_ARRAYS + 1] = {{0}};
	unsigned char *central = directory;
	size_t offset = 0;
	int r = 0;

	for (size_t i = 0; i < BARK_VOICE_ARRAYS && r == 0; i++) {
		struct image *head = &parts[2 * i], *body = head + 1;
		char name[32];
		size_t len = (size_t)snprintf(name, sizeof(name), "%s.npy",
					      bark_voice_arrays[i]);

		r = make_npy(body, "<i4", arrays[i]->data, arrays[i]->n_dims,
			     arrays[i]->dims);
		if (r == 0 && offset > UINT32_MAX / 2)
			r = -E2BIG;
		if (r < 0)
			break;
		memcpy(local[i], "PK\3\4", 4);
		put_fields(local[i] + 4, body, len);
		memcpy(local[i] + 30, name, len);
		*head = (struct image){local[i], 30 + len};
		memcpy(central, "PK\1\2", 4);
		put16(central + 4, 20);
		put_fields(central + 6, body, len);
		put32(central + 42, (uint32_t)offset);
		memcpy(central + 46, name, len);
		central += 46 + len;
		offset += head->n + body->n;
	}
	if (r == 0) {
		memcpy(central, "PK\5\6", 4);
		put16(central + 8, BARK_VOICE_ARRAYS);
		put16(central + 10, BARK_VOICE_ARRAYS);
		put32(central + 12, (uint32_t)(central - directory));
		put32(central + 16, (uint32_t)offset);
		parts[2 * BARK_VOICE_ARRAYS] = (struct image){
			directory, (size_t)(central - directory) + 22,
		};
		r = write_file(path, parts, 2 * BARK_VOICE_ARRAYS + 1);
	}
	for (size_t i = 0; i < BARK_VOICE_ARRAYS; i++)
		free(parts[2 * i + 1].data);
	return r;
}
