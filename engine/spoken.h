/* SPDX-License-Identifier: MIT */
/*
 * Writes English out as it is read aloud, for models that learnt words alone
 * and say so ("barkd_spoken_text" in generation_config.json): numbers, dates,
 * times, money, units, powers, addresses, abbreviations, capitals, symbols,
 * characters of other scripts. Markup is left out: Markdown, tags, cues for Bark
 * in brackets. Numbers are spelt and characters named by ICU. Published Bark
 * reads texts as they are.
 */
#ifndef BARK_SPOKEN_H
#define BARK_SPOKEN_H

#include <stdbool.h>
#include <stddef.h>

struct bark_spoken_run {
	size_t spoken, source; /* where it begins in either text, bytes */
	size_t verbatim;       /* bytes that are alike; 0: it was rewritten */
};

struct bark_spoken {
	char *text; /* owned, UTF-8, ends with NUL */
	size_t len; /* bytes */
	size_t source_len;
	struct bark_spoken_run *runs; /* owned, ascending */
	size_t n_runs;
	bool lost; /* something was left out that there is no name for */
};

/*
 * text: UTF-8 (invalid: -EILSEQ), len bytes. Cleared by the caller also after
 * an error. Thread-safe. Errors: -ENOMEM, -E2BIG (it would be longer than
 * BARK_TEXT_MAX), -EILSEQ.
 */
int bark_spoken_make(struct bark_spoken *ret, const char *text, size_t len);
void bark_spoken_clear(struct bark_spoken *s);

/*
 * The source's byte range of a range of the spoken text: what was rewritten
 * comes whole.
 */
void bark_spoken_source(const struct bark_spoken *s, size_t begin, size_t end,
			size_t *ret_begin, size_t *ret_end);

#endif
