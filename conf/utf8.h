/* SPDX-License-Identifier: MIT */
/* Characters of valid UTF-8, counted. */
#ifndef BARKD_UTF8_H
#define BARKD_UTF8_H

#include <stdbool.h>
#include <stddef.h>

static inline bool utf8_begins(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

/* Characters of n bytes. */
static inline size_t utf8_characters(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += utf8_begins(s[i]);
	return count;
}

/* Bytes of the first n characters, of all if there are fewer. */
static inline size_t utf8_bytes(const char *s, size_t n)
{
	size_t i = 0;

	for (; s[i]; i++)
		if (utf8_begins(s[i]) && n-- == 0)
			break;
	return i;
}

#endif
