/* SPDX-License-Identifier: MIT */
#include "vocab.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <unicode/utf8.h>

#define MAX_TOKENS (1u << 20)
#define MAX_FILE ((size_t)64 << 20)

__attribute__((format(printf, 3, 4))) static int
fail(struct bark_error *err, int error, const char *fmt, ...)
{
	va_list ap;

	if (err != NULL) {
		va_start(ap, fmt);
		vsnprintf(err->message, sizeof(err->message), fmt, ap);
		va_end(ap);
	}
	return error;
}

static int entry_compare(const void *pa, const void *pb)
{
	const struct bark_vocab_entry *a = pa, *b = pb;
	size_t n = a->len < b->len ? a->len : b->len;
	int c = n > 0 ? memcmp(a->s, b->s, n) : 0;

	if (c != 0)
		return c;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return a->id < b->id ? -1 : 1;
}

/* An entry's byte at depth, which is at most its length; -1: its end. */
static int byte_at(const struct bark_vocab *v, uint32_t i, uint32_t depth)
{
	const struct bark_vocab_entry *e = &v->entries[i];

	return depth < e->len ? e->s[depth] : -1;
}

/* First entry of r whose byte at depth is at least c. */
static uint32_t lower_bound(const struct bark_vocab *v,
			    struct bark_vocab_range r, uint32_t depth, int c)
{
	while (r.lo < r.hi) {
		uint32_t mid = r.lo + (r.hi - r.lo) / 2;

		if (byte_at(v, mid, depth) < c)
			r.lo = mid + 1;
		else
			r.hi = mid;
	}
	return r.lo;
}

static struct bark_vocab_range narrow(const struct bark_vocab *v,
				      struct bark_vocab_range r,
				      uint32_t depth, int c)
{
	r.lo = lower_bound(v, r, depth, c);
	r.hi = lower_bound(v, r, depth, c + 1);
	return r;
}

int32_t bark_vocab_longest(const struct bark_vocab *v, const unsigned char *s,
			   size_t len, bool inner, size_t *ret_len)
{
	struct bark_vocab_range r = inner ? v->inner[s[0]] : v->first[s[0]];
	uint32_t base = inner ? 2 : 0;
	int32_t id = -1;

	for (size_t n = 1; r.lo < r.hi; n++) {
		/* the entry that ends here, if any, is the range's first */
		if (v->entries[r.lo].len == base + n) {
			id = v->entries[r.lo].id;
			*ret_len = n;
		}
		if (n == len)
			break;
		r = narrow(v, r, base + (uint32_t)n, s[n]);
	}
	return id;
}

int32_t bark_vocab_find(const struct bark_vocab *v, const char *name)
{
	size_t len = strlen(name), found = 0;
	int32_t id;

	id = bark_vocab_longest(v, (const unsigned char *)name, len, false,
				&found);
	return found == len ? id : -1;
}

static bool is_utf8(const unsigned char *s, size_t len)
{
	int32_t i = 0, n = (int32_t)len;
	UChar32 c;

	while (i < n) {
		U8_NEXT(s, i, n, c);
		if (c < 0)
			return false;
	}
	return true;
}

/* Lines end with LF, CR or both, as in a text file that Python opens. */
static size_t line_length(const unsigned char *s, size_t len, size_t *ret_next)
{
	size_t n = 0;

	while (n < len && s[n] != '\n' && s[n] != '\r')
		n++;
	*ret_next = n < len ? n + 1 : n;
	if (n + 1 < len && s[n] == '\r' && s[n + 1] == '\n')
		*ret_next = n + 2;
	return n;
}

static size_t count_lines(const unsigned char *s, size_t len)
{
	size_t n = 0, next;

	for (size_t at = 0; at < len; at += next, n++)
		line_length(s + at, len - at, &next);
	return n;
}

static void index_entries(struct bark_vocab *v)
{
	struct bark_vocab_range all = { 0, v->n_entries }, inner;

	inner = narrow(v, narrow(v, all, 0, '#'), 1, '#');
	for (int c = 0; c < 256; c++) {
		v->first[c] = narrow(v, all, 0, c);
		v->inner[c] = narrow(v, inner, 2, c);
	}
}

static int fill_entries(struct bark_vocab *v, size_t len)
{
	size_t next;
	uint32_t n = 0;

	v->entries = calloc(v->n_lines, sizeof(*v->entries));
	if (v->entries == NULL)
		return -ENOMEM;
	for (size_t at = 0; at < len; at += next, n++) {
		size_t l = line_length(v->data + at, len - at, &next);

		v->entries[n] = (struct bark_vocab_entry){
			.s = v->data + at,
			.len = (uint32_t)l,
			.id = (int32_t)n,
		};
	}
	qsort(v->entries, n, sizeof(*v->entries), entry_compare);
	for (uint32_t i = 0; i < n; i++) {
		const struct bark_vocab_entry *e = &v->entries[i];

		if (i + 1 < n && e[0].len == e[1].len &&
		    memcmp(e[0].s, e[1].s, e->len) == 0)
			continue;
		v->entries[v->n_entries++] = *e;
	}
	index_entries(v);
	return 0;
}

/* Takes data, which came from malloc, on failure too. */
static int make(struct bark_vocab *ret, unsigned char *data, size_t len,
		const char *name, struct bark_error *err)
{
	struct bark_vocab v = { .data = data };
	int r = 0;

	v.n_lines = count_lines(data, len);
	if (v.n_lines > MAX_TOKENS)
		r = fail(err, -E2BIG, "%s: over %u tokens", name, MAX_TOKENS);
	else if (v.n_lines == 0)
		r = fail(err, -EINVAL, "%s: no tokens", name);
	else if (!is_utf8(data, len))
		r = fail(err, -EINVAL, "%s: not UTF-8", name);
	else if (fill_entries(&v, len) < 0)
		r = fail(err, -ENOMEM, "%s: out of memory", name);
	if (r < 0) {
		bark_vocab_clear(&v);
		return r;
	}
	*ret = v;
	return 0;
}

int bark_vocab_parse(struct bark_vocab *ret, const void *text, size_t len,
		     struct bark_error *err)
{
	unsigned char *data;

	if (len > MAX_FILE)
		return fail(err, -E2BIG, "vocabulary: over 64 MiB");
	data = malloc(len + 1);
	if (data == NULL)
		return fail(err, -ENOMEM, "vocabulary: out of memory");
	if (len > 0)
		memcpy(data, text, len);
	return make(ret, data, len, "vocabulary", err);
}

static int read_all(int fd, unsigned char *data, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = read(fd, data + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EINVAL;
		at += (size_t)n;
	}
	return 0;
}

int bark_vocab_read(struct bark_vocab *ret, const char *path,
		    struct bark_error *err)
{
	unsigned char *data = NULL;
	struct stat st;
	size_t len = 0;
	int fd, r = 0;

	/* non-blocking: opening a FIFO must not hang */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		r = -errno;
		return fail(err, r, "%s: %s", path, strerror(-r));
	}
	if (fstat(fd, &st) < 0) {
		r = -errno;
		fail(err, r, "%s: %s", path, strerror(-r));
	} else if (!S_ISREG(st.st_mode)) {
		r = fail(err, -EINVAL, "%s: not a file", path);
	} else if (st.st_size < 0 || (size_t)st.st_size > MAX_FILE) {
		r = fail(err, -E2BIG, "%s: over 64 MiB", path);
	} else {
		len = (size_t)st.st_size;
		data = malloc(len + 1);
		if (data == NULL)
			r = fail(err, -ENOMEM, "%s: out of memory", path);
	}
	if (r == 0) {
		r = read_all(fd, data, len);
		if (r < 0)
			fail(err, r, "%s: cannot be read", path);
	}
	close(fd);
	if (r < 0) {
		free(data);
		return r;
	}
	return make(ret, data, len, path, err);
}

void bark_vocab_clear(struct bark_vocab *v)
{
	if (v == NULL)
		return;
	free(v->entries);
	free(v->data);
	*v = (struct bark_vocab){ 0 };
}
