/* SPDX-License-Identifier: MIT */
/* Dates and times of day. */
#include "spoken_read.h"

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

size_t spoken_date(struct spoken_words *w, const struct reader *r)
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

size_t spoken_clock_time(struct spoken_words *w, const struct reader *r)
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
