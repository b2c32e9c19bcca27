/* SPDX-License-Identifier: MIT */
/* What stands behind a number, or before it: units, money. */
#include "spoken_read.h"

#include <string.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

static const struct unit {
	const char *unit, *one, *many;
} units[] = {
	{"%", "percent", "percent"},
	{"\u00b0C", "degree Celsius", "degrees Celsius"},
	{"\u00b0F", "degree Fahrenheit", "degrees Fahrenheit"},
	{"\u00b0", "degree", "degrees"},
	{"\u03bcm", "micrometer", "micrometers"},
	{"\u03bcs", "microsecond", "microseconds"},
	{"\u03bcg", "microgram", "micrograms"},
	{"\u03bcF", "microfarad", "microfarads"},
	{"k\u03a9", "kilohm", "kilohms"},
	{"M\u03a9", "megohm", "megohms"},
	{"\u03a9", "ohm", "ohms"},
	{"\u00a2", "cent", "cents"},
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
	{"nm", "nanometer", "nanometers"},
	{"ns", "nanosecond", "nanoseconds"},
	{"kB", "kilobyte", "kilobytes"},
	{"KB", "kilobyte", "kilobytes"},
	{"MB", "megabyte", "megabytes"},
	{"GB", "gigabyte", "gigabytes"},
	{"TB", "terabyte", "terabytes"},
	{"KiB", "kibibyte", "kibibytes"},
	{"MiB", "mebibyte", "mebibytes"},
	{"GiB", "gibibyte", "gibibytes"},
	{"TiB", "tebibyte", "tebibytes"},
	{"kW", "kilowatt", "kilowatts"},
	{"kWh", "kilowatt hour", "kilowatt hours"},
	{"MW", "megawatt", "megawatts"},
	{"Wh", "watt hour", "watt hours"},
	{"W", "watt", "watts"},
	{"kV", "kilovolt", "kilovolts"},
	{"mV", "millivolt", "millivolts"},
	{"V", "volt", "volts"},
	{"mA", "milliampere", "milliamperes"},
	{"mAh", "milliampere hour", "milliampere hours"},
	{"Kbps", "kilobit a second", "kilobits a second"},
	{"kbps", "kilobit a second", "kilobits a second"},
	{"Mbps", "megabit a second", "megabits a second"},
	{"Gbps", "gigabit a second", "gigabits a second"},
	{"fps", "frame a second", "frames a second"},
	{"rpm", "revolution a minute", "revolutions a minute"},
	{"kcal", "kilocalorie", "kilocalories"},
	{"sq ft", "square foot", "square feet"},
	{"mi", "mile", "miles"},
	{"yd", "yard", "yards"},
	{"mL", "milliliter", "milliliters"},
	{"cl", "centiliter", "centiliters"},
	{"L", "liter", "liters"},
	{"ms", "millisecond", "milliseconds"},
	{"sec", "second", "seconds"},
	{"s", "second", "seconds"},
	{"min", "minute", "minutes"},
	{"secs", "second", "seconds"},
	{"mins", "minute", "minutes"},
	{"hrs", "hour", "hours"},
	{"hr", "hour", "hours"},
	{"h", "hour", "hours"},
	{"dB", "decibel", "decibels"},
	{"px", "pixel", "pixels"},
	{"x", "times", "times"},
};

/* What something is counted by: "a day", "5 MB/s". */
static const struct {
	const char *text, *word;
} per[] = {
	{"s", "second"},   {"sec", "second"}, {"second", "second"},
	{"min", "minute"}, {"minute", "minute"}, {"h", "hour"},
	{"hr", "hour"},	   {"hour", "hour"},  {"d", "day"},
	{"day", "day"},	   {"wk", "week"},    {"week", "week"},
	{"mo", "month"},   {"month", "month"}, {"yr", "year"},
	{"year", "year"},  {"kg", "kilogram"}, {"lb", "pound"},
	{"l", "liter"},	   {"L", "liter"},    {"ml", "milliliter"},
	{"km", "kilometer"}, {"kWh", "kilowatt hour"}, {"GB", "gigabyte"},
	{"user", "user"},  {"person", "person"},
};

static bool starts(const struct reader *r, size_t i, const char *with)
{
	size_t n = strlen(with);

	return i <= r->len && r->len - i >= n &&
	       strncmp(r->text + i, with, n) == 0;
}

/* "/s" at i. */
static size_t add_per(struct spoken_words *w, const struct reader *r, size_t i)
{
	if (at(r, i) != '/')
		return 0;
	for (size_t k = 0; k < N(per); k++) {
		size_t n = i + 1 + strlen(per[k].text);

		if (starts(r, i + 1, per[k].text) && ends(r, n) &&
		    at(r, n) != '/' && at(r, n) != '^') {
			spoken_add_word(w, "per");
			spoken_add_word(w, per[k].word);
			return n - i;
		}
	}
	return 0;
}

/* "m^2", "m2", "km^3" at i, behind a unit of length: its bytes. */
static size_t dimension(const struct reader *r, size_t i, const char *unit,
			const char **ret)
{
	static const char *const lengths[] = {"m", "km", "cm", "mm", "ft", "mi"};
	size_t n = at(r, i) == '^';
	char c = at(r, i + n);

	*ret = c == '2' ? "square" : "cubic";
	for (size_t k = 0; k < N(lengths); k++)
		if (strcmp(lengths[k], unit) == 0)
			return (c == '2' || c == '3') && ends(r, i + n + 1)
				       ? n + 1
				       : 0;
	return 0;
}

static bool is_word_itself(const char *unit)
{
	return strcmp(unit, "x") == 0 || strcmp(unit, "s") == 0;
}

size_t spoken_unit(struct spoken_words *w, const struct reader *r, size_t i,
		   bool one)
{
	size_t space = at(r, i) == ' ';

	for (size_t k = 0; k < N(units); k++) {
		const struct unit *u = &units[k];
		size_t n = i + space + strlen(u->unit), more = 0;
		const char *prefix = NULL;

		if (!starts(r, i + space, u->unit))
			continue;
		more = dimension(r, n, u->unit, &prefix);
		if (is_letter(r->text[n - 1]) && !ends(r, n) && more == 0)
			continue;
		/* "5 m" is one; but "x" and "s" after a space are words. */
		if (space && is_word_itself(u->unit))
			continue;
		if (more > 0)
			spoken_add_word(w, prefix);
		spoken_add_word(w, one ? u->one : u->many);
		n += more;
		return n + add_per(w, r, n) - i;
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
		{"bn", "billion"},	   {"m", "million"},
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

static const struct currency currencies[] = {
	{"$", "dollar", "dollars", "cent", "cents"},
	{"\u20ac", "euro", "euros", "cent", "cents"},
	{"\u00a3", "pound", "pounds", "penny", "pence"},
	{"\u00a5", "yen", "yen", NULL, NULL},
	{"\u00a2", "cent", "cents", NULL, NULL},
	{"\u20b9", "rupee", "rupees", "paisa", "paise"},
	{"\u20bd", "ruble", "rubles", "kopeck", "kopecks"},
	{"\u20a9", "won", "won", NULL, NULL},
	{"\u20aa", "shekel", "shekels", NULL, NULL},
	{"\u20ba", "lira", "lira", NULL, NULL},
	{"\u20b4", "hryvnia", "hryvnias", NULL, NULL},
	{"\u20bf", "bitcoin", "bitcoins", NULL, NULL},
};

const struct currency *spoken_currency(const struct reader *r, size_t i)
{
	for (size_t k = 0; k < N(currencies); k++)
		if (starts(r, i, currencies[k].mark))
			return &currencies[k];
	return NULL;
}

static void add_cents(struct spoken_words *w, const struct reader *r,
		      const struct currency *c, const struct number *n,
		      int64_t cents)
{
	size_t len = n->end - n->begin;

	if (value(r, n->begin, len) > 0 || cents == 0) {
		spoken_add_whole(w, r, n, SPOKEN_CARDINAL);
		spoken_add_word(w, len == 1 && r->text[n->begin] == '1'
					   ? c->one
					   : c->many);
		if (cents > 0)
			spoken_add_word(w, "and");
	}
	if (cents > 0) {
		spoken_add_number(w, cents, SPOKEN_CARDINAL);
		spoken_add_word(w, cents == 1 ? c->part : c->parts);
	}
}

/* "to ten" of "$5-10" and "$5-$10", whose money is named once, behind both. */
static size_t add_second(struct spoken_words *w, const struct reader *r,
			 const struct currency *c, size_t i)
{
	size_t mark = starts(r, i + 1, c->mark) ? strlen(c->mark) : 0;
	struct spoken_words large = {.n = 0};
	struct number n;
	size_t scaled;

	if (at(r, i) != '-' || !is_digit(at(r, i + 1 + mark)))
		return 0;
	spoken_read_number(&n, r, i + 1 + mark);
	scaled = scale(&large, r, n.next);
	spoken_add_word(w, "to");
	spoken_add_whole(w, r, &n, SPOKEN_CARDINAL);
	spoken_add_fraction(w, r, &n);
	spoken_add(w, large.text, large.n);
	return n.next + scaled - i;
}

size_t spoken_money(struct spoken_words *w, const struct reader *r,
		    const struct currency *c, const struct number *n)
{
	struct spoken_words large = {.n = 0};
	size_t scaled = scale(&large, r, n->next), end = n->next + scaled;
	int64_t cents = value(r, n->fraction, n->n_fraction);
	bool one = spoken_is_one(r, n) && scaled == 0;
	size_t second;

	if (scaled == 0 && n->n_fraction == 2 && c->part) {
		add_cents(w, r, c, n, cents);
		return end + add_per(w, r, end);
	}
	spoken_add_whole(w, r, n, SPOKEN_CARDINAL);
	spoken_add_fraction(w, r, n);
	spoken_add(w, large.text, large.n);
	second = add_second(w, r, c, end);
	spoken_add_word(w, one && second == 0 ? c->one : c->many);
	end += second;
	return end + add_per(w, r, end);
}
