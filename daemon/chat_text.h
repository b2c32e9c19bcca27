/* SPDX-License-Identifier: MIT */
/*
 * What of a chat's message can be said: without the pictures, tags and data
 * that programs put into it, with addresses as the setting says. And texts as
 * they are compared, so that what sounds alike is alike. No I/O.
 */
#ifndef BARKD_CHAT_TEXT_H
#define BARKD_CHAT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "conf.h"

struct chat_text_rules {
	const char *const *emotes; /* words that are pictures, ended by NULL */
	enum conf_links links;
	size_t max; /* characters */
};

/*
 * A copy to be freed, or NULL without memory; "" when nothing is left that has
 * a letter or a digit. *ret_link: whether there was an address.
 */
char *chat_text(const char *text, const struct chat_text_rules *rules,
		bool *ret_link);

/*
 * Folded for comparison, to be freed, or NULL without memory: case,
 * compatibility forms (NFKC_Casefold of the Unicode Standard, 3.13), marks
 * that are no part of a letter and characters that nobody sees make no
 * difference. Text is valid UTF-8; what is not becomes U+FFFD.
 */
char *chat_fold(const char *text);
/* The same, of words alone, with a space between two. */
char *chat_fold_words(const char *text);

#endif
