/* SPDX-License-Identifier: MIT */
/*
 * Fills the cache with texts that are wanted, one after the other while
 * nothing is spoken. A model that takes too long is left alone.
 */
#ifndef BARKD_WARMER_H
#define BARKD_WARMER_H

#include <stdbool.h>

#include "cache.h"

struct daemon;
struct warmer;

/* Errors: -ENOMEM and sd-event's. */
int warmer_new(struct warmer **ret, struct daemon *d, struct cache *cache);
void warmer_free(struct warmer *w); /* NULL is fine */
/* A text that should be in the cache; nothing happens where it is. */
void warmer_want(struct warmer *w, const struct cache_key *key);
/* Nothing of what was wanted is wanted any more. */
void warmer_forget(struct warmer *w);
/* Whether now is the time. */
void warmer_idle(struct warmer *w, bool idle);

#endif
