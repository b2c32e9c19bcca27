/* SPDX-License-Identifier: MIT */
/*
 * Splits a text into segments that one pass of the model can speak: at
 * paragraph and sentence breaks (ICU), at clauses (commas, dashes ...) where
 * a sentence is too long, at words where a clause is, at grapheme boundaries
 * where a word is. Very short sentences are joined with a neighbour. Cues for
 * the model ([laughs], lyrics between notes, "MAN:") are kept whole where a
 * segment can hold them. A single new line that only wraps a long line is
 * white space; others end a paragraph.
 */
#ifndef BARK_SEGMENTS_H
#define BARK_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "bark.h"
#include "tokenizer.h"

struct bark_segment {
	size_t begin, end; /* byte range in the text, white space trimmed */
	unsigned n_tokens; /* WordPiece ids it has */
};

struct bark_segments {
	struct bark_segment *items; /* owned */
	size_t n;
};

struct bark_segment_limits {
	unsigned max_tokens; /* WordPiece ids a segment, e.g. 256; not 0 */
	/*
	 * What a segment may last, in letters; 0: by max_tokens alone. What
	 * takes longer to say counts for more: digits 2, kana 2, Hangul
	 * syllables and ideographs 3; combining marks nothing. English is
	 * read at some 15 letters a second: 190 are about 13 s.
	 */
	unsigned max_chars;
};

/*
 * locale: BCP-47 or NULL for the root rules. Text: UTF-8 (invalid: -EILSEQ).
 * A text of white space and control characters alone gives n = 0. Only a
 * single grapheme can exceed the limits. ret is cleared by the caller.
 * Errors: -ENOMEM, -EILSEQ, -E2BIG (over BARK_TEXT_MAX), -EINVAL (a limit).
 */
int bark_segments_split(struct bark_segments *ret,
			const struct bark_tokenizer *tok, const char *text,
			size_t len, const char *locale,
			const struct bark_segment_limits *limits);
void bark_segments_clear(struct bark_segments *s);

bool bark_is_utf8(const char *text, size_t len);

#endif
