/* SPDX-License-Identifier: MIT */
#include "word_events.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

void word_events_init(struct word_events *w)
{
	*w = (struct word_events){0};
}

void word_events_open(struct word_events *w, struct barkd_client *client)
{
	word_events_close(w);
	if (barkd_client_events_start(client, &w->stream) < 0)
		w->stream = NULL;
}

void word_events_close(struct word_events *w)
{
	barkd_stream_free(w->stream);
	*w = (struct word_events){0};
}

int word_events_fd(const struct word_events *w)
{
	return w->stream ? barkd_stream_fd(w->stream) : -1;
}

/* A whole line; true: a word of this tag. */
static bool take_line(struct word_events *w, const char *tag, size_t *ret)
{
	const char *theirs;
	json_t *data;
	bool ours;

	if (strncmp(w->line, "event: ", 7) == 0)
		w->is_word = strcmp(w->line + 7, "word") == 0;
	if (!w->is_word || strncmp(w->line, "data: ", 6) != 0)
		return false;
	data = json_loads(w->line + 6, 0, NULL);
	theirs = json_string_value(json_object_get(data, "tag"));
	ours = theirs && strcmp(theirs, tag) == 0;
	if (ours)
		*ret = (size_t)json_integer_value(
			json_object_get(data, "begin"));
	json_decref(data);
	return ours;
}

/* More to look at; false: there is none. */
static bool fill(struct word_events *w)
{
	ssize_t r;

	if (w->at < w->end)
		return true;
	r = w->stream ? barkd_stream_read(w->stream, w->buf, sizeof(w->buf))
		      : -EAGAIN;
	if (r == -EAGAIN)
		return false;
	if (r <= 0) {
		word_events_close(w);
		return false;
	}
	w->at = 0;
	w->end = (size_t)r;
	return true;
}

bool word_events_next(struct word_events *w, const char *tag, size_t *ret)
{
	while (fill(w)) {
		char c = w->buf[w->at++];
		bool found;

		if (c != '\n') {
			if (w->n < WORD_LINE_MAX - 1)
				w->line[w->n++] = c;
			else
				w->too_long = true;
			continue;
		}
		w->line[w->n] = '\0';
		found = !w->too_long && take_line(w, tag, ret);
		w->n = 0;
		w->too_long = false;
		if (found)
			return true;
	}
	return false;
}
