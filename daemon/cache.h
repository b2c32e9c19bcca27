/* SPDX-License-Identifier: MIT */
/*
 * Speech of short texts that is kept, so that an echoed key sounds at once:
 * the most recently used ones, up to a number of bytes. No I/O.
 */
#ifndef BARKD_CACHE_H
#define BARKD_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "source.h"

#define CACHE_TEXT_MAX 64     /* bytes of a text that is kept */
#define CACHE_SOUND_MAX_S 3   /* seconds of its sound */
#define CACHE_ENTRIES_MAX 1024

struct cache;

/* Errors: -ENOMEM. */
int cache_new(struct cache **ret);
void cache_free(struct cache *c);
/* Bytes of sound to keep; 0: none. */
void cache_limit(struct cache *c, size_t bytes);
/* All is of another voice. */
void cache_clear(struct cache *c);

/* voice, language: NULL is a value of its own. */
struct cache_key {
	const char *text, *voice, *language;
};

/* Takes a reference, unless it would never fit; replaces what was there. */
void cache_put(struct cache *c, const struct cache_key *key, struct sound *s);
/* Valid until the next call; NULL: not there. */
struct sound *cache_get(struct cache *c, const struct cache_key *key);
/* The same, without counting as use. */
bool cache_has(const struct cache *c, const struct cache_key *key);

size_t cache_bytes(const struct cache *c);
size_t cache_entries(const struct cache *c);

#endif
