/* SPDX-License-Identifier: MIT */
#include "vocab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unicode/utf8.h>

#include "error.h"
#include "files/map.h"

#define MAX_TOKENS BARK_VOCAB_MAX
#define MAX_FILE ((size_t)64 << 20)

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

/* Of equals, the one with the largest id stays. */
static void sort_entries(struct bark_vocab *v, uint32_t n)
{
	qsort(v->entries, n, sizeof(*v->entries), entry_compare);
	v->n_entries = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct bark_vocab_entry *e = &v->entries[i];

		if (i + 1 < n && e[0].len == e[1].len &&
		    memcmp(e[0].s, e[1].s, e->len) == 0)
			continue;
		v->entries[v->n_entries++] = *e;
	}
	index_entries(v);
}

static int fill_entries(struct bark_vocab *v, size_t len)
{
	size_t next;
	uint32_t n = 0;

	v->entries = calloc(v->n_ids, sizeof(*v->entries));
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
	sort_entries(v, n);
	return 0;
}

int bark_vocab_parse(struct bark_vocab *ret, const void *text, size_t len,
		     const char *name, struct bark_error *err)
{
	struct bark_vocab v = {0};
	int r = 0;

	if (len > MAX_FILE)
		return bark_fail(err, -E2BIG, "%s: over 64 MiB", name);
	v.data = malloc(len + 1);
	if (v.data == NULL)
		return bark_fail(err, -ENOMEM, "%s: out of memory", name);
	if (len > 0)
		memcpy(v.data, text, len);
	v.n_ids = count_lines(v.data, len);
	if (v.n_ids > MAX_TOKENS)
		r = bark_fail(err, -E2BIG, "%s: over %u tokens", name,
			      MAX_TOKENS);
	else if (v.n_ids == 0)
		r = bark_fail(err, -EINVAL, "%s: no tokens", name);
	else if (!is_utf8(v.data, len))
		r = bark_fail(err, -EINVAL, "%s: not UTF-8", name);
	else if (fill_entries(&v, len) < 0)
		r = bark_fail(err, -ENOMEM, "%s: out of memory", name);
	if (r < 0) {
		bark_vocab_clear(&v);
		return r;
	}
	*ret = v;
	return 0;
}

int bark_vocab_read(struct bark_vocab *ret, const char *path,
		    struct bark_error *err)
{
	struct bark_map map = {0};
	int r;

	r = bark_map_open(&map, path, err);
	if (r < 0)
		return r;
	r = bark_vocab_parse(ret, map.data, map.size, bark_base_name(path),
			     err);
	bark_map_close(&map);
	return r;
}

int bark_vocab_build(struct bark_vocab *ret, const struct bark_vocab_token *tokens,
		     size_t n)
{
	struct bark_vocab v = {0};
	unsigned char *at;
	size_t bytes = 1;

	for (size_t i = 0; i < n; i++)
		bytes += tokens[i].len;
	v.data = at = malloc(bytes);
	v.entries = calloc(n ? n : 1, sizeof(*v.entries));
	if (v.data == NULL || v.entries == NULL) {
		bark_vocab_clear(&v);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		memcpy(at, tokens[i].s, tokens[i].len);
		v.entries[i] = (struct bark_vocab_entry){
			.s = at,
			.len = (uint32_t)tokens[i].len,
			.id = (int32_t)tokens[i].id,
		};
		at += tokens[i].len;
		if (v.n_ids <= tokens[i].id)
			v.n_ids = (size_t)tokens[i].id + 1;
	}
	sort_entries(&v, (uint32_t)n);
	*ret = v;
	return 0;
}

void bark_vocab_clear(struct bark_vocab *v)
{
	if (v == NULL)
		return;
	free(v->entries);
	free(v->data);
	*v = (struct bark_vocab){ 0 };
}
