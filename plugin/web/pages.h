/* SPDX-License-Identifier: MIT */
/* The files of plugin/web/, as the daemon serves them. */
#ifndef BARKD_PAGES_H
#define BARKD_PAGES_H

#include <stddef.h>

struct page {
	const char *path, *type;
	const unsigned char *data;
	size_t n;
};

extern const struct page pages[];
extern const size_t pages_n;

#endif
