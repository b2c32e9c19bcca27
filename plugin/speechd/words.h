/* SPDX-License-Identifier: MIT */
/* What characters are called, in English. */
#ifndef SPEECHD_WORDS_H
#define SPEECHD_WORDS_H

#include <stddef.h>

/* The name of a character of n bytes, or NULL: it is its own name. */
const char *word_of(const char *p, size_t n);
/* From which punctuation mode on (enum punctuation) it is named within a
 * text; larger than any for what is no punctuation. */
int word_level(char c);

#endif
