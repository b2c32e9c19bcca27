/* SPDX-License-Identifier: MIT */
#include "fast_speech.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

struct fast_speech {
	struct fast *fast;
	char *text, *language; /* owned */
	size_t n, begin, end;  /* of the text; of what is being spoken */
	bool strict;
	UText *utext;
	UBreakIterator *sentences;
	struct fast_order *order;
	struct source *source; /* the caller's; NULL before there is sound */
	void (*done)(void *data, int r, struct source *source);
	void *data;
};

static void on_sound(void *data, int r, struct sound *sound);

/* Where what is spoken next ends: a sentence, or as much as may be ordered. */
static size_t next_end(const struct fast_speech *s)
{
	size_t most = s->end + FAST_TEXT_MAX;
	int32_t at = s->sentences ? ubrk_following(s->sentences, (int32_t)s->end)
				  : UBRK_DONE;
	size_t end = at == UBRK_DONE ? s->n : (size_t)at;

	if (end <= most)
		return end;
	U8_SET_CP_START((const uint8_t *)s->text, 0, most);
	return most;
}

/* Orders the next sentence, if there is one. */
static int order_next(struct fast_speech *s)
{
	s->begin = s->end;
	s->end = next_end(s);
	return fast_order(s->fast, &s->order, s->text + s->begin,
			  s->end - s->begin, s->language, on_sound, s);
}

static void on_hungry(void *data)
{
	struct fast_speech *s = data;
	int r;

	if (s->order || s->end == s->n)
		return;
	r = order_next(s);
	if (r < 0)
		source_end(s->source, r);
}

/* The first sentence failed: nothing was given to the caller yet. */
static void fail(struct fast_speech *s, int r)
{
	if (r == -ESRCH && s->language && !s->strict) {
		free(s->language);
		s->language = NULL;
		s->end = s->begin;
		r = order_next(s);
		if (r == 0)
			return;
	}
	s->done(s->data, r, NULL);
}

static void on_sound(void *data, int r, struct sound *sound)
{
	struct fast_speech *s = data;
	bool first = !s->source, last = s->end == s->n;

	s->order = NULL;
	if (r == 0 && first) {
		s->source = source_of_pieces(sound->rate, on_hungry, s);
		r = s->source ? 0 : -ENOMEM;
	}
	if (r == 0)
		r = source_add(s->source, sound, s->begin, s->end);
	sound_unref(sound);
	if (!s->source) {
		fail(s, r);
		return;
	}
	if (r < 0 || last)
		source_end(s->source, r);
	if (first)
		s->done(s->data, 0, s->source);
}

static void find_sentences(struct fast_speech *s)
{
	UErrorCode error = U_ZERO_ERROR;

	s->utext = utext_openUTF8(NULL, s->text, (int64_t)s->n, &error);
	s->sentences = ubrk_open(UBRK_SENTENCE, s->language ? s->language : "en",
				 NULL, 0, &error);
	if (U_SUCCESS(error))
		ubrk_setUText(s->sentences, s->utext, &error);
	/* Without, the text is cut where it must be. */
	if (U_FAILURE(error)) {
		ubrk_close(s->sentences);
		s->sentences = NULL;
	}
}

int fast_speech_new(struct fast_speech **ret, struct fast *f, const char *text,
		    size_t n, const char *language, bool strict,
		    void (*done)(void *data, int r, struct source *source),
		    void *data)
{
	struct fast_speech *s = calloc(1, sizeof(*s));
	int r = -ENOMEM;

	if (!s)
		return -ENOMEM;
	s->fast = f;
	s->text = strndup(text, n);
	s->language = language ? strdup(language) : NULL;
	s->n = n;
	s->strict = strict;
	s->done = done;
	s->data = data;
	if (s->text && (s->language || !language)) {
		find_sentences(s);
		r = order_next(s);
	}
	if (r < 0) {
		fast_speech_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void fast_speech_free(struct fast_speech *s)
{
	if (!s)
		return;
	fast_cancel(s->order);
	ubrk_close(s->sentences);
	utext_close(s->utext);
	free(s->text);
	free(s->language);
	free(s);
}
