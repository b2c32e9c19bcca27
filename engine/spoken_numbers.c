/* SPDX-License-Identifier: MIT */
/* Numbers and what stands with them: dates, times, money, units. */
#include "spoken_out.h"

#include <pthread.h>
#include <string.h>
#include <strings.h>

#include <unicode/unum.h>
#include <unicode/ustring.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define DIGITS_MAX 15 /* of a number that is read as one */
/* Bounds of what is looked at for one, so that no text takes long. */
#define RUN_MAX 40
#define PARTS_MAX 12

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* --- ICU --- */

static void add_digit_names(struct spoken_words *w, int64_t number)
{
	static const char *const names[] = {"zero", "one", "two", "three",
					    "four", "five", "six", "seven",
					    "eight", "nine"};
	char reversed[20];
	size_t n = 0;

	do
		reversed[n++] = (char)(number % 10);
	while ((number /= 10) > 0);
	while (n > 0)
		spoken_add_word(w, names[(int)reversed[--n]]);
}

/* Opening the rules takes a millisecond: once for all, and one at a time. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static UNumberFormat *formats[3];

static UNumberFormat *format_of(enum spoken_style style)
{
	static const char *const rules[] = {
		[SPOKEN_CARDINAL] = "%spellout-cardinal",
		[SPOKEN_ORDINAL] = "%spellout-ordinal",
		[SPOKEN_YEAR] = "%spellout-numbering-year",
	};
	UErrorCode e = U_ZERO_ERROR;
	UChar rule[32];
	UNumberFormat *f = formats[style];

	if (f)
		return f;
	f = unum_open(UNUM_SPELLOUT, NULL, 0, "en", NULL, &e);
	u_uastrcpy(rule, rules[style]);
	unum_setTextAttribute(f, UNUM_DEFAULT_RULESET, rule, -1, &e);
	if (U_FAILURE(e)) {
		unum_close(f);
		return NULL;
	}
	formats[style] = f;
	return f;
}

void spoken_add_number(struct spoken_words *w, int64_t number,
		       enum spoken_style style)
{
	UErrorCode e = U_ZERO_ERROR;
	UChar wide[256];
	char text[256];
	int32_t n = 0;
	UNumberFormat *f;

	pthread_mutex_lock(&lock);
	f = format_of(style);
	if (f)
		n = unum_formatInt64(f, number, wide, N(wide), NULL, &e);
	pthread_mutex_unlock(&lock);
	u_strToUTF8(text, sizeof(text), &n, wide, n, &e);
	if (!f || U_FAILURE(e)) {
		/* Without ICU's rules a number is read by its digits. */
		add_digit_names(w, number);
		return;
	}
	for (int32_t i = 0; i < n; i++)
		if (text[i] == '-')
			text[i] = ' ';
	spoken_add(w, text, (size_t)n);
}

/* --- reading --- */

struct reader {
	const char *text;
	size_t len;
};

static char at(const struct reader *r, size_t i)
{
	return i < r->len ? r->text[i] : '\0';
}

static size_t digits(const struct reader *r, size_t i)
{
	size_t n = 0;

	while (n < RUN_MAX && is_digit(at(r, i + n)))
		n++;
	return n;
}

/* Of more digits than a number may have: its beginning's. */
static int64_t value(const struct reader *r, size_t i, size_t n)
{
	int64_t v = 0;

	for (; n > 0 && v < INT64_MAX / 100; n--, i++)
		if (is_digit(r->text[i]))
			v = 10 * v + (r->text[i] - '0');
	return v;
}

static bool starts(const struct reader *r, size_t i, const char *with)
{
	size_t n = strlen(with);

	return i <= r->len && r->len - i >= n &&
	       strncmp(r->text + i, with, n) == 0;
}

/* Whether a word or a number ends in front of i. */
static bool ends(const struct reader *r, size_t i)
{
	char c = at(r, i);

	return !is_digit(c) && !is_letter(c) && c != '_' && !(c & 0x80);
}

/* --- dates and times --- */

static const char *const months[] = {
	"January", "February", "March",	    "April",   "May",	   "June",
	"July",	   "August",   "September", "October", "November", "December",
};

static bool add_date(struct spoken_words *w, int64_t year, int64_t month,
		     int64_t day)
{
	if (month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	spoken_add_word(w, months[month - 1]);
	spoken_add_number(w, day, SPOKEN_ORDINAL);
	spoken_add_mark(w, ',');
	spoken_add_number(w, year, SPOKEN_YEAR);
	return true;
}

/* 2026-11-25, 11/25/2026 */
static size_t date(struct spoken_words *w, const struct reader *r)
{
	size_t a = digits(r, 0), b = digits(r, a + 1);
	size_t c = digits(r, a + b + 2), n = a + b + c + 2;
	char mark = at(r, a);

	if ((mark != '-' && mark != '/') || at(r, a + b + 1) != mark ||
	    b < 1 || b > 2 || !ends(r, n))
		return 0;
	if (a == 4 && c >= 1 && c <= 2 &&
	    add_date(w, value(r, 0, a), value(r, a + 1, b),
		     value(r, a + b + 2, c)))
		return n;
	if (mark == '/' && a >= 1 && a <= 2 && c == 4 &&
	    add_date(w, value(r, a + b + 2, c), value(r, 0, a),
		     value(r, a + 1, b)))
		return n;
	return 0;
}

/* am, p.m., PM, with or without a space in front. */
static size_t half_of_day(struct spoken_words *w, const struct reader *r,
			  size_t i)
{
	size_t from = at(r, i) == ' ' ? i + 1 : i, n = from;
	char half = at(r, n) | 0x20;

	if (half != 'a' && half != 'p')
		return 0;
	n += at(r, n + 1) == '.' ? 2 : 1;
	if ((at(r, n) | 0x20) != 'm' || !ends(r, n + 1))
		return 0;
	spoken_add(w, &half, 1);
	spoken_add_word(w, "m");
	n++;
	/* The stop of "p.m." and not of the sentence. */
	if (at(r, from + 1) == '.' && at(r, n) == '.' && n + 1 < r->len)
		n++;
	return n - i;
}

/* 9:05, 17:30:10, 9 pm */
static size_t clock_time(struct spoken_words *w, const struct reader *r)
{
	size_t a = digits(r, 0), b = digits(r, a + 1), n, half;
	int64_t hour = value(r, 0, a < 3 ? a : 0), minute;
	struct spoken_words suffix = {.n = 0};

	if (a < 1 || a > 2 || hour > 24)
		return 0;
	if (at(r, a) != ':') {
		half = half_of_day(&suffix, r, a);
		if (half == 0 || hour < 1 || hour > 12)
			return 0;
		spoken_add_number(w, hour, SPOKEN_CARDINAL);
		spoken_add(w, suffix.text, suffix.n);
		return a + half;
	}
	minute = value(r, a + 1, b < 3 ? b : 0);
	n = a + 1 + b;
	if (b != 2 || minute > 59 || is_digit(at(r, n)))
		return 0;
	spoken_add_number(w, hour, SPOKEN_CARDINAL);
	if (at(r, n) == ':' && digits(r, n + 1) == 2) {
		spoken_add_number(w, minute, SPOKEN_CARDINAL);
		spoken_add_word(w, "and");
		spoken_add_number(w, value(r, n + 1, 2), SPOKEN_CARDINAL);
		spoken_add_word(w, "seconds");
		return n + 3;
	}
	half = half_of_day(&suffix, r, n);
	if (minute > 0) {
		if (minute < 10)
			spoken_add_word(w, "oh");
		spoken_add_number(w, minute, SPOKEN_CARDINAL);
	} else if (half == 0) {
		spoken_add_word(w, hour > 0 && hour < 13 ? "o'clock"
							 : "hundred");
	}
	spoken_add(w, suffix.text, suffix.n);
	return n + half;
}

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
		date, clock_time, parts, pair,
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
