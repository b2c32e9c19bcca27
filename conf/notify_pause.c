/* SPDX-License-Identifier: MIT */
#include "notify_pause.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DURATION_MAX (366 * 86400)

/* "" or ".new" behind the name. */
static int path_of(char **ret, const char *ending)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");

	if (!dir || *dir != '/')
		return -ENOENT;
	return asprintf(ret, "%s/barkd/notify-pause%s", dir, ending) < 0
		       ? -ENOMEM
		       : 0;
}

/* Seconds that no setting of the clock changes, sleep included. */
static int64_t since_boot(void)
{
	struct timespec t = {0};

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec;
}

/* The file has the epoch's seconds and, of a pause that lasts, also when it ends
 * by since_boot(). */
int64_t pause_read(void)
{
	int64_t until = 0, boot;
	char *path;
	FILE *f;

	if (path_of(&path, "") < 0)
		return 0;
	f = fopen(path, "re");
	free(path);
	if (!f)
		return 0;
	switch (fscanf(f, "%" SCNd64 " %" SCNd64, &until, &boot)) {
	case 1:
		break;
	case 2:
		boot -= since_boot();
		until = boot > 0 && boot <= DURATION_MAX ? time(NULL) + boot
							  : 0;
		break;
	default:
		until = 0;
	}
	fclose(f);
	return until;
}

static int write_new(const char *path, int64_t until, bool lasting)
{
	FILE *f = fopen(path, "we");
	int r = 0;

	if (!f)
		return -errno;
	if (fprintf(f, "%" PRId64, until) < 0 ||
	    (lasting && fprintf(f, " %" PRId64,
				until - time(NULL) + since_boot()) < 0) ||
	    fputc('\n', f) == EOF)
		r = -EIO;
	if (fclose(f) != 0 && r == 0)
		r = -errno;
	return r;
}

int pause_write(int64_t until, bool lasting)
{
	char *path = NULL, *new = NULL;
	int r = path_of(&path, "");

	if (r == 0)
		r = path_of(&new, ".new");
	if (r == 0 && !until) {
		if (unlink(path) < 0 && errno != ENOENT)
			r = -errno;
	} else if (r == 0) {
		char *slash = strrchr(path, '/');

		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
		r = write_new(new, until, lasting);
		if (r == 0 && rename(new, path) < 0)
			r = -errno;
	}
	free(path);
	free(new);
	return r;
}

/* The next time that a clock shows this. */
static int parse_clock(const char *text, int64_t now, int64_t *ret)
{
	time_t t = (time_t)now;
	struct tm tm;
	unsigned hour, minute;
	int n = 0;

	if (sscanf(text, "%2u:%2u%n", &hour, &minute, &n) != 2 || text[n] ||
	    hour > 23 || minute > 59 || !localtime_r(&t, &tm))
		return -EINVAL;
	if ((int)(hour * 60 + minute) <= tm.tm_hour * 60 + tm.tm_min)
		tm.tm_mday++;
	tm.tm_hour = (int)hour;
	tm.tm_min = (int)minute;
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	*ret = mktime(&tm);
	return 0;
}

int pause_parse(const char *text, int64_t now, int64_t *ret)
{
	int64_t seconds = 0;
	const char *p = text;

	if (strcmp(text, "on") == 0) {
		*ret = PAUSE_FOREVER;
		return 0;
	}
	if (strcmp(text, "off") == 0) {
		*ret = 0;
		return 0;
	}
	if (strchr(text, ':'))
		return parse_clock(text, now, ret);
	while (*p) {
		static const char units[] = "smhd";
		static const int lengths[] = {1, 60, 3600, 86400};
		const char *unit;
		char *end;
		unsigned long v;

		if (*p < '0' || *p > '9')
			return -EINVAL;
		v = strtoul(p, &end, 10);
		unit = *end ? strchr(units, *end) : NULL;
		if (!unit || v > DURATION_MAX)
			return -EINVAL;
		seconds += (int64_t)v * lengths[unit - units];
		p = end + 1;
	}
	if (seconds <= 0 || seconds > DURATION_MAX)
		return -EINVAL;
	*ret = now + seconds;
	return 0;
}
