/* SPDX-License-Identifier: MIT */
/*
 * A WordPiece vocabulary: a sorted array that is searched a byte at a time,
 * narrowing a range: a trie without nodes, with nothing for a hostile
 * vocabulary to collide in. Immutable, so any thread may search it.
 */
#ifndef BARK_VOCAB_H
#define BARK_VOCAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bark.h"

/* Tokens of a vocabulary, and ids: the latter are below it. */
#define BARK_VOCAB_MAX (1u << 20)

struct bark_vocab_entry {
	const unsigned char *s; /* in the vocabulary's data */
	uint32_t len;
	int32_t id;
};

/* Entries that agree in their first bytes. */
struct bark_vocab_range {
	uint32_t lo, hi;
};

struct bark_vocab {
	unsigned char *data;
	struct bark_vocab_entry *entries; /* by bytes, distinct */
	uint32_t n_entries;
	size_t n_ids;                       /* ids are 0..n_ids-1 */
	struct bark_vocab_range first[256]; /* word starts, by first byte */
	struct bark_vocab_range inner[256]; /* after "##", by third byte */
};

/*
 * All fill *ret on success and leave nothing behind on failure. Of vocab.txt:
 * one token a line, the line's number is its id; name is for messages. A token
 * that comes twice has its last id. Errors: -ENOENT and the like, -EINVAL,
 * -E2BIG, -ENOMEM.
 */
int bark_vocab_read(struct bark_vocab *ret, const char *path,
		    struct bark_error *err);
int bark_vocab_parse(struct bark_vocab *ret, const void *text, size_t len,
		     const char *name, struct bark_error *err);

struct bark_vocab_token {
	const char *s; /* UTF-8 */
	size_t len;
	uint32_t id; /* below BARK_VOCAB_MAX */
};

/* Copies n <= BARK_VOCAB_MAX tokens. Error: -ENOMEM. */
int bark_vocab_build(struct bark_vocab *ret,
		     const struct bark_vocab_token *tokens, size_t n);
void bark_vocab_clear(struct bark_vocab *vocab);

/*
 * The longest token that is a prefix of s, at least one byte (len > 0);
 * inner: the longest that is "##" and a prefix of s. Returns its id and its
 * length in s, or -1.
 */
int32_t bark_vocab_longest(const struct bark_vocab *vocab,
			   const unsigned char *s, size_t len, bool inner,
			   size_t *ret_len);
/* The id of the token `name`, which is not empty, or -1. */
int32_t bark_vocab_find(const struct bark_vocab *vocab, const char *name);

#endif
