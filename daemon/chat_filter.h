/* SPDX-License-Identifier: MIT */
/* Words and phrases that a chat's messages must not have. */
#ifndef BARKD_CHAT_FILTER_H
#define BARKD_CHAT_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#define CHAT_WORDS_MAX 10000
#define CHAT_PHRASE_MAX 4 /* words of one */

struct chat_filter;

/* Reads a file of one word or phrase a line; empty lines and those that begin
 * with # are skipped. Errors: of the file, -E2BIG (too many), -ENOMEM. */
int chat_filter_load(struct chat_filter **ret, const char *path);
void chat_filter_free(struct chat_filter *f); /* NULL is fine */
/* 1: the text has one of them; 0: none; -ENOMEM. */
int chat_filter_finds(const struct chat_filter *f, const char *text);

#endif
