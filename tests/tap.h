/* SPDX-License-Identifier: MIT */
/*
 * What every test program prints: one line `ok NAME`, `not ok NAME: why` or
 * `skip NAME: why` a test, on standard output; exit status 0 when none failed.
 */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <stdarg.h>
#include <stdio.h>

static int tap_failed;

__attribute__((unused, format(printf, 2, 3))) static void
tap_not_ok(const char *name, const char *why, ...)
{
	va_list ap;

	printf("not ok %s: ", name);
	va_start(ap, why);
	vprintf(why, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	tap_failed = 1;
}

__attribute__((unused)) static void tap_ok(const char *name)
{
	printf("ok %s\n", name);
	fflush(stdout);
}

__attribute__((unused)) static void tap_skip(const char *name, const char *why)
{
	printf("skip %s: %s\n", name, why);
	fflush(stdout);
}

/* Fails the test and leaves the function when cond does not hold. */
#define TAP_CHECK(name, cond)                                              \
	do {                                                               \
		if (!(cond)) {                                             \
			tap_not_ok(name, "%s:%d: %s", __FILE__, __LINE__,  \
				   #cond);                                 \
			return;                                            \
		}                                                          \
	} while (0)

#endif
