/* SPDX-License-Identifier: MIT */
#include "digest.h"

#include <errno.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)1 << 20)

typedef void update_fn(void *state, size_t n, const uint8_t *data);

static int digest(int fd, update_fn *update, void *state)
{
	uint8_t *buf = malloc(CHUNK);
	off_t at = 0;
	ssize_t n;
	int r = 0;

	if (!buf)
		return -ENOMEM;
	while ((n = pread(fd, buf, CHUNK, at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			r = -errno;
			break;
		}
		update(state, (size_t)n, buf);
		at += n;
	}
	free(buf);
	return r;
}

static void print_hex(char *ret, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sprintf(ret + 2 * i, "%02x", bytes[i]);
}

static void update_sha256(void *state, size_t n, const uint8_t *data)
{
	sha256_update(state, n, data);
}

static void update_sha1(void *state, size_t n, const uint8_t *data)
{
	sha1_update(state, n, data);
}

int digest_sha256(char ret[DIGEST_SHA256_HEX + 1], int fd)
{
	uint8_t bytes[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;
	int r;

	sha256_init(&ctx);
	r = digest(fd, update_sha256, &ctx);
	if (r < 0)
		return r;
	sha256_digest(&ctx, sizeof(bytes), bytes);
	print_hex(ret, bytes, sizeof(bytes));
	return 0;
}

int digest_git(char ret[DIGEST_GIT_HEX + 1], int fd)
{
	uint8_t bytes[SHA1_DIGEST_SIZE];
	struct sha1_ctx ctx;
	struct stat st;
	char head[32];
	int n, r;

	if (fstat(fd, &st) < 0)
		return -errno;
	/* The NUL is part of what git hashes. */
	n = snprintf(head, sizeof(head), "blob %lld", (long long)st.st_size) + 1;
	sha1_init(&ctx);
	sha1_update(&ctx, (size_t)n, (const uint8_t *)head);
	r = digest(fd, update_sha1, &ctx);
	if (r < 0)
		return r;
	sha1_digest(&ctx, sizeof(bytes), bytes);
	print_hex(ret, bytes, sizeof(bytes));
	return 0;
}
