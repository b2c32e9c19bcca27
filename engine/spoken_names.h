/* SPDX-License-Identifier: MIT */
/* What characters are called, in English. */
#ifndef BARK_SPOKEN_NAMES_H
#define BARK_SPOKEN_NAMES_H

#include <stddef.h>
#include <unicode/umachine.h>

/* Longest name, bytes with the NUL. */
#define SPOKEN_NAME_MAX 96

/*
 * How a sign is read within a text: "" is not said, NULL: it has no reading of
 * its own there.
 */
const char *spoken_sign(UChar32 c);

/*
 * What a character is called when it is meant itself, of Unicode's names as ICU
 * has them: "e acute", "party popper", "Cyrillic zhe". Returns its length, 0
 * where there is none (private characters, ideographs). Thread-safe.
 */
size_t spoken_name(char ret[SPOKEN_NAME_MAX], UChar32 c);

/* "flag of Norway", of the two letters of a flag. Returns its length. */
size_t spoken_flag(char ret[SPOKEN_NAME_MAX], char first, char second);

#endif
