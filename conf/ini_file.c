/* SPDX-License-Identifier: MIT */
#include "ini_file.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* inih's own buffer has 200 bytes with newline and NUL, and cuts longer lines
 * while calling the handler: such lines are stopped in the reader. */
#define LINE_BYTES 199
#define MAX_LINES 10000

struct parse {
	int (*value)(void *data, const char *section, const char *name,
		     const char *text, char *why, size_t n_why);
	void *data;
	const char *path;
	FILE *file;
	int line;       /* of the line that inih is at */
	int error;      /* the first; the rest is not looked at */
	int error_line;
	struct conf_error *err;
};

__attribute__((format(printf, 3, 4))) static void
refuse(struct parse *p, int error, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (p->error)
		return;
	p->error = error;
	p->error_line = p->line;
	if (!p->err)
		return;
	n = snprintf(p->err->message, sizeof(p->err->message), "%s:%d: ",
		     p->path, p->line);
	if (n < 0 || (size_t)n >= sizeof(p->err->message))
		return;
	va_start(ap, fmt);
	vsnprintf(p->err->message + n, sizeof(p->err->message) - (size_t)n,
		  fmt, ap);
	va_end(ap);
}

/* fgets() for inih, one whole line a call, so that `line` is the handler's. */
static char *read_line(char *str, int num, void *stream)
{
	struct parse *p = stream;
	int n = 0, c;

	if (p->error)
		return NULL;
	p->line++;
	if (p->line > MAX_LINES) {
		refuse(p, -EINVAL, "more than %d lines", MAX_LINES);
		return NULL;
	}
	while ((c = getc(p->file)) != EOF) {
		if (c == '\0') {
			refuse(p, -EINVAL, "a NUL byte");
			return NULL;
		}
		if (n >= num - 1 || n >= LINE_BYTES) {
			refuse(p, -EINVAL, "longer than %d bytes",
			       LINE_BYTES - 1);
			return NULL;
		}
		str[n++] = (char)c;
		if (c == '\n')
			break;
	}
	str[n] = '\0';
	return n ? str : NULL;
}

static int on_value(void *user, const char *section, const char *name,
		    const char *text)
{
	struct parse *p = user;
	char why[256] = "";
	int r = p->value(p->data, section, name, text, why, sizeof(why));

	if (r < 0)
		refuse(p, r, "%s", r == -ENOMEM ? "out of memory" : why);
	return r == 0;
}

int ini_file_read(const char *path,
		  int (*value)(void *data, const char *section,
			       const char *name, const char *text, char *why,
			       size_t n_why),
		  void *data, struct conf_error *err)
{
	struct parse p = {
		.value = value, .data = data, .path = path, .err = err,
	};
	int r;

	p.file = fopen(path, "re");
	if (!p.file) {
		r = -errno;
		if (err)
			snprintf(err->message, sizeof(err->message), "%s: %s",
				 path, strerror(-r));
		return r;
	}
	r = ini_parse_stream(read_line, &p, on_value, &p);
	if (ferror(p.file)) {
		p.error = 0;
		refuse(&p, -EIO, "cannot be read");
	}
	fclose(p.file);
	/* inih goes on after a line that it cannot parse and tells the first. */
	if (r > 0 && (!p.error || r < p.error_line)) {
		p.error = 0;
		p.line = r;
		refuse(&p, -EINVAL,
		       "neither \"[section]\" nor \"key = value\"");
	}
	return p.error;
}
