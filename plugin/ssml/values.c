/* SPDX-License-Identifier: MIT */
#include "values.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ssml.h"

#define FACTOR_MIN 0.1
#define FACTOR_MAX 10.0
#define BREAK_MS 400 /* of a <break/> that says no more */

struct label {
	const char *name;
	double value;
};

static bool by_label(const struct label *labels, size_t n, const char *name,
		     double *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(labels[i].name, name) == 0) {
			*ret = labels[i].value;
			return true;
		}
	}
	return false;
}

static double clamp(double v, double low, double high)
{
	return v < low ? low : v > high ? high : v;
}

/* What a number is followed by; NULL: it is none. */
static const char *number(const char *value, double *ret, bool *ret_signed)
{
	const char *digits;
	char *end;

	value += strspn(value, " \t\r\n");
	*ret_signed = *value == '+' || *value == '-';
	digits = value + *ret_signed;
	/* No "inf", "nan" or hexadecimal. */
	if (strspn(digits, "0123456789.") == 0 || digits[1] == 'x' ||
	    digits[1] == 'X')
		return NULL;
	*ret = strtod(value, &end);
	return end == value || !isfinite(*ret) ? NULL : end;
}

/* "+20%" is 1.2, "120%" too. */
static double percent(double v, bool is_signed)
{
	return is_signed ? 1 + v / 100 : v / 100;
}

/* What an attribute stands for: one of its labels, or a number with a unit. */
static double factor(const char *value, const struct label *labels,
		     size_t n_labels,
		     double (*of)(double v, const char *unit, bool is_signed),
		     double least)
{
	double v = 1;
	bool is_signed;
	const char *unit;

	if (!value || by_label(labels, n_labels, value, &v))
		return v;
	unit = number(value, &v, &is_signed);
	return unit ? clamp(of(v, unit, is_signed), least, FACTOR_MAX) : 1;
}

static double rate_of(double v, const char *unit, bool is_signed)
{
	return *unit == '%' ? percent(v, is_signed) : is_signed ? 1 + v : v;
}

/* In semitones; whose voice has how many hertz is not known. */
static double pitch_of(double v, const char *unit, bool is_signed)
{
	return *unit == '%'			? percent(v, is_signed)
	       : strncmp(unit, "st", 2) == 0 ? exp2(v / 12)
						: 1;
}

static double volume_of(double v, const char *unit, bool is_signed)
{
	return strncmp(unit, "dB", 2) == 0 ? pow(10, v / 20)
					   : percent(v, is_signed);
}

double ssml_rate(const char *value)
{
	static const struct label labels[] = {
		{"x-slow", .5}, {"slow", .75}, {"fast", 1.4}, {"x-fast", 2},
	};

	return factor(value, labels, 4, rate_of, FACTOR_MIN);
}

double ssml_pitch(const char *value)
{
	static const struct label labels[] = {
		{"x-low", .7}, {"low", .85}, {"high", 1.15}, {"x-high", 1.35},
	};

	return factor(value, labels, 4, pitch_of, FACTOR_MIN);
}

double ssml_volume(const char *value)
{
	static const struct label labels[] = {
		{"silent", 0}, {"x-soft", .3}, {"soft", .6}, {"loud", 1.4},
		{"x-loud", 2},
	};

	return factor(value, labels, 5, volume_of, 0);
}

unsigned ssml_pause(const char *time, const char *strength)
{
	static const struct label labels[] = {
		{"none", 0},	 {"x-weak", 100},  {"weak", 200},
		{"strong", 700}, {"x-strong", 1200},
	};
	double v = BREAK_MS;
	bool is_signed;
	const char *unit = time ? number(time, &v, &is_signed) : NULL;

	if (unit && (strcmp(unit, "s") == 0 || strcmp(unit, "ms") == 0))
		return (unsigned)clamp(*unit == 's' ? v * 1000 : v, 0,
				       SSML_PAUSE_MAX);
	v = BREAK_MS;
	if (strength)
		by_label(labels, 5, strength, &v);
	return (unsigned)v;
}
