/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

/* The items, of which there are n, with room for one more; NULL without
 * memory: they stay where they were, and nothing more is taken. */
static void *grown(struct ssml_output *o, void *items, size_t n, size_t size,
		   size_t *room)
{
	size_t more = *room ? 2 * *room : 16;
	void *p = items;

	if (n >= *room) {
		p = realloc(items, more * size);
		if (p)
			*room = more;
		else
			o->failed = true;
	}
	return p;
}

static bool is_blank(const char *c, size_t n)
{
	return n == 1 && strchr(" \t\r\n", *c);
}

static void add_byte(struct ssml_output *o, char c)
{
	/* One is left for the end. */
	char *p = grown(o, o->s.text, o->s.len + 1, 1, &o->room);

	if (!p)
		return;
	o->s.text = p;
	p[o->s.len++] = c;
}

static void add_place(struct ssml_output *o, struct ssml_place place)
{
	struct ssml_place *p = grown(o, o->s.places, o->s.n + 1, sizeof(*p),
				     &o->places_room);

	if (!p)
		return;
	o->s.places = p;
	p[o->s.n] = place;
}

static struct ssml_span *current(const struct ssml_output *o)
{
	return o->s.n_spans ? &o->s.spans[o->s.n_spans - 1] : NULL;
}

static void add_text(struct ssml_output *o, const char *text, size_t n,
		     struct ssml_place place)
{
	for (size_t i = 0; i < n && !o->failed; i++) {
		if (utf8_begins(text[i])) {
			add_place(o, place);
			o->s.n++;
		}
		add_byte(o, text[i]);
	}
	if (current(o))
		current(o)->end = o->s.len;
}

/* --- spans --- */

static void begin_span(struct ssml_output *o, const struct ssml_style *style)
{
	struct ssml_span *p = grown(o, o->s.spans, o->s.n_spans, sizeof(*p),
				    &o->spans_room);

	if (!p)
		return;
	o->s.spans = p;
	p[o->s.n_spans++] = (struct ssml_span){
		.begin = o->s.len, .end = o->s.len, .first = o->s.n,
		.rate = style->rate, .pitch = style->pitch,
		.volume = style->volume, .pause_ms = o->pause_ms,
	};
	strcpy(p[o->s.n_spans - 1].language, style->language);
	o->pause_ms = 0;
	o->gap = SSML_GAP_NONE;
}

static void fit_span(struct ssml_output *o, const struct ssml_style *style)
{
	const struct ssml_span *s = current(o);

	if (!s || o->pause_ms || s->rate != style->rate ||
	    s->pitch != style->pitch || s->volume != style->volume ||
	    strcmp(s->language, style->language) != 0)
		begin_span(o, style);
}

/* --- gaps --- */

static bool ends_sentence(const struct ssml_output *o)
{
	size_t n = o->s.len;

	while (n && is_blank(&o->s.text[n - 1], 1))
		n--;
	return n && strchr(".!?", o->s.text[n - 1]);
}

static void fill_gap(struct ssml_output *o, uint32_t at)
{
	const struct ssml_place here = {at, at};
	bool open = o->s.len && !is_blank(&o->s.text[o->s.len - 1], 1);

	if (o->s.len && (o->gap == SSML_GAP_PARAGRAPH ||
			 (o->gap == SSML_GAP_SENTENCE && !ends_sentence(o))))
		add_text(o, "\n\n", 2, here);
	else if (open && o->gap != SSML_GAP_NONE)
		add_text(o, " ", 1, here);
	o->gap = SSML_GAP_NONE;
}

/* --- what comes --- */

static size_t put_usual(void *data, char ret[SSML_PUT_MAX], const char *c,
			size_t n, enum ssml_as as)
{
	memcpy(ret, c, n);
	if (as == SSML_AS_KEY && *c == '_')
		*ret = ' ';
	if (as != SSML_AS_CHARACTERS || is_blank(c, n))
		return n;
	memcpy(ret + n, ", ", 2);
	return n + 2;
}

void ssml_output_init(struct ssml_output *o, const struct ssml_writer *writer)
{
	*o = (struct ssml_output){.writer = {.put = put_usual}};
	if (writer)
		o->writer = *writer;
	add_byte(o, '\0');
	o->s.len = 0;
}

void ssml_output_put(struct ssml_output *o, const struct ssml_style *style,
		     const char *c, size_t n, struct ssml_place place)
{
	char written[SSML_PUT_MAX];

	if (o->failed)
		return;
	/* White space belongs to what is there, whatever comes. */
	if (!is_blank(c, n)) {
		fit_span(o, style);
		fill_gap(o, place.begin);
	}
	n = o->writer.put(o->writer.data, written, c, n, style->as);
	add_text(o, written, n, place);
}

void ssml_output_gap(struct ssml_output *o, enum ssml_gap gap)
{
	if (gap > o->gap)
		o->gap = gap;
}

void ssml_output_pause(struct ssml_output *o, unsigned ms)
{
	o->pause_ms += ms;
	if (o->pause_ms > SSML_PAUSE_MAX)
		o->pause_ms = SSML_PAUSE_MAX;
	ssml_output_gap(o, SSML_GAP_WORD);
}

void ssml_output_mark(struct ssml_output *o, const char *name)
{
	size_t span = o->s.n_spans;
	struct ssml_mark *p;
	char *copy;

	if (o->failed || !*name || strlen(name) > SSML_MARK_MAX ||
	    strpbrk(name, "\r\n"))
		return;
	/* Behind a pause it belongs to what comes. */
	if (span && !o->pause_ms)
		span--;
	p = grown(o, o->s.marks, o->s.n_marks, sizeof(*p), &o->marks_room);
	if (!p)
		return;
	o->s.marks = p;
	copy = strdup(name);
	if (!copy) {
		o->failed = true;
		return;
	}
	p[o->s.n_marks++] = (struct ssml_mark){
		.name = copy, .at = o->s.len, .first = o->s.n, .span = span,
	};
}

int ssml_output_finish(struct ssml_output *o, uint32_t end, struct ssml *ret)
{
	const struct ssml_style plain = {.rate = 1, .pitch = 1, .volume = 1};

	/* A pause or a mark alone. */
	if (o->pause_ms || (o->s.n_marks && !o->s.n_spans))
		begin_span(o, &plain);
	add_place(o, (struct ssml_place){end, end});
	if (o->failed) {
		ssml_clear(&o->s);
		return -ENOMEM;
	}
	o->s.text[o->s.len] = '\0';
	*ret = o->s;
	return 0;
}

void ssml_clear(struct ssml *s)
{
	for (size_t i = 0; i < s->n_marks; i++)
		free(s->marks[i].name);
	free(s->marks);
	free(s->spans);
	free(s->places);
	free(s->text);
	*s = (struct ssml){0};
}

char *ssml_span_text(const struct ssml *s, const struct ssml_span *span)
{
	return strndup(s->text + span->begin, span->end - span->begin);
}
