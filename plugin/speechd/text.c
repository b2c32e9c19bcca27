/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clean_text.h"
#include "words.h"

struct builder {
	const struct text_style *style;
	struct text *text;
	FILE *out; /* of the part under way */
	char *data;
	size_t len;
	unsigned spell; /* depth of say-as characters */
	struct text_mark *marks;
	size_t n_marks;
};

static void marks_free(struct text_mark *marks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(marks[i].name);
	free(marks);
}

/* Takes the name. One that there is no memory for is left out. */
static void add_mark(struct builder *b, char *name)
{
	struct text_mark *more =
		realloc(b->marks, (b->n_marks + 1) * sizeof(*more));
	long at = ftell(b->out);

	if (more)
		b->marks = more;
	if (!more || at < 0) {
		free(name);
		return;
	}
	b->marks[b->n_marks++] = (struct text_mark){name, (size_t)at};
}

static int part_begin(struct builder *b)
{
	b->out = open_memstream(&b->data, &b->len);
	return b->out ? 0 : -ENOMEM;
}

static int part_end(struct builder *b, char *mark)
{
	struct text_part *parts;
	int bad = ferror(b->out) | fclose(b->out);

	b->out = NULL;
	parts = bad ? NULL
		    : realloc(b->text->parts,
			      (b->text->n + 1) * sizeof(*parts));
	if (!parts) {
		free(b->data);
		free(mark);
		return -ENOMEM;
	}
	b->text->parts = parts;
	/* White space alone is nothing to say. */
	if (!b->data[strspn(b->data, " \t\r\n")])
		b->data[0] = 0;
	parts[b->text->n++] = (struct text_part){
		.text = b->data, .marks = b->marks, .n_marks = b->n_marks,
		.mark = mark,
	};
	b->marks = NULL;
	b->n_marks = 0;
	return 0;
}

/* One character, n bytes at p. */
static void add_spelled(struct builder *b, const char *p, size_t n)
{
	const char *name = word_of(p, n);

	if (n == 1 && *p >= 'A' && *p <= 'Z' && b->style->capitals)
		fputs("capital ", b->out);
	if (name)
		fputs(name, b->out);
	else
		fwrite(p, 1, n, b->out);
	fputs(n == 1 && strchr(" \t\r\n", *p) ? " " : ", ", b->out);
}

static void add_char(struct builder *b, const char *p, size_t n)
{
	if (b->spell || b->style->spell) {
		if (n != 1 || !strchr(" \t\r\n", *p))
			add_spelled(b, p, n);
		return;
	}
	if (n == 1 && word_level(*p) <= (int)b->style->punctuation) {
		fprintf(b->out, " %s ", word_of(p, 1));
		/* What ends a sentence goes on ending it. */
		if (!strchr(".,;:!?", *p))
			return;
	}
	fwrite(p, 1, n, b->out);
}

/* At '&'. Returns what follows; an ampersand alone stands for itself. */
static const char *add_entity(struct builder *b, const char *p)
{
	char encoded[4], *end;
	uint32_t c;
	size_t n = clean_entity(p, strnlen(p, CLEAN_ENTITY_MAX), &c);

	if (n) {
		add_char(b, encoded, clean_encode(c, encoded));
		return p + n;
	}
	/* A number that is no character is nothing to say. */
	if (p[1] == '#') {
		bool hex = p[2] == 'x' || p[2] == 'X';

		strtoul(p + (hex ? 3 : 2), &end, hex ? 16 : 10);
		if (*end == ';')
			return end + 1;
	}
	add_char(b, p, 1);
	return p + 1;
}

/* The attribute's value within a tag's n bytes, or NULL. */
static char *attribute(const char *tag, size_t n, const char *name)
{
	const char *p = tag, *end = tag + n;
	size_t len = strlen(name);

	while ((p = memmem(p, (size_t)(end - p), name, len))) {
		const char *v = p + len, *close;

		if ((p[-1] == ' ' || p[-1] == '\t' || p[-1] == '\n') &&
		    v + 1 < end && *v == '=' && (v[1] == '"' || v[1] == '\'')) {
			close = memchr(v + 2, v[1], (size_t)(end - v - 2));
			if (close)
				return strndup(v + 2, (size_t)(close - v - 2));
		}
		p = v;
	}
	return NULL;
}

static bool is_tag(const char *tag, const char *name)
{
	size_t n = strlen(name);

	return strncmp(tag, name, n) == 0 && strchr(" \t\n/>", tag[n]);
}

/* At '<'. Returns what follows the tag. */
static const char *take_tag(struct builder *b, const char *p, int *r)
{
	const char *end = strncmp(p, "<!--", 4) ? strchr(p, '>')
						: strstr(p, "-->");
	size_t n;
	char *value;

	/* Not a tag after all. */
	if (!end || !p[1] || strchr(" \t\n=<", p[1])) {
		add_char(b, p, 1);
		return p + 1;
	}
	end = strchr(end, '>');
	n = (size_t)(end - p);
	if (is_tag(p, "<mark")) {
		value = attribute(p, n, "name");
		if (value && *value && !strpbrk(value, "\r\n")) {
			if (strncmp(value, "__spd_", 6) != 0) {
				add_mark(b, value);
				return end + 1;
			}
			*r = part_end(b, value);
			if (!*r)
				*r = part_begin(b);
		} else {
			free(value);
		}
	} else if (is_tag(p, "<say-as")) {
		value = attribute(p, n, "interpret-as");
		if (end[-1] != '/' && (b->spell ||
		    (value && (strcmp(value, "characters") == 0 ||
			       strcmp(value, "tts:char") == 0))))
			b->spell++;
		free(value);
	} else if (is_tag(p, "</say-as") && b->spell) {
		b->spell--;
	}
	return end + 1;
}

static size_t char_length(const char *p)
{
	size_t n = 1;

	while ((p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

static int finish(struct builder *b, int r)
{
	if (b->out && r == 0)
		r = part_end(b, NULL);
	else if (b->out) {
		fclose(b->out);
		free(b->data);
	}
	marks_free(b->marks, b->n_marks);
	if (r < 0)
		text_clear(b->text);
	return r;
}

int text_parse(struct text *ret, const char *p, const struct text_style *style)
{
	struct builder b = {.style = style, .text = ret};
	int r;

	*ret = (struct text){0};
	r = part_begin(&b);
	while (*p && r == 0) {
		size_t n = char_length(p);

		if (*p == '<') {
			p = take_tag(&b, p, &r);
		} else if (*p == '&') {
			p = add_entity(&b, p);
		} else {
			add_char(&b, p, n);
			p += n;
		}
	}
	return finish(&b, r);
}

int text_character(struct text *ret, const char *body,
		   const struct text_style *style)
{
	struct builder b = {.style = style, .text = ret};
	int r;

	*ret = (struct text){0};
	r = part_begin(&b);
	if (r == 0 && (strcmp(body, "space") == 0 || !*body))
		add_spelled(&b, " ", 1);
	else if (r == 0)
		for (const char *p = body; *p; p += char_length(p))
			add_spelled(&b, p, char_length(p));
	return finish(&b, r);
}

int text_key(struct text *ret, const char *body,
	     const struct text_style *style)
{
	struct builder b = {.style = style, .text = ret};
	size_t n = *body ? char_length(body) : 0;
	int r;

	if (!body[n])
		return text_character(ret, body, style);
	*ret = (struct text){0};
	r = part_begin(&b);
	if (r == 0)
		for (const char *p = body; *p; p++)
			fputc(*p == '_' ? ' ' : *p, b.out);
	return finish(&b, r);
}

void text_clear(struct text *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->parts[i].text);
		marks_free(t->parts[i].marks, t->parts[i].n_marks);
		free(t->parts[i].mark);
	}
	free(t->parts);
	*t = (struct text){0};
}
