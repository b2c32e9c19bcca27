/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int log_max = LOG_LEVEL_INFO;
static bool log_journal;

void log_init(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	/* systemd sets "device:inode" of what it gave as standard error. */
	if (stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	    fstat(STDERR_FILENO, &st) == 0)
		log_journal = st.st_dev == dev && st.st_ino == ino;
}

void log_set_level(enum log_level level)
{
	atomic_store(&log_max, (int)level);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const prefixes[][2] = {
		{"barkd: error: ", "<3>"},
		{"barkd: warning: ", "<4>"},
		{"barkd: ", "<6>"},
		{"barkd: debug: ", "<7>"},
	};
	char text[1024];
	va_list ap;

	if ((int)level > atomic_load(&log_max))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* One line stays one line, whatever a file's name has in it. */
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	fprintf(stderr, "%s%s\n", prefixes[level][log_journal], text);
}
