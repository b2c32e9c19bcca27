/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bark.h"
#include "commands.h"
#include "style.h"

#define MAX_OPTIONS 32
/* Values of long-only options start above every character. */
#define LONG_BASE 0x100

static void print_line(const char *fmt, va_list ap, const char *tail)
{
	char line[1024];

	vsnprintf(line, sizeof(line), fmt, ap);
	/* One line is promised, whatever a server or a file name contains. */
	for (char *p = line; *p; p++) {
		if (iscntrl((unsigned char)*p))
			*p = ' ';
	}
	fprintf(stderr, "%sbarkctl:%s %s%s\n", style_on(stderr, STYLE_BAD),
		style_off(stderr), line, tail);
}

int options_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line(fmt, ap, "");
	va_end(ap);
	return EXIT_FAILED;
}

int options_usage(const char *cmd, const char *fmt, ...)
{
	char tail[80];
	va_list ap;

	snprintf(tail, sizeof(tail), "; see barkctl help %s", cmd);
	va_start(ap, fmt);
	print_line(fmt, ap, tail);
	va_end(ap);
	return EXIT_USAGE;
}

int options_print_json(json_t *value)
{
	char *text = value ? json_dumps(value, JSON_INDENT(2)) : NULL;

	json_decref(value);
	if (!text)
		return options_fail("out of memory");
	printf("%s\n", text);
	free(text);
	return EXIT_OK;
}

static int parse_double(const char *cmd, const struct option_def *def,
			const char *arg)
{
	char *end;
	double v;

	errno = 0;
	v = strtod(arg, &end);
	if (errno || end == arg || *end || !isfinite(v) || v < def->min ||
	    v > def->max)
		return options_usage(cmd, "--%s takes a number from %g to %g, not '%s'",
				     def->name, def->min, def->max, arg);
	*(double *)def->dest = v;
	return EXIT_OK;
}

static int parse_u64(const char *cmd, const struct option_def *def,
		     const char *arg)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(arg, &end, 0);
	/* strtoull() takes "-1" for a large number. */
	if (errno || !isdigit((unsigned char)*arg) || *end || v < def->umin ||
	    v > def->umax)
		return options_usage(cmd, "--%s takes a whole number from %llu to %llu, not '%s'",
				     def->name, (unsigned long long)def->umin,
				     (unsigned long long)def->umax, arg);
	*(uint64_t *)def->dest = v;
	return EXIT_OK;
}

static int parse_choice(const char *cmd, const struct option_def *def,
			const char *arg)
{
	char words[256] = "";
	size_t len = 0;

	for (int i = 0; def->choices[i]; i++) {
		if (!strcmp(def->choices[i], arg)) {
			*(int *)def->dest = i;
			return EXIT_OK;
		}
		if (len < sizeof(words))
			len += (size_t)snprintf(words + len,
						sizeof(words) - len, "%s%s",
						i ? ", " : "",
						def->choices[i]);
	}
	return options_usage(cmd, "--%s is one of %s, not '%s'", def->name,
			     words, arg);
}

static int apply(const char *cmd, const struct option_def *def,
		 const char *arg)
{
	int status = EXIT_OK;

	switch (def->kind) {
	case OPTION_KIND_FLAG:
		*(bool *)def->dest = true;
		break;
	case OPTION_KIND_STRING:
		*(const char **)def->dest = arg;
		break;
	case OPTION_KIND_DOUBLE:
		status = parse_double(cmd, def, arg);
		break;
	case OPTION_KIND_U64:
		status = parse_u64(cmd, def, arg);
		break;
	case OPTION_KIND_CHOICE:
		status = parse_choice(cmd, def, arg);
		break;
	}
	if (!status && def->given)
		*def->given = true;
	return status;
}

static const struct option_def *find(const struct option_def *defs, size_t n,
				     int c)
{
	if (c >= LONG_BASE)
		return &defs[c - LONG_BASE];
	for (size_t i = 0; i < n; i++) {
		if (defs[i].letter == c)
			return &defs[i];
	}
	return NULL;
}

/* getopt_long() says neither which long option it was nor what it lacks. */
static int bad_option(int argc, char **argv, int c)
{
	char letter[3] = {'-', (char)optopt, 0};
	const char *what = optopt && optopt < LONG_BASE ? letter :
							   argv[optind - 1];

	return options_usage(argv[0],
			     c == ':' ? "option '%s' needs a value" :
					"unknown option '%s'",
			     what);
}

int options_parse(int argc, char **argv, const struct option_def *defs,
		  size_t n, int *ret_first)
{
	struct option longs[MAX_OPTIONS + 1] = {0};
	char shorts[2 * MAX_OPTIONS + 2] = ":";
	size_t nshort = 1;
	int c;

	if (n > MAX_OPTIONS)
		return options_fail("%s: too many options", argv[0]);
	for (size_t i = 0; i < n; i++) {
		bool value = defs[i].kind != OPTION_KIND_FLAG;

		if (defs[i].letter) {
			shorts[nshort++] = defs[i].letter;
			if (value)
				shorts[nshort++] = ':';
		}
		longs[i] = (struct option){
			.name = defs[i].name,
			.has_arg = value ? required_argument : no_argument,
			.val = LONG_BASE + (int)i,
		};
	}

	opterr = 0;
	optind = 0; /* glibc: start anew, a command may parse twice */
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct option_def *def;
		int status;

		if (c == '?' || c == ':')
			return bad_option(argc, argv, c);
		def = find(defs, n, c);
		status = apply(argv[0], def, optarg);
		if (status)
			return status;
	}
	*ret_first = optind;
	return EXIT_OK;
}

/* Reads at most BARK_TEXT_MAX bytes. */
static int read_stream(char **ret, size_t *ret_len, FILE *f, const char *name)
{
	char *buf = malloc(BARK_TEXT_MAX + 2);
	size_t len;

	if (!buf)
		return options_fail("out of memory");
	len = fread(buf, 1, BARK_TEXT_MAX + 1, f);
	if (ferror(f)) {
		free(buf);
		return options_fail("%s: cannot read: %s", name,
				    strerror(errno));
	}
	if (len > BARK_TEXT_MAX) {
		free(buf);
		return options_fail("%s: longer than %d bytes; split the text",
				    name, BARK_TEXT_MAX);
	}
	buf[len] = 0;
	*ret = buf;
	*ret_len = len;
	return EXIT_OK;
}

static int join(char **ret, size_t *ret_len, int argc, char **argv)
{
	size_t len = 0;
	char *buf, *p;

	for (int i = 0; i < argc; i++)
		len += strlen(argv[i]) + 1;
	if (len - 1 > BARK_TEXT_MAX)
		return options_fail("the text is longer than %d bytes; split it",
				    BARK_TEXT_MAX);
	buf = malloc(len);
	if (!buf)
		return options_fail("out of memory");
	p = buf;
	for (int i = 0; i < argc; i++) {
		if (i)
			*p++ = ' ';
		p = stpcpy(p, argv[i]);
	}
	*ret = buf;
	*ret_len = len - 1;
	return EXIT_OK;
}

int options_text(char **ret, size_t *ret_len, const char *cmd, int argc,
		 char **argv, bool allow_file)
{
	if (!argc)
		return options_usage(cmd, "%s needs a text", cmd);
	if (argc == 1 && !strcmp(argv[0], "-"))
		return read_stream(ret, ret_len, stdin, "standard input");
	if (argc == 1 && allow_file && argv[0][0] == '@') {
		FILE *f = fopen(argv[0] + 1, "re");
		int status;

		if (!f)
			return options_fail("%s: %s", argv[0] + 1,
					    strerror(errno));
		status = read_stream(ret, ret_len, f, argv[0] + 1);
		fclose(f);
		return status;
	}
	return join(ret, ret_len, argc, argv);
}
