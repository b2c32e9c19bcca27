/* SPDX-License-Identifier: MIT */
/*
 * When each word of a text is heard: an estimate, as Bark tells where in the
 * sound its segments (sentences) stand, but not its words. Within a segment
 * words share the time by their letters and the pauses that punctuation
 * makes; while a segment's end is not known the pace of those before it
 * stands in. Times are milliseconds of the sound at its own speed. No I/O.
 */
#ifndef BARKD_WORDS_H
#define BARKD_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define WORDS_PACE 65.0 /* ms a letter, before anything was learned */

struct word {
	size_t begin, end;           /* bytes of the text */
	size_t char_begin, char_end; /* characters of it */
	double weight; /* of all that stands before it, in letters */
};

struct words;

/* Errors: -ENOMEM. */
int words_new(struct words **ret);
void words_free(struct words *w);

/*
 * Looks for the words, once; before that there are none. It takes a
 * millisecond and more, so it is left until somebody asks. text: valid
 * UTF-8. locale: BCP-47 or NULL. Errors: -ENOMEM.
 */
int words_scan(struct words *w, const char *text, size_t n,
	       const char *locale);

size_t words_count(const struct words *w);
/* i < words_count() */
const struct word *words_get(const struct words *w, size_t i);

/* A segment, the bytes begin to end, begins at ms; segments come in order. */
int words_segment_begin(struct words *w, size_t begin, size_t end, double ms);
/* The newest segment ends at ms. */
void words_segment_end(struct words *w, double ms);
/* The segment that is heard at ms: its number, -1 before the first, and its
 * bytes. */
ssize_t words_segment_at(const struct words *w, double ms, size_t *ret_begin,
			 size_t *ret_end);

/* The first word from i on that is heard, by what is known of the segments: a
 * word that stands before a segment and in none is not spoken. */
size_t words_next(const struct words *w, size_t i);
/* When word i begins; INFINITY while its segment has not begun. */
double words_time(const struct words *w, size_t i);
/* Milliseconds a letter, as the last whole segment had it; it may be given to
 * the next text of the same voice. */
double words_pace(const struct words *w);
void words_set_pace(struct words *w, double pace);

#endif
