/* SPDX-License-Identifier: MIT */
/* Text that comes in pieces and is spoken by whole sentences. No I/O. */
#ifndef WYOMING_TEXT_H
#define WYOMING_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text_queue {
	char *text;
	size_t n, room;
	bool streamed; /* the owner's: it comes in pieces */
};

/* Errors: -ENOMEM, -E2BIG (more than max bytes would wait). */
int text_queue_add(struct text_queue *q, const char *text, size_t max);
/*
 * What can be spoken now, to be freed: whole sentences, or with `all` what
 * there is; NULL: nothing yet. Where sentences end is guessed here by marks
 * followed by white space; barkd does it properly within what it gets.
 */
char *text_queue_next(struct text_queue *q, bool all);
void text_queue_clear(struct text_queue *q);

#endif
