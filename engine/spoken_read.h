/* SPDX-License-Identifier: MIT */
/* What a number is read from, and its shapes that have a file of their own. */
#ifndef BARK_SPOKEN_READ_H
#define BARK_SPOKEN_READ_H

#include "spoken_out.h"

/* Digits that are looked at for one number, so that no text takes long. */
#define SPOKEN_RUN_MAX 40

struct reader {
	const char *text;
	size_t len;
};

static inline char at(const struct reader *r, size_t i)
{
	return i < r->len ? r->text[i] : '\0';
}

static inline size_t digits(const struct reader *r, size_t i)
{
	size_t n = 0;

	while (n < SPOKEN_RUN_MAX && is_digit(at(r, i + n)))
		n++;
	return n;
}

/* Of more digits than a number may have: its beginning's. */
static inline int64_t value(const struct reader *r, size_t i, size_t n)
{
	int64_t v = 0;

	for (; n > 0 && v < INT64_MAX / 100; n--, i++)
		if (is_digit(r->text[i]))
			v = 10 * v + (r->text[i] - '0');
	return v;
}

/* Whether a word or a number ends in front of i. */
static inline bool ends(const struct reader *r, size_t i)
{
	char c = at(r, i);

	return !is_digit(c) && !is_letter(c) && c != '_' && !(c & 0x80);
}

/* These return how many bytes were taken, 0: it is none. */

/* 2026-11-25, 11/25/2026 */
size_t spoken_date(struct spoken_words *w, const struct reader *r);
/* 9:05, 17:30:10, 9 pm */
size_t spoken_clock_time(struct spoken_words *w, const struct reader *r);

#endif
