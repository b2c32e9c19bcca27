/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "bark.h"
#include "breaks.h"
#include "ssml.h"
#include "utf8.h"
#include "words.h"

/* Characters of "left square bracket", which is among the longest names. */
#define SHORT_MAX 20

/* --- how characters are written --- */

struct writer {
	const struct text_style *style;
	bool after_letter, after_capital;
};

static UChar32 first_of(const char *p, size_t n)
{
	int32_t i = 0;
	UChar32 c;

	U8_NEXT(p, i, (int32_t)n, c);
	return c;
}

static bool is_blank(const char *p, size_t n)
{
	return n == 1 && strchr(" \t\r\n", *p);
}

/* One character by its name. Returns its bytes. */
static size_t put_spelled(char ret[SSML_PUT_MAX], const char *p, size_t n,
			  const struct text_style *style)
{
	const char *name = word_of(p, n);
	bool capital = style->capitals && u_isupper(first_of(p, n));

	return (size_t)snprintf(ret, SSML_PUT_MAX, "%s%.*s%s",
				capital ? "capital " : "",
				name ? (int)strlen(name) : (int)n,
				name ? name : p, is_blank(p, n) ? " " : ", ");
}

/* Within a text, where punctuation and capitals may have names. */
static size_t put_running(struct writer *w, char ret[SSML_PUT_MAX],
			  const char *p, size_t n)
{
	UChar32 c = first_of(p, n);
	bool capital = u_isupper(c), begins = capital && !w->after_capital;
	bool inside = w->after_letter;

	w->after_letter = u_isalpha(c);
	w->after_capital = capital;
	if (begins && w->style->capitals)
		return (size_t)snprintf(ret, SSML_PUT_MAX, "%scapital %.*s",
					inside ? " " : "", (int)n, p);
	if (n == 1 && word_level(*p) <= (int)w->style->punctuation)
		/* What ends a sentence goes on ending it. */
		return (size_t)snprintf(ret, SSML_PUT_MAX, " %s %.*s",
					word_of(p, 1),
					strchr(".,;:!?", *p) ? 1 : 0, p);
	memcpy(ret, p, n);
	return n;
}

static size_t put(void *data, char ret[SSML_PUT_MAX], const char *p, size_t n,
		  enum ssml_as as)
{
	struct writer *w = data;

	if (as == SSML_AS_KEY && *p == '_')
		return put_running(w, ret, " ", 1);
	if (as != SSML_AS_CHARACTERS && !w->style->spell)
		return put_running(w, ret, p, n);
	return is_blank(p, n) ? 0 : put_spelled(ret, p, n, w->style);
}

/* --- numbers --- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Speech Dispatcher's symbols make "3 .14" of 3.14. */
static bool splits_number(const char *text, size_t at)
{
	const char *p = text + at;

	return *p == ' ' && at > 0 && is_digit(p[-1]) &&
	       (p[1] == '.' || p[1] == ',') && is_digit(p[2]);
}

static void join_numbers(struct ssml *s)
{
	size_t to = 0, mark = 0, begin = 0, end = 0;

	for (size_t at = 0; at <= s->len; at++) {
		for (; end < s->n_spans && s->spans[end].end == at; end++)
			s->spans[end].end = to;
		for (; begin < s->n_spans && s->spans[begin].begin == at;
		     begin++)
			s->spans[begin].begin = to;
		for (; mark < s->n_marks && s->marks[mark].at == at; mark++)
			s->marks[mark].at = to;
		if (!splits_number(s->text, at))
			s->text[to++] = s->text[at];
	}
	s->len = to - 1;
}

/* --- parts --- */

struct builder {
	struct text *text;
	const struct ssml *ssml;
	struct bark_breaks breaks; /* without flags: too long a text */
	size_t begin;              /* of the part under way */
	unsigned pause_ms;         /* before it */
	struct text_mark *marks;   /* in it */
	size_t n_marks;
};

static void marks_free(struct text_mark *marks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(marks[i].name);
	free(marks);
}

/* Takes the name. */
static int add_mark(struct builder *b, char *name, size_t at)
{
	struct text_mark *more =
		name ? realloc(b->marks, (b->n_marks + 1) * sizeof(*more))
		     : NULL;

	if (!more) {
		free(name);
		return -ENOMEM;
	}
	b->marks = more;
	more[b->n_marks++] = (struct text_mark){name, at - b->begin};
	return 0;
}

/* The part ends before byte `end`. mark: a name, taken, or NULL. */
static int end_part(struct builder *b, const struct ssml_span *span, size_t end,
		    char *mark)
{
	size_t blank = strspn(b->ssml->text + b->begin, " \t\r\n");
	bool empty = blank >= end - b->begin;
	char *text = strndup(b->ssml->text + b->begin,
			     empty ? 0 : end - b->begin);
	struct text_part *parts =
		text ? realloc(b->text->parts,
			       (b->text->n + 1) * sizeof(*parts))
		     : NULL;

	if (!parts) {
		free(text);
		free(mark);
		return -ENOMEM;
	}
	b->text->parts = parts;
	parts[b->text->n++] = (struct text_part){
		.text = text, .marks = b->marks, .n_marks = b->n_marks,
		.mark = mark, .pause_ms = b->pause_ms, .rate = span->rate,
		.pitch = span->pitch, .volume = span->volume,
	};
	strcpy(parts[b->text->n - 1].language, span->language);
	b->marks = NULL;
	b->n_marks = 0;
	b->pause_ms = 0;
	b->begin = end;
	return 0;
}

/* Whether the text is cut at the mark. */
static bool cuts(const struct builder *b, const struct ssml_mark *mark)
{
	size_t at = mark->at;

	if (strncmp(mark->name, "__spd_", 6) != 0)
		return false;
	at += strspn(b->ssml->text + at, " \t\r\n");
	return !b->breaks.flags || at >= b->ssml->len ||
	       (b->breaks.flags[at] & BARK_BREAK_SENTENCE);
}

static int add_span(struct builder *b, size_t i, size_t *mark)
{
	const struct ssml *s = b->ssml;
	const struct ssml_span *span = &s->spans[i];
	int r = 0;

	b->begin = span->begin;
	b->pause_ms = span->pause_ms;
	for (; r == 0 && *mark < s->n_marks && s->marks[*mark].span == i;
	     ++*mark) {
		const struct ssml_mark *m = &s->marks[*mark];
		/* In front of what the span begins with. */
		size_t at = m->at < b->begin ? b->begin : m->at;
		char *name = strdup(m->name);

		if (name && cuts(b, m))
			r = end_part(b, span, at, name);
		else
			r = add_mark(b, name, at);
	}
	if (r == 0 && (span->end > b->begin || b->n_marks || b->pause_ms))
		r = end_part(b, span, span->end, NULL);
	return r;
}

static int build(struct text *ret, const struct ssml *s, const char *language)
{
	const struct ssml_span nothing = {.rate = 1, .pitch = 1, .volume = 1};
	struct builder b = {.text = ret, .ssml = s};
	size_t mark = 0;
	int r = 0;

	if (s->n_marks && s->len <= BARK_TEXT_MAX)
		r = bark_breaks_find(&b.breaks, s->text, s->len, language);
	for (size_t i = 0; r == 0 && i < s->n_spans; i++)
		r = add_span(&b, i, &mark);
	if (r == 0 && ret->n == 0)
		r = end_part(&b, &nothing, 0, NULL);
	marks_free(b.marks, b.n_marks);
	bark_breaks_clear(&b.breaks);
	return r;
}

int text_parse(struct text *ret, const char *p, const struct text_style *style,
	       const char *language)
{
	struct writer w = {.style = style};
	const struct ssml_writer writer = {put, &w};
	struct ssml s;
	int r = ssml_parse(&s, p, true, &writer);

	*ret = (struct text){0};
	if (r < 0)
		return r;
	join_numbers(&s);
	r = build(ret, &s, language);
	ssml_clear(&s);
	if (r < 0)
		text_clear(ret);
	return r;
}

/* Takes the text, of which there is one part. */
static int single(struct text *ret, char *text)
{
	*ret = (struct text){.parts = calloc(1, sizeof(*ret->parts)), .n = 1};
	if (!text || !ret->parts) {
		free(text);
		free(ret->parts);
		*ret = (struct text){0};
		return -ENOMEM;
	}
	ret->parts[0] = (struct text_part){
		.text = text, .rate = 1, .pitch = 1, .volume = 1,
	};
	return 0;
}

int text_character(struct text *ret, const char *body,
		   const struct text_style *style)
{
	char spelled[SSML_PUT_MAX], *out = NULL;
	size_t size, n;
	FILE *f;

	if (!*body || strcmp(body, "space") == 0)
		body = " ";
	f = open_memstream(&out, &size);
	if (!f)
		return -ENOMEM;
	for (const char *p = body; *p; p += n) {
		n = utf8_bytes(p, 1);
		fwrite(spelled, 1, put_spelled(spelled, p, n, style), f);
	}
	if (fclose(f) != 0) {
		free(out);
		out = NULL;
	}
	return single(ret, out);
}

int text_key(struct text *ret, const char *body,
	     const struct text_style *style)
{
	char *text;

	if (utf8_characters(body, strlen(body)) < 2)
		return text_character(ret, body, style);
	text = strdup(body);
	for (char *p = text; p && *p; p++)
		if (*p == '_')
			*p = ' ';
	return single(ret, text);
}

bool text_is_short(const struct text *t)
{
	const char *p = t->n == 1 ? t->parts[0].text : "";
	size_t n = strlen(p);

	return n && !t->parts[0].pause_ms && n < 4 * SHORT_MAX &&
	       utf8_characters(p, n) <= SHORT_MAX && !strpbrk(p, ".!?\n");
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
