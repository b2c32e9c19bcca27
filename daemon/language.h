/* SPDX-License-Identifier: MIT */
/* Which language a text is in, as far as its script tells. */
#ifndef BARKD_LANGUAGE_H
#define BARKD_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

#define LANGUAGE_ROOM 16

/*
 * The language of n bytes of UTF-8: `told` (BCP-47, or NULL), unless most of
 * the letters are of a script in which that is not written; then the language
 * that is likeliest for the script, by CLDR. Latin letters contradict nothing.
 * "": nobody knows.
 */
void language_of_text(char ret[LANGUAGE_ROOM], const char *text, size_t n,
		      const char *told);
/* Whether two languages have the same primary subtag. NULL is none. */
bool language_same(const char *a, const char *b);

#endif
