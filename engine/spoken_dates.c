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

/* Behind a date: "T10:30:00.5Z" as "at ten thirty". */
static size_t time_of_day(struct spoken_words *w, const struct reader *r,
			  size_t i)
{
	struct spoken_words time = {.n = 0};
	struct reader rest;
	size_t n;

	if (at(r, i) != 'T' || !is_digit(at(r, i + 1)))
		return 0;
	rest = (struct reader){r->text + i + 1, r->len - i - 1};
	n = spoken_clock_time(&time, &rest);
	if (n == 0)
		return 0;
	spoken_add_word(w, "at");
	spoken_add(w, time.text, time.n);
	if (at(&rest, n) == '.')
		n += 1 + digits(&rest, n + 1);
	if (at(&rest, n) == 'Z') {
		spoken_add_letters(w, "UTC", 3);
		n++;
	}
	return 1 + n;
}

size_t spoken_date(struct spoken_words *w, const struct reader *r)
{
	size_t a = digits(r, 0), b = digits(r, a + 1);
	size_t c = digits(r, a + b + 2), n = a + b + c + 2;
	int64_t x = value(r, 0, a), y = value(r, a + 1, b);
	int64_t z = value(r, a + b + 2, c);
	bool time = a == 4 && at(r, n) == 'T' && is_digit(at(r, n + 1));
	char mark = at(r, a);

	if ((mark != '-' && mark != '/' && mark != '.') ||
	    at(r, a + b + 1) != mark || b < 1 || b > 2 ||
	    (!ends(r, n) && !time))
		return 0;
	if (a == 4 && c >= 1 && c <= 2 && mark != '.' &&
	    add_date(w, x, y, z))
		return n + time_of_day(w, r, n);
	if (a < 1 || a > 2 || c != 4)
		return 0;
	/* The month comes first between strokes, but where it cannot. */
	if (mark == '/' && x <= 12)
		return add_date(w, z, x, y) ? n : 0;
	return add_date(w, z, y, x) ? n : 0;
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
