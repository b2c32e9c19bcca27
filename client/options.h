/* SPDX-License-Identifier: MIT */
/*
 * A command's options as a table, over getopt_long; and the one line that a
 * failing command prints.
 *
 *	const char *voice = NULL;
 *	double rate = 0;
 *	const struct option_def defs[] = {
 *		OPTION_STRING('v', "voice", &voice),
 *		OPTION_DOUBLE(0, "rate", &rate, 0.25, 4),
 *	};
 *	int first, status;
 *
 *	status = options_parse(argc, argv, defs, ARRAY_LEN(defs), &first);
 *	if (status)
 *		return status;
 *
 * Options may follow other arguments; "--" ends them, "-" is no option.
 * Afterwards argv[first..argc) are the other arguments.
 */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

enum option_kind {
	OPTION_KIND_FLAG,   /* bool */
	OPTION_KIND_STRING, /* const char *, points into argv */
	OPTION_KIND_DOUBLE,
	OPTION_KIND_U64,
	OPTION_KIND_CHOICE, /* int: the index of the word */
};

struct option_def {
	char letter;      /* 0: long only */
	const char *name;
	enum option_kind kind;
	void *dest;
	bool *given;      /* set to true when the option occurs; may be NULL */
	double min, max;  /* DOUBLE */
	uint64_t umin, umax; /* U64 */
	const char *const *choices; /* CHOICE, ends with NULL */
};

#define OPTION_FLAG(letter, name, dest) \
	{ letter, name, OPTION_KIND_FLAG, dest, NULL, 0, 0, 0, 0, NULL }
#define OPTION_STRING(letter, name, dest) \
	{ letter, name, OPTION_KIND_STRING, dest, NULL, 0, 0, 0, 0, NULL }
#define OPTION_DOUBLE(letter, name, dest, min, max) \
	{ letter, name, OPTION_KIND_DOUBLE, dest, NULL, min, max, 0, 0, NULL }
#define OPTION_U64(letter, name, dest, given, min, max) \
	{ letter, name, OPTION_KIND_U64, dest, given, 0, 0, min, max, NULL }
#define OPTION_CHOICE(letter, name, dest, given, choices) \
	{ letter, name, OPTION_KIND_CHOICE, dest, given, 0, 0, 0, 0, choices }

/* 0, or EXIT_USAGE after having said why on stderr. */
int options_parse(int argc, char **argv, const struct option_def *defs,
		  size_t n, int *ret_first);

/* Prints "barkctl: MESSAGE" on stderr; returns EXIT_FAILED. */
__attribute__((format(printf, 1, 2))) int options_fail(const char *fmt, ...);
/* The same with "; see barkctl help CMD"; returns EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int options_usage(const char *cmd,
							const char *fmt, ...);

/* Prints a value, which it takes, on standard output; an exit status. */
int options_print_json(json_t *value);

/*
 * The text to speak: the arguments joined by spaces; "-" alone reads standard
 * input; with allow_file "@FILE" alone reads FILE. *ret is freed by the caller
 * and holds *ret_len bytes of UTF-8 plus a NUL. Returns an exit status, having
 * said why.
 */
int options_text(char **ret, size_t *ret_len, const char *cmd, int argc,
		 char **argv, bool allow_file);

#endif
