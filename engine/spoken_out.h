/* SPDX-License-Identifier: MIT */
/* Words of a spoken text, on their way into it (spoken.c). */
#ifndef BARK_SPOKEN_OUT_H
#define BARK_SPOKEN_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of ASCII; bytes of other characters are none of these. */
static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool is_letter(char c)
{
	return is_upper(c) || (c >= 'a' && c <= 'z');
}

static inline bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A letter, a digit, or a byte of a character that is not ASCII. */
static inline bool is_of_word(char c)
{
	return is_letter(c) || is_digit(c) || (c & 0x80);
}

/* Longest rewriting of one thing, bytes: an address, letter by letter. */
#define SPOKEN_WORDS_MAX 2048

/* Words with one space between; too many set `full`, and all is void. */
struct spoken_words {
	char text[SPOKEN_WORDS_MAX];
	size_t n;
	bool full;
};

void spoken_add(struct spoken_words *w, const char *words, size_t n);
void spoken_add_word(struct spoken_words *w, const char *word);
/* Without a space in front. */
void spoken_add_mark(struct spoken_words *w, char mark);
/* "a b c" */
void spoken_add_letters(struct spoken_words *w, const char *letters, size_t n);
/* "one two three"; what is no digit is left out. */
void spoken_add_digits(struct spoken_words *w, const char *digits, size_t n);
/* Behind what stands n times in a row: ", twice", ", three times". */
void spoken_add_times(struct spoken_words *w, unsigned n);

enum spoken_style {
	SPOKEN_CARDINAL, /* one hundred five */
	SPOKEN_ORDINAL,  /* one hundred fifth */
	SPOKEN_YEAR,     /* nineteen eighty four */
};

/* By ICU's rules for English. */
void spoken_add_number(struct spoken_words *w, int64_t number,
		       enum spoken_style style);

/*
 * What begins at text, if it is a number with all that belongs to it. before:
 * the character in front of it, ' ' at the start. Returns how many bytes were
 * taken, 0: it is none. So do those that follow.
 */
size_t spoken_number(struct spoken_words *w, const char *text, size_t len,
		     char before);
/* Addresses: of pages, mail, files. */
size_t spoken_address(struct spoken_words *w, const char *text, size_t len);
/* Abbreviations. */
size_t spoken_word(struct spoken_words *w, const char *text, size_t len);
bool spoken_has_vowel(const char *text, size_t n);
/* The name of a symbol that is said, or NULL; alone: it is the whole text. */
const char *spoken_symbol(char c, bool alone);

#endif
