/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void copy_value(char *ret, size_t size, const char *value, size_t n)
{
	snprintf(ret, size, "%.*s", (int)(n < size ? n : size - 1), value);
}

static int64_t number(const char *s)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(s, &end, 10);
	return errno || end == s || v < 0 || !isdigit((unsigned char)*s) ? -1
									  : v;
}

/* "bytes 5-9/10", "bytes 5-9/" and a star, or "bytes" star "/10" */
static void read_range(struct answer *a, const char *value)
{
	const char *slash = strchr(value, '/');

	if (strncasecmp(value, "bytes ", 6))
		return;
	a->range_start = number(value + 6);
	a->range_total = slash ? number(slash + 1) : -1;
}

void answer_line(struct answer *a, const char *data, size_t n)
{
	char line[8300], *value;

	copy_value(line, sizeof(line), data, n);
	line[strcspn(line, "\r\n")] = '\0';
	/* One begins anew after an interim answer. */
	if (!strncmp(line, "HTTP/", 5)) {
		*a = (struct answer){.length = -1, .range_start = -1,
				     .range_total = -1, .linked_size = -1};
		return;
	}
	value = strchr(line, ':');
	if (!value)
		return;
	*value++ = '\0';
	value += strspn(value, " \t");
	if (!strcasecmp(line, "Content-Length"))
		a->length = number(value);
	else if (!strcasecmp(line, "Content-Range"))
		read_range(a, value);
	else if (!strcasecmp(line, "ETag"))
		snprintf(a->etag, sizeof(a->etag), "%.159s", value);
	else if (!strcasecmp(line, "Location"))
		snprintf(a->location, sizeof(a->location), "%.8191s", value);
	else if (!strcasecmp(line, "X-Linked-Size"))
		a->linked_size = number(value);
	else if (!strcasecmp(line, "X-Linked-ETag"))
		snprintf(a->linked_etag, sizeof(a->linked_etag), "%.159s",
			 value);
	else if (!strcasecmp(line, "X-Repo-Commit"))
		snprintf(a->commit, sizeof(a->commit), "%.64s", value);
}

bool answer_hash(char ret[DIGEST_SHA256_HEX + 1], const char *etag)
{
	size_t n;

	if (!strncmp(etag, "W/", 2))
		etag += 2;
	if (*etag == '"')
		etag++;
	n = strspn(etag, "0123456789abcdef");
	if ((n != DIGEST_SHA256_HEX && n != DIGEST_GIT_HEX) ||
	    (etag[n] && etag[n] != '"'))
		return false;
	copy_value(ret, DIGEST_SHA256_HEX + 1, etag, n);
	return true;
}
