/* SPDX-License-Identifier: MIT */
#include "reading.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "breaks.h"
#include "error.h"
#include "spoken.h"

/* Characters a second of fast speech, to bound a segment's length. */
#define CHARS_PER_SECOND 13
/* Bytes written out at once: a character's name can be 30 times as long. */
#define PART_MAX 4096

/* The languages of Bark's presets. */
static const char *const published[] = {
	"de", "en", "es", "fr", "hi", "it", "ja", "ko", "pl", "pt", "ru",
	"tr", "zh",
};

static bool is_language(const char *tag, const char *language)
{
	size_t n = strcspn(tag, "-_");

	return n == strlen(language) && strncasecmp(tag, language, n) == 0;
}

bool bark_model_speaks(const struct bark_model *model, const char *language)
{
	if (!language || !*language)
		return true;
	/* spoken.h writes English out, and nothing else. */
	if (model->config.spoken_text)
		return is_language(language, "en");
	for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++)
		if (is_language(language, published[i]))
			return true;
	return false;
}

/* --- parts --- */

static size_t whole_characters(const char *text, size_t n)
{
	while (n > 0 && U8_IS_TRAIL(text[n]))
		n--;
	return n;
}

/* The last place of a window where a flag stands, 0: none. */
static size_t last_break(const struct bark_breaks *b, uint8_t flags)
{
	size_t at = b->len - 1;

	while (at > 0 && !(b->flags[at] & flags))
		at--;
	return at;
}

static size_t last_space(const char *text, size_t len)
{
	while (len > 0 && !strchr(" \t\n", text[len - 1]))
		len--;
	return len;
}

/* How much of the text is written out next. */
static int part_of(const char *text, size_t len, const char *language,
		   size_t *ret)
{
	size_t window, cut;
	struct bark_breaks breaks;
	int r;

	*ret = len;
	if (len <= PART_MAX)
		return 0;
	window = whole_characters(text, PART_MAX);
	r = bark_breaks_find(&breaks, text, window, language);
	if (r < 0)
		return r;
	cut = last_break(&breaks, BARK_BREAK_SENTENCE);
	if (cut == 0)
		cut = last_break(&breaks, BARK_BREAK_CLAUSE);
	if (cut == 0)
		cut = last_space(text, window);
	*ret = cut > 0 ? cut : window;
	bark_breaks_clear(&breaks);
	return 0;
}

/* --- the reading --- */

struct reading {
	const struct bark_model *model;
	const char *language;
	struct bark_segment_limits limits;
	struct bark_reading out;
	size_t cap, room; /* of the segments, of the text */
	bool known; /* the model has some of it in its vocabulary */
	bool lost;  /* something there is no name for was left out */
};

static int add_text(struct reading *r, const char *text, size_t len)
{
	if (r->out.len + len + 1 > r->room) {
		size_t room = 2 * r->out.len + len + 1;
		char *more = realloc(r->out.text, room);

		if (!more)
			return -ENOMEM;
		r->out.text = more;
		r->room = room;
	}
	memcpy(r->out.text + r->out.len, text, len);
	r->out.len += len;
	r->out.text[r->out.len] = '\0';
	return 0;
}

static int add_segment(struct reading *r,
		       const struct bark_reading_segment *segment)
{
	if (r->out.n == r->cap) {
		size_t cap = 2 * r->cap + 16;
		struct bark_reading_segment *more =
			realloc(r->out.segments, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		r->out.segments = more;
		r->cap = cap;
	}
	r->out.segments[r->out.n++] = *segment;
	return 0;
}

/* Whether there is more in it than unknown tokens and marks. */
static int look_up(struct reading *r, const char *text, size_t len,
		   unsigned n_tokens)
{
	int32_t *ids = calloc(n_tokens, sizeof(*ids));
	size_t n = 0;
	bool word = false;
	int e = ids ? bark_tokenizer_encode(r->model->tokenizer, text, len,
					    ids, n_tokens, &n)
		    : -ENOMEM;

	for (int32_t i = 0; !word && i < (int32_t)len;) {
		UChar32 c;

		U8_NEXT(text, i, (int32_t)len, c);
		word = c > 0 && u_isalnum(c);
	}
	for (size_t i = 0; word && e == 0 && i < n && i < n_tokens; i++)
		r->known = r->known ||
			   ids[i] != bark_tokenizer_unknown(
					     r->model->tokenizer);
	free(ids);
	return e;
}

/* A part of the written text, at `at` in it; spoken NULL: it is read so. */
static int add_part(struct reading *r, const char *text, size_t len, size_t at,
		    const struct bark_spoken *spoken)
{
	struct bark_segments segments = {0};
	size_t base = r->out.len;
	int e = add_text(r, text, len);

	if (e == 0)
		e = bark_segments_split(&segments, r->model->tokenizer, text,
					len, r->language, &r->limits);
	for (size_t i = 0; e == 0 && i < segments.n; i++) {
		const struct bark_segment *s = &segments.items[i];
		struct bark_reading_segment out = {
			.begin = base + s->begin, .end = base + s->end,
			.written_begin = s->begin, .written_end = s->end,
		};

		if (spoken)
			bark_spoken_source(spoken, s->begin, s->end,
					   &out.written_begin,
					   &out.written_end);
		out.written_begin += at;
		out.written_end += at;
		e = add_segment(r, &out);
		if (e == 0 && !r->known)
			e = look_up(r, text + s->begin, s->end - s->begin,
				    s->n_tokens);
	}
	bark_segments_clear(&segments);
	return e;
}

static int write_out(struct reading *r, const char *text, size_t len)
{
	int e = 0;

	for (size_t at = 0, n; e == 0 && at < len; at += n) {
		struct bark_spoken spoken = {0};

		e = part_of(text + at, len - at, r->language, &n);
		if (e == 0)
			e = bark_spoken_make(&spoken, text + at, n);
		if (e == 0)
			e = add_part(r, spoken.text, spoken.len, at, &spoken);
		r->lost = r->lost || spoken.lost;
		bark_spoken_clear(&spoken);
	}
	return e;
}

static int make(struct reading *r, const char *text, size_t len)
{
	int e;

	if (!r->model->tokenizer)
		return -EINVAL;
	if (len > BARK_TEXT_MAX)
		return -E2BIG;
	if (!bark_is_utf8(text, len))
		return -EILSEQ;
	if (r->model->config.spoken_text)
		e = write_out(r, text, len);
	else
		e = add_part(r, text, len, 0, NULL);
	if (e == 0 && r->out.n == 0)
		return r->lost ? -EDOM : -ENODATA;
	return e == 0 && !r->known ? -EDOM : e;
}

static const char *message_of(int e)
{
	switch (e) {
	case -EINVAL:
		return "the model has neither vocab.txt nor tokenizer.json";
	case -EILSEQ:
		return "the text is not valid UTF-8";
	case -ENODATA:
		return "the text has nothing to say";
	case -EDOM:
		return "the model cannot say the text's characters";
	default:
		return "out of memory";
	}
}

int bark_reading_make(struct bark_reading *ret, const struct bark_model *model,
		      const char *text, size_t len, const char *language,
		      struct bark_error *err)
{
	const struct bark_semantic_config *g = &model->config.semantic;
	struct reading r = {
		.model = model,
		.language = language,
		.limits.max_tokens = g->max_input,
		.limits.max_chars =
			(unsigned)(g->max_new / g->rate * CHARS_PER_SECOND),
	};
	int e = make(&r, text, len);

	if (e < 0) {
		bark_reading_clear(&r.out);
		if (e == -E2BIG)
			return bark_fail(err, e,
					 "the text is longer than %d bytes",
					 BARK_TEXT_MAX);
		return bark_fail(err, e, "%s", message_of(e));
	}
	*ret = r.out;
	return 0;
}

void bark_reading_clear(struct bark_reading *r)
{
	free(r->text);
	free(r->segments);
	*r = (struct bark_reading){0};
}
