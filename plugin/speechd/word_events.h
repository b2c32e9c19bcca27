/* SPDX-License-Identifier: MIT */
/* Which word barkd's listener hears, from barkd's events. */
#ifndef SPEECHD_WORD_EVENTS_H
#define SPEECHD_WORD_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "barkd-client.h"

#define WORD_TAG_ROOM 64
/* Longer lines are those of other events. */
#define WORD_LINE_MAX 1024

struct word_events {
	struct barkd_stream *stream; /* NULL: closed */
	char buf[4096]; /* read, at `at` to before `end` not looked at */
	size_t at, end;
	char line[WORD_LINE_MAX];
	size_t n;
	bool too_long, is_word;
};

void word_events_init(struct word_events *w);
/* Where it cannot be had it stays closed. */
void word_events_open(struct word_events *w, struct barkd_client *client);
void word_events_close(struct word_events *w);
/* To be polled, or -1. */
int word_events_fd(const struct word_events *w);
/* The next word of what was asked for with a tag: its first byte. false: none
 * has come. */
bool word_events_next(struct word_events *w, const char *tag, size_t *ret);

#endif
