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

/* A number as it is written. */
struct number {
	size_t begin, end; /* of the whole part, with its commas; may be empty */
	size_t fraction, n_fraction; /* digits behind the point */
	size_t next;
	bool grouped;
};

void spoken_read_number(struct number *ret, const struct reader *r, size_t i);
void spoken_add_whole(struct spoken_words *w, const struct reader *r,
		      const struct number *n, enum spoken_style style);
/* "point five", or nothing. */
void spoken_add_fraction(struct spoken_words *w, const struct reader *r,
			 const struct number *n);
bool spoken_is_one(const struct reader *r, const struct number *n);

struct currency {
	const char *mark, *one, *many;
	const char *part, *parts; /* its hundredth, NULL: none */
};

/* The money whose sign stands at i, or NULL. */
const struct currency *spoken_currency(const struct reader *r, size_t i);

/* These return how many bytes were taken, 0: it is none. */

/* 2026-11-25, 11/25/2026 */
size_t spoken_date(struct spoken_words *w, const struct reader *r);
/* A unit at i, behind a number. */
size_t spoken_unit(struct spoken_words *w, const struct reader *r, size_t i,
		   bool one);
/* The number n of a money, whose sign was read; also "$5-10". Returns where
 * what follows begins. */
size_t spoken_money(struct spoken_words *w, const struct reader *r,
		    const struct currency *c, const struct number *n);
/* 9:05, 17:30:10, 9 pm */
size_t spoken_clock_time(struct spoken_words *w, const struct reader *r);

#endif
