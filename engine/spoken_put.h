/* SPDX-License-Identifier: MIT */
/* What the parts of spoken_fold.c share. `end`: where the written character that
 * they put something for ends. */
#ifndef BARK_SPOKEN_PUT_H
#define BARK_SPOKEN_PUT_H

#include <unicode/umachine.h>

#include "spoken_fold.h"
#include "spoken_out.h"

struct fold {
	struct spoken_folded *out;
	const char *text;
	size_t len, at; /* at: of the character under way */
	size_t place;   /* where that is in the written text */
	bool inner;     /* text is what one written character stands for */
	size_t cap;
	int error;
};

/* --- the folded text --- */

/* The last character put, ' ' at the start. */
static inline char fold_last(const struct fold *f)
{
	return f->out->len > 0 ? f->out->text[f->out->len - 1] : ' ';
}

void fold_put(struct fold *f, const char *bytes, size_t n);
void fold_text(struct fold *f, const char *text);
/* A space, unless there is one. */
void fold_part(struct fold *f);
/* Words with a space on either side, where one is wanted. */
void fold_words(struct fold *f, const char *words, size_t end);

/* --- the written text --- */

/* The character at i, which ends before *ret_next; -1 at the end. */
UChar32 fold_at(const struct fold *f, size_t i, size_t *ret_next);
/* Whether a word goes on at i, so that what is put before it must not glue. */
bool fold_word_at(const struct fold *f, size_t i);
/* A digit of any script. */
bool fold_digit_at(const struct fold *f, size_t i);
/*
 * Whether what stands at [at, end) is alone between commas, or in the whole
 * text: then it is meant itself, as a key is that was pressed.
 */
bool fold_is_alone(const struct fold *f, size_t end);
bool fold_is_mark(UChar32 c);    /* combines with what is before it */
bool fold_is_picture(UChar32 c); /* an emoji or the like */
/* Only changes how the sign before it looks. */
bool fold_is_variant(UChar32 c);

/* A stop of a script that writes no space behind it. */
void fold_stop(struct fold *f, char stop, size_t end);

/* --- what is put for characters; these return where they go on --- */

/* A letter without its marks. false: there is no ASCII letter in it. */
bool fold_latin(struct fold *f, UChar32 c);
size_t fold_letters(struct fold *f);
size_t fold_symbol(struct fold *f, UChar32 c, size_t end);
size_t fold_mark(struct fold *f, UChar32 c, size_t end);
/* Any that stands for no other. */
size_t fold_char(struct fold *f, UChar32 c, size_t end);

#endif
