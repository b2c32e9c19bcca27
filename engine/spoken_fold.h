/* SPDX-License-Identifier: MIT */
/*
 * The first step of spoken.c: a text in the characters that its rules know,
 * which are ASCII and a few signs of units and money. Compatibility forms
 * become what they stand for (NFKC), digits and punctuation of all scripts
 * ASCII's, letters Latin ones without marks, and signs their names.
 */
#ifndef BARK_SPOKEN_FOLD_H
#define BARK_SPOKEN_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spoken_folded {
	char *text;       /* owned, UTF-8, ends with NUL */
	uint32_t *source; /* owned, [len + 1], ascending: where in the written
			   * text each byte comes from */
	size_t len;       /* bytes */
	bool lost;        /* there was a character that has no name */
};

/*
 * text: UTF-8, len < 2^32 bytes. ret is cleared by the caller, also after an
 * error. Thread-safe. Errors: -ENOMEM, -EILSEQ.
 */
int spoken_fold(struct spoken_folded *ret, const char *text, size_t len);
void spoken_folded_clear(struct spoken_folded *f);

#endif
