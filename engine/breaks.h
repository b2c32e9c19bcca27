/* SPDX-License-Identifier: MIT */
/*
 * Where a text may be broken: a flag for each byte position, on which
 * segments.c decides. Positions are those before a byte; UTF-8 throughout.
 */
#ifndef BARK_BREAKS_H
#define BARK_BREAKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BARK_BREAK_SENTENCE = 1 << 0,
	BARK_BREAK_PARAGRAPH = 1 << 1, /* new line that is not mere wrapping */
	BARK_BREAK_CONTROL = 1 << 2,   /* after a control character */
	BARK_BREAK_CLAUSE = 1 << 3,
	BARK_BREAK_WORD = 1 << 4,
	BARK_BREAK_GRAPHEME = 1 << 5,
	/* Not a break: inside [laughs], between notes, after "MAN:". */
	BARK_BREAK_IN_CUE = 1 << 6,
};

struct bark_breaks {
	size_t len;
	uint8_t *flags; /* owned, [len + 1] */
	char *copy;     /* owned: the text with what misleads ICU taken out */
	bool fine;      /* words and graphemes are marked */
};

/*
 * Marks paragraphs, sentences, clauses and cues. text must be valid UTF-8, at
 * most BARK_TEXT_MAX bytes; it is copied. locale as in segments.h.
 * Errors: -ENOMEM, also when ICU has no data.
 */
int bark_breaks_find(struct bark_breaks *ret, const char *text, size_t len,
		     const char *locale);
/* Marks words and graphemes too, at the first call. */
int bark_breaks_find_fine(struct bark_breaks *breaks, const char *locale);
void bark_breaks_clear(struct bark_breaks *breaks);

#endif
