/* SPDX-License-Identifier: MIT */
/*
 * BERT's WordPiece, cased, as BertTokenizer(do_lower_case=False) computes it
 * (transformers models/bert/tokenization_bert.py): clean-up of control
 * characters and white space, CJK characters set apart, NFC, splitting at
 * punctuation, then the longest match first. No special tokens are added;
 * [UNK], [SEP], [PAD], [CLS] and [MASK] in the text are taken whole.
 */
#ifndef BARK_TOKENIZER_H
#define BARK_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bark.h"

struct bark_tokenizer;
struct bark_vocab;

struct bark_tokenizer_options {
	bool lower_case;    /* do_lower_case; false for Bark */
	bool strip_accents; /* NFD without marks; follows lower_case if unset */
};

/*
 * path: vocab.txt, one token a line, the line's number is its id.
 * opts may be NULL. Errors: -ENOENT, -EINVAL, -E2BIG (over 1 Mi tokens or
 * 64 MiB), -ENOMEM.
 */
int bark_tokenizer_open(struct bark_tokenizer **ret, const char *path,
			const struct bark_tokenizer_options *opts,
			struct bark_error *err);
/* The same of a vocabulary in memory, which is copied. */
int bark_tokenizer_parse(struct bark_tokenizer **ret, const void *vocab,
			 size_t len, const struct bark_tokenizer_options *opts,
			 struct bark_error *err);
/* The same of a vocabulary that is read; it is taken, on failure too. */
int bark_tokenizer_new(struct bark_tokenizer **ret, struct bark_vocab *vocab,
		       const struct bark_tokenizer_options *opts,
		       struct bark_error *err);
void bark_tokenizer_free(struct bark_tokenizer *tok);

/* Lines of the vocabulary: ids are below it. */
size_t bark_tokenizer_size(const struct bark_tokenizer *tok);
/* The id of [UNK]: of what the vocabulary has no pieces for. */
int32_t bark_tokenizer_unknown(const struct bark_tokenizer *tok);

/*
 * Writes at most cap ids; *ret_n gets the number the whole text has (which
 * may exceed cap: the rest is cut off). Invalid UTF-8 becomes U+FFFD.
 * May allocate. Thread-safe. Errors: -ENOMEM, -E2BIG (over 16 MiB).
 */
int bark_tokenizer_encode(const struct bark_tokenizer *tok, const char *text,
			  size_t len, int32_t *ids, size_t cap, size_t *ret_n);

#endif
