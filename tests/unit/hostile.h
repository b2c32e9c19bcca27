/* SPDX-License-Identifier: MIT */
/* Making and breaking files for the tests of the readers. */
#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* --- bytes --- */

struct bytes {
	unsigned char *p;
	size_t n;
};

__attribute__((unused)) static void put(struct bytes *b, const void *data,
					size_t n)
{
	b->p = realloc(b->p, b->n + n + 1);
	if (!b->p)
		abort();
	memcpy(b->p + b->n, data, n);
	b->n += n;
}

__attribute__((unused)) static void put_string(struct bytes *b, const char *s)
{
	put(b, s, strlen(s));
}

/* A little-endian number. */
__attribute__((unused)) static void put_number(struct bytes *b, uint64_t v,
					       size_t width)
{
	unsigned char raw[8];

	for (size_t i = 0; i < width; i++)
		raw[i] = (unsigned char)(v >> 8 * i);
	put(b, raw, width);
}

__attribute__((unused)) static void clear_bytes(struct bytes *b)
{
	free(b->p);
	*b = (struct bytes){0};
}

/* --- zip --- */

struct zip_writer {
	struct bytes file, directory;
	unsigned n;
};

/* A member that says what it is told to; its data are put as they are. */
struct zip_member {
	const char *name;
	const void *data;
	size_t n;
	unsigned method, flags;
	uint64_t size; /* 0: n */
	uint32_t crc;  /* 0: the right one */
};

__attribute__((unused)) static void zip_add(struct zip_writer *z,
					    const struct zip_member *m)
{
	const size_t offset = z->file.n, len = strlen(m->name);
	struct bytes shared = {0};

	put_number(&shared, 20, 2);
	put_number(&shared, m->flags, 2);
	put_number(&shared, m->method, 2);
	put_number(&shared, 0, 4);
	put_number(&shared, m->crc ? m->crc : crc32_z(0, m->data, m->n), 4);
	put_number(&shared, m->n, 4);
	put_number(&shared, m->size ? m->size : m->n, 4);
	put_number(&shared, len, 2);
	put_number(&shared, 0, 2);
	put(&z->file, "PK\3\4", 4);
	put(&z->file, shared.p, shared.n);
	put(&z->file, m->name, len);
	put(&z->file, m->data, m->n);
	put(&z->directory, "PK\1\2\24\0", 6);
	put(&z->directory, shared.p, shared.n);
	put_number(&z->directory, 0, 8);
	put_number(&z->directory, 0, 2);
	put_number(&z->directory, offset, 4);
	put(&z->directory, m->name, len);
	clear_bytes(&shared);
	z->n++;
}

/* Leaves the archive in z->file. */
__attribute__((unused)) static void zip_end(struct zip_writer *z)
{
	const size_t offset = z->file.n;

	put(&z->file, z->directory.p, z->directory.n);
	put(&z->file, "PK\5\6\0\0\0\0", 8);
	put_number(&z->file, z->n, 2);
	put_number(&z->file, z->n, 2);
	put_number(&z->file, z->directory.n, 4);
	put_number(&z->file, offset, 4);
	put_number(&z->file, 0, 2);
	clear_bytes(&z->directory);
}

/* --- files --- */

static char temp_dir[64];

__attribute__((unused)) static void make_temp_dir(void)
{
	strcpy(temp_dir, "/tmp/barkd-test-XXXXXX");
	if (!mkdtemp(temp_dir)) {
		perror("mkdtemp");
		exit(1);
	}
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

__attribute__((unused)) static void remove_temp_dir(void)
{
	nftw(temp_dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A path below the temporary directory; the last four stay valid. */
__attribute__((unused)) static const char *temp_path(const char *name)
{
	static char paths[4][256];
	static unsigned at;
	char *path = paths[at++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", temp_dir, name);
	return path;
}

__attribute__((unused)) static const char *
write_temp(const char *name, const void *data, size_t n)
{
	const char *path = temp_path(name);
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(data, 1, n, file) != n || fclose(file) != 0) {
		perror(path);
		exit(1);
	}
	return path;
}

/* A file of the source tree: root/tests/fixtures/files/name. */
__attribute__((unused)) static struct bytes read_fixture(const char *root,
							 const char *name)
{
	struct bytes b = {0};
	char path[4096];
	struct stat st;
	FILE *file;

	snprintf(path, sizeof(path), "%s/tests/fixtures/files/%s", root, name);
	file = fopen(path, "rb");
	if (!file || fstat(fileno(file), &st) < 0) {
		perror(path);
		exit(1);
	}
	b.n = (size_t)st.st_size;
	b.p = malloc(b.n + 1);
	if (!b.p || fread(b.p, 1, b.n, file) != b.n) {
		perror(path);
		exit(1);
	}
	fclose(file);
	return b;
}

/* Such a file into the temporary directory, under another name. */
__attribute__((unused)) static const char *
copy_fixture(const char *root, const char *from, const char *to)
{
	struct bytes b = read_fixture(root, from);
	const char *path = write_temp(to, b.p, b.n);

	clear_bytes(&b);
	return path;
}

/* The tiny model's two configurations into the temporary directory. */
__attribute__((unused)) static void write_configs(const char *root)
{
	copy_fixture(root, "tiny/config.json", "config.json");
	copy_fixture(root, "tiny/generation_config.json",
		     "generation_config.json");
}

/* --- damage --- */

/* Replaces the first place where `from` is, by as many bytes. */
__attribute__((unused)) static bool
replace_bytes(struct bytes *b, const char *from, const char *to)
{
	unsigned char *p = memmem(b->p, b->n, from, strlen(from));

	if (!p || strlen(from) != strlen(to))
		return false;
	memcpy(p, to, strlen(to));
	return true;
}

/* xorshift: the same damage every time. */
__attribute__((unused)) static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/*
 * Calls try with the bytes cut short at every length, then with one to three
 * bits flipped `flips` times. Each copy has exactly its length in memory, so
 * that a sanitizer sees a read beyond. try returns what the reader returned:
 * a success or an error, but never a crash. Returns how many were accepted of
 * the truncated ones.
 */
__attribute__((unused)) static size_t
damage(const struct bytes *whole, unsigned flips,
       int (*try)(const unsigned char *data, size_t n, void *arg), void *arg)
{
	uint32_t state = 0x2545f491;
	size_t accepted = 0;

	for (size_t n = 0; n < whole->n; n++) {
		unsigned char *copy = malloc(n ? n : 1);

		memcpy(copy, whole->p, n);
		accepted += try(copy, n, arg) >= 0;
		free(copy);
	}
	for (unsigned i = 0; i < flips; i++) {
		unsigned char *copy = malloc(whole->n);
		unsigned bits = 1 + next_random(&state) % 3;

		memcpy(copy, whole->p, whole->n);
		while (bits--) {
			uint32_t at = next_random(&state);

			copy[at / 8 % whole->n] ^= (unsigned char)(1 << at % 8);
		}
		try(copy, whole->n, arg);
		free(copy);
	}
	return accepted;
}

#endif
