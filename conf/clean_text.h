/* SPDX-License-Identifier: MIT */
/*
 * From what strangers write, in notifications and chats, to what can be
 * spoken. No I/O.
 */
#ifndef BARKD_CLEAN_TEXT_H
#define BARKD_CLEAN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A copy of text (any bytes) to be freed, or NULL without memory: valid
 * UTF-8, white space collapsed, control characters and those that turn the
 * direction taken out, addresses shortened to their hosts. markup: HTML's
 * tags, among them those of the Desktop Notifications Specification
 * ("Markup"), are taken out and entities resolved; what is no markup stays. At
 * most max characters, cut between words (inside one that would make it twice
 * max), with "..." when something is missing.
 */
char *clean_text(const char *text, bool markup, size_t max);

/* Its tags and entities alone, as above; to be freed, or NULL without
 * memory. */
char *clean_markup(const char *text);

#define CLEAN_ENTITY_MAX 16 /* bytes that need to be looked at */
/* XML's entity at p, of at most n bytes: its length and character; 0: none. */
size_t clean_entity(const char *p, size_t n, uint32_t *ret);
/* A character as UTF-8: its length. */
size_t clean_encode(uint32_t c, char ret[4]);

#endif
