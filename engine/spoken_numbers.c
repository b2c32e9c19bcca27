/* SPDX-License-Identifier: MIT */
/* Numbers and what stands with them: money, units. */
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

/* 1/2, 3/4; 10-20 */
static size_t pair(struct spoken_words *w, const struct reader *r)
{
	size_t a = digits(r, 0), b = digits(r, a + 1), n = a + 1 + b;
	char mark = at(r, a);
	int64_t x, y;

	if ((mark != '/' && mark != '-') || a > 4 || b < 1 || b > 4 ||
	    !ends(r, n) || (at(r, n) == mark && is_digit(at(r, n + 1))))
		return 0;
	x = value(r, 0, a);
	y = value(r, a + 1, b);
	spoken_add_number(w, x, a == 4 && b == 4 ? SPOKEN_YEAR
						 : SPOKEN_CARDINAL);
	if (mark == '-') {
		spoken_add_word(w, "to");
		spoken_add_number(w, y, a == 4 && b == 4 ? SPOKEN_YEAR
							 : SPOKEN_CARDINAL);
	} else if (x < y && y == 2) {
		spoken_add_word(w, "half");
	} else if (x > 0 && x < y && y == 4) {
		spoken_add_word(w, x > 1 ? "quarters" : "quarter");
	} else if (x > 0 && x < y && y <= 10) {
		spoken_add_number(w, y, SPOKEN_ORDINAL);
		if (x > 1)
			spoken_add_mark(w, 's');
	} else {
		spoken_add_word(w, "slash");
		spoken_add_number(w, y, SPOKEN_CARDINAL);
	}
	return n;
}

/* --- what stands behind --- */

static const struct {
	const char *unit, *one, *many;
} units[] = {
	{"%", "percent", "percent"},
	{"\u00b0C", "degree Celsius", "degrees Celsius"},
	{"\u00b0F", "degree Fahrenheit", "degrees Fahrenheit"},
	{"\u00b0", "degree", "degrees"},
	{"km/h", "kilometer an hour", "kilometers an hour"},
	{"mph", "mile an hour", "miles an hour"},
	{"km", "kilometer", "kilometers"},
	{"cm", "centimeter", "centimeters"},
	{"mm", "millimeter", "millimeters"},
	{"m", "meter", "meters"},
	{"kg", "kilogram", "kilograms"},
	{"mg", "milligram", "milligrams"},
	{"g", "gram", "grams"},
	{"lbs", "pound", "pounds"},
	{"lb", "pound", "pounds"},
	{"oz", "ounce", "ounces"},
	{"ft", "foot", "feet"},
	{"ml", "milliliter", "milliliters"},
	{"l", "liter", "liters"},
	{"kHz", "kilohertz", "kilohertz"},
	{"MHz", "megahertz", "megahertz"},
	{"GHz", "gigahertz", "gigahertz"},
	{"Hz", "hertz", "hertz"},
	{"kB", "kilobyte", "kilobytes"},
	{"KB", "kilobyte", "kilobytes"},
	{"MB", "megabyte", "megabytes"},
	{"GB", "gigabyte", "gigabytes"},
	{"TB", "terabyte", "terabytes"},
	{"MiB", "mebibyte", "mebibytes"},
	{"GiB", "gibibyte", "gibibytes"},
	{"kW", "kilowatt", "kilowatts"},
	{"kWh", "kilowatt hour", "kilowatt hours"},
	{"W", "watt", "watts"},
	{"ms", "millisecond", "milliseconds"},
	{"sec", "second", "seconds"},
	{"s", "second", "seconds"},
	{"min", "minute", "minutes"},
	{"hrs", "hour", "hours"},
	{"h", "hour", "hours"},
	{"dB", "decibel", "decibels"},
	{"px", "pixel", "pixels"},
	{"x", "times", "times"},
};

static bool starts(const struct reader *r, size_t i, const char *with)
{
	size_t n = strlen(with);

	return i <= r->len && r->len - i >= n &&
	       strncmp(r->text + i, with, n) == 0;
}

static size_t unit(struct spoken_words *w, const struct reader *r, size_t i,
		   bool one)
{
	size_t space = at(r, i) == ' ';

	for (size_t k = 0; k < N(units); k++) {
		size_t n = i + space + strlen(units[k].unit);

		if (!starts(r, i + space, units[k].unit) ||
		    (is_letter(r->text[n - 1]) && !ends(r, n)))
			continue;
		/* "5 m" is one; but "x" and "s" after a space are words. */
		if (space && strchr("xs", units[k].unit[0]) &&
		    units[k].unit[1] == '\0')
			continue;
		spoken_add_word(w, one ? units[k].one : units[k].many);
		return n - i;
	}
	return 0;
}

/* thousand, million ...; K, M, B: of money. */
static size_t scale(struct spoken_words *w, const struct reader *r, size_t i)
{
	static const struct {
		const char *text, *word;
	} scales[] = {
		{" thousand", "thousand"}, {" million", "million"},
		{" billion", "billion"},   {" trillion", "trillion"},
		{"k", "thousand"},	   {"K", "thousand"},
		{"M", "million"},	   {"B", "billion"},
	};

	for (size_t k = 0; k < N(scales); k++) {
		size_t n = i + strlen(scales[k].text);

		if (starts(r, i, scales[k].text) && ends(r, n)) {
			spoken_add_word(w, scales[k].word);
			return n - i;
		}
	}
	return 0;
}

static const struct currency {
	const char *mark, *one, *many, *part, *parts;
} currencies[] = {
	{"$", "dollar", "dollars", "cent", "cents"},
	{"\u20ac", "euro", "euros", "cent", "cents"},
	{"\u00a3", "pound", "pounds", "penny", "pence"},
	{"\u00a5", "yen", "yen", NULL, NULL},
};

static const struct currency *currency(const struct reader *r, size_t i)
{
	for (size_t k = 0; k < N(currencies); k++)
		if (starts(r, i, currencies[k].mark))
			return &currencies[k];
	return NULL;
}

/* --- one number --- */

struct number {
	size_t begin, end;	 /* of the whole part, with its commas */
	size_t fraction, n_fraction; /* digits behind the point */
	size_t next;
	bool grouped;
};

static void read_number(struct number *ret, const struct reader *r, size_t i)
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

static void add_whole(struct spoken_words *w, const struct reader *r,
		      const struct number *n, enum spoken_style style)
{
	size_t len = n->end - n->begin;

	if ((r->text[n->begin] == '0' && len > 1) ||
	    (len > DIGITS_MAX && !n->grouped))
		spoken_add_digits(w, r->text + n->begin, len);
	else
		spoken_add_number(w, value(r, n->begin, len), style);
}

static void add_fraction(struct spoken_words *w, const struct reader *r,
			 const struct number *n)
{
	if (n->n_fraction == 0)
		return;
	spoken_add_word(w, "point");
	spoken_add_digits(w, r->text + n->fraction, n->n_fraction);
}

static bool is_one(const struct reader *r, const struct number *n)
{
	return n->end - n->begin == 1 && r->text[n->begin] == '1' &&
	       n->n_fraction == 0;
}

static size_t money(struct spoken_words *w, const struct reader *r,
		    const struct currency *c, const struct number *n)
{
	struct spoken_words large = {.n = 0};
	size_t scaled = scale(&large, r, n->next);
	int64_t cents = value(r, n->fraction, n->n_fraction);

	if (scaled > 0 || n->n_fraction != 2 || !c->part) {
		add_whole(w, r, n, SPOKEN_CARDINAL);
		add_fraction(w, r, n);
		spoken_add(w, large.text, large.n);
		spoken_add_word(w, is_one(r, n) && scaled == 0 ? c->one
							       : c->many);
		return n->next + scaled;
	}
	if (value(r, n->begin, n->end - n->begin) > 0 || cents == 0) {
		add_whole(w, r, n, SPOKEN_CARDINAL);
		spoken_add_word(w, r->text[n->begin] == '1' &&
						   n->end - n->begin == 1
					   ? c->one
					   : c->many);
		if (cents > 0)
			spoken_add_word(w, "and");
	}
	if (cents > 0) {
		spoken_add_number(w, cents, SPOKEN_CARDINAL);
		spoken_add_word(w, cents == 1 ? c->part : c->parts);
	}
	return n->next;
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

static size_t plain(struct spoken_words *w, const struct reader *r, size_t i)
{
	const struct currency *c;
	struct number n;
	size_t taken;

	read_number(&n, r, i);
	taken = ordinal(r, &n);
	if (taken > 0) {
		add_whole(w, r, &n, SPOKEN_ORDINAL);
		return taken;
	}
	taken = decade(w, r, &n);
	if (taken > 0)
		return taken;
	c = currency(r, n.next);
	if (c && ends(r, n.next + strlen(c->mark))) {
		n.next += strlen(c->mark);
		return money(w, r, c, &n);
	}
	{
		struct spoken_words behind = {.n = 0};

		taken = unit(&behind, r, n.next, is_one(r, &n));
		add_whole(w, r, &n,
			  is_year(r, &n) && taken == 0 ? SPOKEN_YEAR
						       : SPOKEN_CARDINAL);
		add_fraction(w, r, &n);
		spoken_add(w, behind.text, behind.n);
	}
	return n.next + taken;
}

size_t spoken_number(struct spoken_words *w, const char *text, size_t len,
		     char before)
{
	static size_t (*const shapes[])(struct spoken_words *,
					const struct reader *) = {
		spoken_date, spoken_clock_time, parts, pair,
	};
	const struct reader r = {text, len};
	const struct currency *c = currency(&r, 0);
	bool apart = !is_letter(before) && !is_digit(before);
	struct number n;

	if (c && is_digit(at(&r, strlen(c->mark)))) {
		read_number(&n, &r, strlen(c->mark));
		return money(w, &r, c, &n);
	}
	if (apart && (at(&r, 0) == '-' || at(&r, 0) == '+') &&
	    is_digit(at(&r, 1)) && before != '-' && before != ')') {
		spoken_add_word(w, at(&r, 0) == '-' ? "minus" : "plus");
		return plain(w, &r, 1);
	}
	if (at(&r, 0) == '#' && is_digit(at(&r, 1))) {
		spoken_add_word(w, "number");
		return plain(w, &r, 1);
	}
	if (!is_digit(at(&r, 0)))
		return 0;
	for (size_t i = 0; i < N(shapes) && apart; i++) {
		size_t taken = shapes[i](w, &r);

		if (taken > 0)
			return taken;
	}
	return plain(w, &r, 0);
}
