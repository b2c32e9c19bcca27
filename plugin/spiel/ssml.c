/* SPDX-License-Identifier: MIT */
#include "ssml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clean_text.h"

/* Bytes: what is longer is none, so that no text is searched again and again. */
#define TAG_MAX 4096

struct reader {
	struct ssml *s;
	FILE *out;
	const char *p;
	uint32_t at; /* characters of the source before p */
	size_t room;
	bool failed;
};

static size_t char_length(const char *p)
{
	size_t n = 1;

	while (((unsigned char)p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* Steps over n bytes of the source. */
static void step(struct reader *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		r->at += ((unsigned char)r->p[i] & 0xc0) != 0x80;
	r->p += n;
}

/* The next character of the text comes from here, n bytes. */
static void note_place(struct reader *r, size_t n)
{
	uint32_t begin = r->at;

	struct ssml *s = r->s;

	if (s->n + 2 > r->room) {
		size_t room = r->room ? 2 * r->room : 256;
		struct ssml_place *more =
			realloc(s->places, room * sizeof(*more));

		if (!more) {
			r->failed = true;
			return;
		}
		s->places = more;
		r->room = room;
	}
	step(r, n);
	s->places[s->n] = (struct ssml_place){begin, r->at};
}

static void add_mark(struct reader *r, const char *name, size_t n)
{
	struct ssml *s = r->s;
	struct ssml_mark *more;

	if (n > SSML_MARK_MAX)
		return;
	more = realloc(s->marks, (s->n_marks + 1) * sizeof(*more));
	if (more)
		s->marks = more;
	if (!more || !(more[s->n_marks].name = strndup(name, n))) {
		r->failed = true;
		return;
	}
	more[s->n_marks++].at = s->n;
}

/* name="..." inside of a tag of n bytes. */
static void read_mark(struct reader *r, size_t n)
{
	const char *end = r->p + n, *p = memmem(r->p, n, "name", 4);
	const char *close;

	if (!p)
		return;
	p += 4;
	while (p < end && strchr(" \t\r\n=", *p))
		p++;
	if (p >= end || (*p != '"' && *p != '\''))
		return;
	close = memchr(p + 1, *p, (size_t)(end - p - 1));
	if (close)
		add_mark(r, p + 1, (size_t)(close - p - 1));
}

/* A tag's length, comments and the like included; 0: there is none. */
static size_t tag_length(const char *p)
{
	size_t n = strnlen(p, TAG_MAX);
	const char *end;

	if (strncmp(p, "<!--", 4) == 0) {
		end = memmem(p + 4, n - 4, "-->", 3);
		return end ? (size_t)(end - p) + 3 : 0;
	}
	if (!p[1] || !strchr("abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ/?!", p[1]))
		return 0;
	end = memchr(p, '>', n);
	return end ? (size_t)(end - p) + 1 : 0;
}

static void read_text(struct reader *r, bool markup)
{
	while (*r->p && !r->failed) {
		size_t n = markup && *r->p == '<' ? tag_length(r->p) : 0;
		char encoded[4];
		uint32_t c;

		if (n) {
			if (strncmp(r->p, "<mark", 5) == 0)
				read_mark(r, n);
			step(r, n);
			continue;
		}
		n = markup && *r->p == '&'
			    ? clean_entity(r->p,
					   strnlen(r->p, CLEAN_ENTITY_MAX), &c)
			    : 0;
		if (n) {
			fwrite(encoded, 1, clean_encode(c, encoded), r->out);
		} else {
			n = char_length(r->p);
			fwrite(r->p, 1, n, r->out);
		}
		note_place(r, n);
		if (!r->failed)
			r->s->n++;
	}
}

int ssml_parse(struct ssml *ret, const char *text, bool markup)
{
	struct ssml s = {0};
	struct reader r = {.s = &s, .p = text};
	size_t size;

	r.out = open_memstream(&s.text, &size);
	if (!r.out)
		return -ENOMEM;
	read_text(&r, markup);
	/* One behind the last. */
	note_place(&r, 0);
	if (fclose(r.out) != 0 || r.failed) {
		ssml_clear(&s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

void ssml_clear(struct ssml *s)
{
	for (size_t i = 0; i < s->n_marks; i++)
		free(s->marks[i].name);
	free(s->marks);
	free(s->places);
	free(s->text);
	*s = (struct ssml){0};
}
