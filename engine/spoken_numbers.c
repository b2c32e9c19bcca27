/* SPDX-License-Identifier: MIT */
/* Numbers, and the shapes that they make. */
#include "spoken_read.h"

#include <string.h>
#include <strings.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define DIGITS_MAX 15 /* of a number that is read as one */
#define PARTS_MAX 12  /* so that no text takes long */

/* --- numbers of several parts --- */

/* 192.168.0.1, 1.2.3: said with their dots; 555-0123, 800-555-0123: digits. */
static size_t parts(struct spoken_words *w, const struct reader *r)
{
	size_t a = digits(r, 0), n = a, count = 1, shortest = a;
	char mark = at(r, a);

	if (mark != '.' && mark != '-')
		return 0;
	while (count < PARTS_MAX && at(r, n) == mark &&
	       digits(r, n + 1) > 0) {
		size_t d = digits(r, n + 1);

		n += 1 + d;
		count++;
		shortest = d < shortest ? d : shortest;
	}
	if (!ends(r, n))
		return 0;
	if (mark == '.' ? count < 3
			: shortest < 3 || n - count + 1 < 7 ||
				  (count == 2 && shortest == 4 && a == 4))
		return 0;
	for (size_t i = 0; i < n;) {
		size_t d = digits(r, i);

		if (i > 0 && mark == '.')
			spoken_add_word(w, "dot");
		else if (i > 0)
			spoken_add_mark(w, ',');
		if (mark == '.' && d <= 3)
			spoken_add_number(w, value(r, i, d), SPOKEN_CARDINAL);
		else
			spoken_add_digits(w, r->text + i, d);
		i += d + 1;
	}
	return n;
}

/* 10-20, 1914-1918, 5-10 km, 3-4% */
static size_t range(struct spoken_words *w, const struct reader *r)
{
	size_t a = digits(r, 0), b = digits(r, a + 1), n = a + 1 + b, taken;
	enum spoken_style style = a == 4 && b == 4 ? SPOKEN_YEAR
						   : SPOKEN_CARDINAL;
	struct spoken_words behind = {.n = 0};

	if (at(r, a) != '-' || a > 4 || b < 1 || b > 4 ||
	    (at(r, n) == '-' && is_digit(at(r, n + 1))) ||
	    (at(r, n) == '.' && is_digit(at(r, n + 1))))
		return 0;
	taken = spoken_unit(&behind, r, n, false);
	if (!ends(r, n) && taken == 0)
		return 0;
	spoken_add_number(w, value(r, 0, a), style);
	spoken_add_word(w, "to");
	spoken_add_number(w, value(r, a + 1, b), style);
	spoken_add(w, behind.text, behind.n);
	return n + taken;
}

/* The fraction a/b at i, both of few digits; 0: it is none. */
static size_t fraction(const struct reader *r, size_t i, int64_t *ret_a,
		       int64_t *ret_b)
{
	size_t a = digits(r, i), b = digits(r, i + a + 1), n = a + 1 + b;

	if (at(r, i + a) != '/' || a < 1 || a > 4 || b < 1 || b > 4 ||
	    !ends(r, i + n) ||
	    (at(r, i + n) == '/' && is_digit(at(r, i + n + 1))))
		return 0;
	*ret_a = value(r, i, a);
	*ret_b = value(r, i + a + 1, b);
	return n;
}

static bool is_part_of_one(int64_t a, int64_t b)
{
	return a > 0 && a < b && (b <= 10 || b == 12 || b == 16 || b == 32);
}

/* "half", "thirds". */
static void add_parts(struct spoken_words *w, int64_t a, int64_t b)
{
	if (b == 2)
		spoken_add_word(w, "half");
	else if (b == 4)
		spoken_add_word(w, a > 1 ? "quarters" : "quarter");
	else
		spoken_add_number(w, b, SPOKEN_ORDINAL);
	if (a > 1 && b != 2 && b != 4)
		spoken_add_mark(w, 's');
}

/* 1/2, 3/4, 24/7 */
static size_t pair(struct spoken_words *w, const struct reader *r)
{
	int64_t a, b;
	size_t n = fraction(r, 0, &a, &b);

	if (n == 0)
		return 0;
	spoken_add_number(w, a, SPOKEN_CARDINAL);
	if (is_part_of_one(a, b)) {
		add_parts(w, a, b);
		return n;
	}
	/* "fifty fifty", "twenty four seven" */
	if (a != b && (a != 24 || b != 7))
		spoken_add_word(w, "slash");
	spoken_add_number(w, b, SPOKEN_CARDINAL);
	return n;
}

/* 5'10": of a person's height. */
static size_t height(struct spoken_words *w, const struct reader *r)
{
	size_t a = digits(r, 0), b = digits(r, a + 1), n = a + 1 + b;

	if (at(r, a) != '\'' || a < 1 || a > 2 || b < 1 || b > 2 ||
	    at(r, n) != '"')
		return 0;
	spoken_add_number(w, value(r, 0, a), SPOKEN_CARDINAL);
	spoken_add_word(w, "foot");
	spoken_add_number(w, value(r, a + 1, b), SPOKEN_CARDINAL);
	return n + 1;
}

/* 1920x1080, 3x4 */
static size_t product(struct spoken_words *w, const struct reader *r)
{
	size_t a = digits(r, 0), b = digits(r, a + 1), n = a + 1 + b;

	if (at(r, a) != 'x' || a > 5 || b < 1 || b > 5 || !ends(r, n) ||
	    (a == 1 && at(r, 0) == '0'))
		return 0;
	/* "nineteen twenty by ten eighty" */
	spoken_add_number(w, value(r, 0, a),
			  a == 4 ? SPOKEN_YEAR : SPOKEN_CARDINAL);
	spoken_add_word(w, a > 1 && b > 1 ? "by" : "times");
	spoken_add_number(w, value(r, a + 1, b),
			  b == 4 ? SPOKEN_YEAR : SPOKEN_CARDINAL);
	return n;
}

/* --- one number --- */

void spoken_read_number(struct number *ret, const struct reader *r, size_t i)
{
	size_t n = i + digits(r, i);

	*ret = (struct number){.begin = i};
	while (n - i < 3 + 4 * 4 && at(r, n) == ',' && digits(r, n + 1) == 3 &&
	       (ret->grouped || n - i <= 3)) {
		n += 4;
		ret->grouped = true;
	}
	ret->end = n;
	if (at(r, n) == '.' && is_digit(at(r, n + 1))) {
		ret->fraction = n + 1;
		ret->n_fraction = digits(r, n + 1);
		n = ret->fraction + ret->n_fraction;
	}
	ret->next = n;
}

void spoken_add_whole(struct spoken_words *w, const struct reader *r,
		      const struct number *n, enum spoken_style style)
{
	size_t len = n->end - n->begin;

	if (len == 0) /* ".5" */
		return;
	if ((r->text[n->begin] == '0' && len > 1) ||
	    (len > DIGITS_MAX && !n->grouped))
		spoken_add_digits(w, r->text + n->begin, len);
	else
		spoken_add_number(w, value(r, n->begin, len), style);
}

void spoken_add_fraction(struct spoken_words *w, const struct reader *r,
			 const struct number *n)
{
	if (n->n_fraction == 0)
		return;
	spoken_add_word(w, "point");
	spoken_add_digits(w, r->text + n->fraction, n->n_fraction);
}

bool spoken_is_one(const struct reader *r, const struct number *n)
{
	return n->end - n->begin == 1 && r->text[n->begin] == '1' &&
	       n->n_fraction == 0;
}

/* 1984, 2026: not 3000, not 1,984. */
static bool is_year(const struct reader *r, const struct number *n)
{
	int64_t v = value(r, n->begin, n->end - n->begin);

	return n->end - n->begin == 4 && !n->grouped && n->n_fraction == 0 &&
	       v >= 1100 && v < 2100 && v % 1000 != 0;
}

static size_t ordinal(const struct reader *r, const struct number *n)
{
	static const char *const suffixes[] = {"st", "nd", "rd", "th"};

	for (size_t k = 0; k < N(suffixes); k++)
		if (n->n_fraction == 0 && ends(r, n->next + 2) &&
		    r->len >= n->next + 2 &&
		    strncasecmp(r->text + n->next, suffixes[k], 2) == 0)
			return n->next + 2;
	return 0;
}

/* 1980s, '90s */
static size_t decade(struct spoken_words *w, const struct reader *r,
		     const struct number *n)
{
	size_t len = n->end - n->begin;
	int64_t v = value(r, n->begin, len);
	size_t i = n->next + (at(r, n->next) == '\'');

	if ((len != 2 && len != 4) || n->n_fraction || n->grouped ||
	    v % 10 != 0 || v < 20 || at(r, i) != 's' || !ends(r, i + 1))
		return 0;
	spoken_add_number(w, v, SPOKEN_YEAR);
	if (w->text[w->n - 1] == 'y') {
		w->n--;
		spoken_add_mark(w, 'i');
		spoken_add_mark(w, 'e');
	}
	spoken_add_mark(w, 's');
	return i + 1;
}

/* "and a half" behind a whole number, of " 1/2" at i. */
static size_t add_mixed(struct spoken_words *w, const struct reader *r,
			const struct number *whole)
{
	int64_t a, b;
	size_t n;

	if (at(r, whole->next) != ' ' || whole->n_fraction > 0 ||
	    whole->end - whole->begin > 3)
		return 0;
	n = fraction(r, whole->next + 1, &a, &b);
	if (n == 0 || !is_part_of_one(a, b))
		return 0;
	spoken_add_word(w, "and");
	if (a == 1)
		spoken_add_word(w, b == 8 ? "an" : "a");
	else
		spoken_add_number(w, a, SPOKEN_CARDINAL);
	add_parts(w, a, b);
	n += 1;
	return n + spoken_unit(w, r, whole->next + n, false);
}

/* "e6", "E-9" at i, of a number as programs write it. */
static size_t add_exponent(struct spoken_words *w, const struct reader *r,
			   size_t i)
{
	size_t sign = at(r, i + 1) == '-' || at(r, i + 1) == '+';
	size_t n = digits(r, i + 1 + sign);

	if ((at(r, i) | 0x20) != 'e' || n < 1 || n > 3 ||
	    !ends(r, i + 1 + sign + n))
		return 0;
	spoken_add_word(w, "times ten to the power of");
	if (at(r, i + 1) == '-')
		spoken_add_word(w, "minus");
	spoken_add_number(w, value(r, i + 1 + sign, n), SPOKEN_CARDINAL);
	return 1 + sign + n;
}

static size_t plain(struct spoken_words *w, const struct reader *r, size_t i)
{
	struct spoken_words behind = {.n = 0};
	const struct currency *c;
	struct number n;
	size_t taken;

	spoken_read_number(&n, r, i);
	taken = ordinal(r, &n);
	if (taken > 0) {
		spoken_add_whole(w, r, &n, SPOKEN_ORDINAL);
		return taken;
	}
	taken = decade(w, r, &n);
	if (taken > 0)
		return taken;
	c = spoken_currency(r, n.next);
	if (c && ends(r, n.next + strlen(c->mark))) {
		n.next += strlen(c->mark);
		return spoken_money(w, r, c, &n);
	}
	taken = spoken_unit(&behind, r, n.next, spoken_is_one(r, &n));
	spoken_add_whole(w, r, &n,
			 is_year(r, &n) && taken == 0 ? SPOKEN_YEAR
						      : SPOKEN_CARDINAL);
	spoken_add_fraction(w, r, &n);
	if (taken == 0)
		taken = add_mixed(w, r, &n);
	if (taken == 0)
		taken = add_exponent(w, r, n.next);
	spoken_add(w, behind.text, behind.n);
	return n.next + taken;
}

/* Whether a number begins at i, its digits or its point. */
static bool is_number(const struct reader *r, size_t i)
{
	return is_digit(at(r, i)) ||
	       (at(r, i) == '.' && is_digit(at(r, i + 1)));
}

/* -5, +1, -$5, $-5 */
static size_t with_sign(struct spoken_words *w, const struct reader *r,
			char before)
{
	const struct currency *c = spoken_currency(r, 0);
	size_t mark = c ? strlen(c->mark) : 0;
	char sign = at(r, mark);
	struct number n;
	int64_t a, b;

	if ((sign != '-' && sign != '+') || before == '-' || before == ')' ||
	    is_letter(before) || is_digit(before))
		return 0;
	if (!c) {
		c = spoken_currency(r, 1);
		mark = c ? strlen(c->mark) : 0;
	}
	if (!is_number(r, 1 + mark))
		return 0;
	spoken_add_word(w, sign == '-' ? "minus" : "plus");
	if (!c && fraction(r, 1, &a, &b) > 0 && is_part_of_one(a, b)) {
		const struct reader rest = {r->text + 1, r->len - 1};

		return 1 + pair(w, &rest);
	}
	if (!c)
		return plain(w, r, 1);
	spoken_read_number(&n, r, 1 + mark);
	return spoken_money(w, r, c, &n);
}

size_t spoken_number(struct spoken_words *w, const char *text, size_t len,
		     char before)
{
	static size_t (*const shapes[])(struct spoken_words *,
					const struct reader *) = {
		spoken_date, spoken_clock_time, parts, range,
		pair,	     height,		product,
	};
	const struct reader r = {text, len};
	const struct currency *c = spoken_currency(&r, 0);
	bool apart = !is_letter(before) && !is_digit(before);
	struct number n;
	size_t taken = with_sign(w, &r, before);

	if (taken > 0)
		return taken;
	if (c && is_number(&r, strlen(c->mark))) {
		spoken_read_number(&n, &r, strlen(c->mark));
		return spoken_money(w, &r, c, &n);
	}
	if (at(&r, 0) == '#' && is_digit(at(&r, 1))) {
		spoken_add_word(w, "number");
		return plain(w, &r, 1);
	}
	/* ".5" begins a number, the stop of "end.5" does not. */
	if (at(&r, 0) == '.' && apart && before != '.' && before != ')' &&
	    is_digit(at(&r, 1)))
		return plain(w, &r, 0);
	if (!is_digit(at(&r, 0)))
		return 0;
	for (size_t i = 0; i < N(shapes) && apart; i++) {
		taken = shapes[i](w, &r);
		if (taken > 0)
			return taken;
	}
	return plain(w, &r, 0);
}
