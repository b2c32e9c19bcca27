/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* "Mr. ", "No. ": shorter ones wait for what follows. */
#define SENTENCE_MIN 12

int text_queue_add(struct text_queue *q, const char *text, size_t max)
{
	size_t n = strlen(text), room;
	char *more;

	if (n > max - q->n)
		return -E2BIG;
	if (q->n + n > q->room) {
		room = 2 * (q->n + n);
		more = realloc(q->text, room);
		if (!more)
			return -ENOMEM;
		q->text = more;
		q->room = room;
	}
	if (n)
		memcpy(q->text + q->n, text, n);
	q->n += n;
	return 0;
}

/* Bytes of a mark that ends a sentence, 0: none. */
static size_t mark_at(const char *p, size_t n)
{
	static const char *const marks[] = {".", "!", "?", "\xe2\x80\xa6",
					    "\xe3\x80\x82", "\xef\xbc\x81",
					    "\xef\xbc\x9f", "\xe0\xa5\xa4"};

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		size_t k = strlen(marks[i]);

		if (k <= n && memcmp(p, marks[i], k) == 0)
			return k;
	}
	return 0;
}

/* Behind the last whole sentence; 0: there is none. */
static size_t whole_sentences(const struct text_queue *q)
{
	size_t end = 0;

	for (size_t i = 0; i < q->n; i++) {
		size_t k = mark_at(q->text + i, q->n - i);
		size_t behind = i + k;

		if (q->text[i] == '\n' && i >= SENTENCE_MIN)
			end = i + 1;
		/* Ideographic marks need no space behind them. */
		if (k == 0 || behind < SENTENCE_MIN || behind == q->n)
			continue;
		if (k == 3 || strchr(" \t\r\n", q->text[behind]))
			end = behind;
	}
	return end;
}

char *text_queue_next(struct text_queue *q, bool all)
{
	size_t n = all ? q->n : whole_sentences(q);
	char *text = n ? malloc(n + 1) : NULL;

	if (!text)
		return NULL;
	memcpy(text, q->text, n);
	text[n] = '\0';
	q->n -= n;
	memmove(q->text, q->text + n, q->n);
	return text;
}

void text_queue_clear(struct text_queue *q)
{
	bool streamed = q->streamed;

	free(q->text);
	*q = (struct text_queue){.streamed = streamed};
}
