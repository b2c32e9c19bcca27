/* SPDX-License-Identifier: MIT */
#include "cache.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 256

struct entry {
	char *key; /* owned */
	size_t n_key;
	struct sound *sound;
	struct entry *chain;        /* of its bucket */
	struct entry *newer, *older; /* by use */
};

struct cache {
	struct entry *buckets[BUCKETS];
	struct entry *newest, *oldest;
	size_t bytes, limit, n;
};

/* The parts, each with its NUL, and before that whether it is there. */
static char *flatten(const struct cache_key *key, size_t *ret_n)
{
	const char *parts[] = {key->text, key->voice, key->language};
	size_t n = 0, at = 0;
	char *flat;

	for (int i = 0; i < 3; i++)
		n += 1 + (parts[i] ? strlen(parts[i]) + 1 : 0);
	flat = malloc(n);
	if (!flat)
		return NULL;
	for (int i = 0; i < 3; i++) {
		size_t k = parts[i] ? strlen(parts[i]) + 1 : 0;

		flat[at++] = parts[i] ? 1 : 0;
		if (k)
			memcpy(flat + at, parts[i], k);
		at += k;
	}
	*ret_n = n;
	return flat;
}

/* FNV-1a (Fowler, Noll, Vo). */
static unsigned bucket_of(const char *key, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)key[i]) * 16777619u;
	return h % BUCKETS;
}

static struct entry **find(const struct cache *c, const struct cache_key *key)
{
	size_t n;
	char *flat = flatten(key, &n);
	struct entry *const *at;

	if (!flat)
		return NULL;
	at = &c->buckets[bucket_of(flat, n)];
	while (*at && ((*at)->n_key != n || memcmp((*at)->key, flat, n) != 0))
		at = &(*at)->chain;
	free(flat);
	return *at ? (struct entry **)at : NULL;
}

static size_t bytes_of(const struct entry *e)
{
	return e->sound->n * sizeof(*e->sound->pcm) + e->n_key + sizeof(*e);
}

static void unlink_use(struct cache *c, struct entry *e)
{
	*(e->newer ? &e->newer->older : &c->newest) = e->older;
	*(e->older ? &e->older->newer : &c->oldest) = e->newer;
}

static void link_newest(struct cache *c, struct entry *e)
{
	e->newer = NULL;
	e->older = c->newest;
	*(e->older ? &e->older->newer : &c->oldest) = e;
	c->newest = e;
}

static void drop(struct cache *c, struct entry *e)
{
	struct entry **at = &c->buckets[bucket_of(e->key, e->n_key)];

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	unlink_use(c, e);
	c->bytes -= bytes_of(e);
	c->n--;
	sound_unref(e->sound);
	free(e->key);
	free(e);
}

static void shrink(struct cache *c)
{
	while (c->oldest &&
	       (c->bytes > c->limit || c->n > CACHE_ENTRIES_MAX))
		drop(c, c->oldest);
}

void cache_put(struct cache *c, const struct cache_key *key, struct sound *s)
{
	struct entry *e = calloc(1, sizeof(*e)), **old = find(c, key);
	unsigned bucket;

	if (old)
		drop(c, *old);
	if (e)
		e->key = flatten(key, &e->n_key);
	if (!e || !e->key) {
		free(e);
		return;
	}
	e->sound = sound_ref(s);
	bucket = bucket_of(e->key, e->n_key);
	e->chain = c->buckets[bucket];
	c->buckets[bucket] = e;
	link_newest(c, e);
	c->bytes += bytes_of(e);
	c->n++;
	shrink(c);
}

struct sound *cache_get(struct cache *c, const struct cache_key *key)
{
	struct entry **at = find(c, key), *e;

	if (!at)
		return NULL;
	e = *at;
	unlink_use(c, e);
	link_newest(c, e);
	return e->sound;
}

bool cache_has(const struct cache *c, const struct cache_key *key)
{
	return find(c, key) != NULL;
}

void cache_limit(struct cache *c, size_t bytes)
{
	c->limit = bytes;
	shrink(c);
}

void cache_clear(struct cache *c)
{
	while (c->oldest)
		drop(c, c->oldest);
}

size_t cache_bytes(const struct cache *c)
{
	return c->bytes;
}

size_t cache_entries(const struct cache *c)
{
	return c->n;
}

int cache_new(struct cache **ret)
{
	struct cache *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	*ret = c;
	return 0;
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	cache_clear(c);
	free(c);
}
