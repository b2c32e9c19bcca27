/* SPDX-License-Identifier: MIT */
/*
 * Zip archives in memory, read as hostile input through their central
 * directory (zip64 included). Members lie in the archive without overlap, so
 * that a small archive cannot unfold into a large one but by deflate.
 */
#ifndef BARK_ZIP_H
#define BARK_ZIP_H

#include <stddef.h>
#include <stdint.h>

#include "bark.h"

#define BARK_ZIP_MAX_ENTRIES 65535

struct bark_zip_entry {
	const char *name; /* in the archive, not terminated */
	size_t name_len;
	const unsigned char *data; /* `packed` bytes in the archive */
	size_t packed, size;
	uint32_t crc;
	uint16_t method; /* 0: stored, packed == size; 8: deflated */
};

struct bark_zip {
	struct bark_zip_entry *entries; /* by name */
	size_t n;
};

/*
 * data must outlive the zip; label names it in messages.
 * Errors: -EINVAL, -ENOTSUP (encrypted, other methods), -E2BIG, -ENOMEM.
 */
int bark_zip_open(struct bark_zip *ret, const unsigned char *data, size_t size,
		  const char *label, struct bark_error *err);
void bark_zip_close(struct bark_zip *zip);

/* NULL when there is none of that name. */
const struct bark_zip_entry *bark_zip_find(const struct bark_zip *zip,
					   const char *name);

/*
 * The whole member, its checksum checked: *ret points into the archive, or to
 * *owned, which the caller frees (NULL for a stored member).
 * Errors: -E2BIG (over limit bytes), -EINVAL, -ENOMEM.
 */
int bark_zip_read(const struct bark_zip_entry *entry, size_t limit,
		  const unsigned char **ret, unsigned char **owned,
		  const char *label, struct bark_error *err);

#endif
