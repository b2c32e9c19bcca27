/* SPDX-License-Identifier: MIT */
/* How texts are split; the vocabulary has a piece for each character. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "segments.h"
#include "tap.h"

static const char vocab[] =
	"[UNK]\na\nb\nc\nd\ne\n##a\n##b\n##c\n##d\n##e\n.\n,\n[\n]\n";

static struct bark_tokenizer *tok;

struct split {
	const char *name, *locale, *text;
	unsigned max_tokens, max_chars;
	const char *want; /* the segments with | between */
};

#define SENTENCES(name, locale, text, want) \
	{ name, locale, text, 256, 190, want }

static const struct split splits[] = {
	SENTENCES("sentences", NULL,
		  "The first one is here now. And the second one follows! "
		  "Does the third one ask?",
		  "The first one is here now.|And the second one follows!|"
		  "Does the third one ask?"),
	SENTENCES("white space is trimmed", NULL,
		  "  \t The first one is here now.  \r\n\n ",
		  "The first one is here now."),
	SENTENCES("titles", NULL,
		  "Yesterday Dr. Smith met Mrs. Jones and Prof. Brown. They "
		  "talked at length.",
		  "Yesterday Dr. Smith met Mrs. Jones and Prof. Brown.|They "
		  "talked at length."),
	SENTENCES("initials and dotted words", NULL,
		  "J. R. Miller came to the U.S. Senate at 9 p.m. Eastern, "
		  "e.g. for a talk. It was late when it ended.",
		  "J. R. Miller came to the U.S. Senate at 9 p.m. Eastern, "
		  "e.g. for a talk.|It was late when it ended."),
	SENTENCES("decimal points", NULL,
		  "Version 3.14 costs 2.50 dollars now. The older one is free "
		  "of charge.",
		  "Version 3.14 costs 2.50 dollars now.|The older one is free "
		  "of charge."),
	SENTENCES("ordinals", "de",
		  "Wir treffen uns am 3. Mai um z. B. acht im Park. Danach "
		  "gehen wir alle essen.",
		  "Wir treffen uns am 3. Mai um z. B. acht im Park.|Danach gehen "
		  "wir alle essen."),
	SENTENCES("no language's own abbreviations", NULL,
		  "We looked for all of the Dec. Morning was lovely then and "
		  "so on. We had gone to the sea that day.",
		  "We looked for all of the Dec.|Morning was lovely then and "
		  "so on.|We had gone to the sea that day."),
	SENTENCES("a language's own abbreviations", "en",
		  "We looked for all of the Dec. Morning was lovely then and "
		  "so on. We had gone to the sea that day.",
		  "We looked for all of the Dec. Morning was lovely then and "
		  "so on.|We had gone to the sea that day."),
	SENTENCES("quotes after the stop", NULL,
		  "\"This is the end of it.\" Nobody in the room replied. "
		  "(They had left before.) So it goes on and on.",
		  "\"This is the end of it.\"|Nobody in the room replied.|"
		  "(They had left before.)|So it goes on and on."),
	SENTENCES("ellipsis", NULL,
		  "Wait for it... then go on without me. And then it stops... "
		  "Nobody knows why it did.",
		  "Wait for it... then go on without me.|And then it stops...|"
		  "Nobody knows why it did."),
	SENTENCES("Chinese and Japanese", NULL,
		  "我今天非常高兴。你们呢？我们一起去公园吧！"
		  "「そうですかね。」と彼は言った。明日は雨が降るでしょう。",
		  "我今天非常高兴。|你们呢？我们一起去公园吧！|"
		  "「そうですかね。」と彼は言った。|明日は雨が降るでしょう。"),
	SENTENCES("danda", "hi",
		  "आज मौसम बहुत अच्छा है और धूप है। क्या आप मेरे साथ बाज़ार चलेंगे? हाँ।",
		  "आज मौसम बहुत अच्छा है और धूप है।|क्या आप मेरे साथ बाज़ार चलेंगे? हाँ।"),
	SENTENCES("paragraphs", NULL,
		  "There is no stop at this end\n\nbut here begins another one",
		  "There is no stop at this end|but here begins another one"),
	SENTENCES("wrapped lines", NULL,
		  "This is a line that has been wrapped by a mail program\r\n"
		  "and goes on. Then\nit ends as it should.",
		  "This is a line that has been wrapped by a mail program\r\n"
		  "and goes on.|Then\nit ends as it should."),
	SENTENCES("lists", NULL,
		  "The list has these two items, and here they are in full:\n"
		  "- the first of the items\n- the second of the items\n"
		  "1. the first numbered item\n2. the second numbered item",
		  "The list has these two items, and here they are in full:|"
		  "- the first of the items|- the second of the items|"
		  "1. the first numbered item|2. the second numbered item"),
	SENTENCES("verses", NULL,
		  "Where the river meets the sea\nThere I waited long for thee",
		  "Where the river meets the sea|There I waited long for thee"),
	SENTENCES("form feeds part pages", NULL,
		  "page one\fpage two\vpage three", "page one|page two|page three"),
	SENTENCES("cues", NULL,
		  "That was a funny story. [laughs] Tell us another one. [sighs]",
		  "That was a funny story.|[laughs] Tell us another one. "
		  "[sighs]"),
	SENTENCES("lyrics", NULL,
		  "♪ Deep in the wood. The owls are calling! ♪ She stopped to "
		  "sing. And all of us went home.",
		  "♪ Deep in the wood. The owls are calling! ♪ She stopped to "
		  "sing.|And all of us went home."),
	SENTENCES("speakers", NULL,
		  "MAN: How are you today, my friend? OLD WOMAN: I am quite "
		  "well, thank you.",
		  "MAN: How are you today, my friend?|OLD WOMAN: I am quite "
		  "well, thank you."),
	SENTENCES("short ones join what follows", NULL,
		  "Yes. No. Who knows? The longer one comes in the end.",
		  "Yes. No. Who knows? The longer one comes in the end."),
	SENTENCES("a short one at the end joins what precedes", NULL,
		  "The longer one comes at the start. Good bye.",
		  "The longer one comes at the start. Good bye."),
	SENTENCES("a heading joins its text", NULL,
		  "Chapter 1\n\nIt was a dark and stormy night.",
		  "Chapter 1\n\nIt was a dark and stormy night."),
	SENTENCES("a single letter", NULL, "a", "a"),
	SENTENCES("marks alone", NULL, "...", "..."),
	SENTENCES("nothing", NULL, "", ""),
	SENTENCES("white space alone", NULL, " \n\t\u2028\u3000 ", ""),
	SENTENCES("control characters alone", NULL, "\x01\x02\u200b", ""),
	{ "clauses", NULL,
	  "One clause comes before the comma, another one comes after it; the "
	  "third one ends the sentence.", 256, 60,
	  "One clause comes before the comma,|another one comes after it; the "
	  "third one ends the sentence." },
	{ "words", NULL,
	  "no clause is to be found in these many words that go on and on", 256,
	  40, "no clause is to be found in|these many words that go on and on" },
	{ "numbers are not cut", NULL,
	  "the figure was 1,234,567.89 at the time we last looked at it", 256,
	  44, "the figure was 1,234,567.89|at the time we last looked at it" },
	{ "a cue is not cut", NULL,
	  "and so they all came in and [clears throat] went out by the door "
	  "again", 256, 38,
	  "and so they all came in and|[clears throat] went|out by the door "
	  "again" },
	{ "a speaker is not cut off", NULL,
	  "WOMAN: wonderfulness andmore", 256, 22,
	  "WOMAN: wonderfulness|andmore" },
	{ "graphemes", NULL, "aaaaaaaaaae\u0301e\u0301e\u0301", 256, 11,
	  "aaaaaaa|aaae\u0301e\u0301e\u0301" },
	{ "a grapheme is never cut", NULL, "e\u0301\u0301\u0301a", 1, 1,
	  "e\u0301\u0301\u0301|a" },
	{ "tokens", NULL, "abc abc abc abc", 6, 0, "abc abc|abc abc" },
	{ "tokens of one word", NULL, "abcdeabcdeabcde", 4, 0,
	  "abc|dea|bcd|eab|cde" },
	{ "ideographs weigh more", NULL, "中文中文中文中文", 256, 12,
	  "中文中文|中文中文" },
};

/* The segments with | between, into buf; false if they are amiss. */
static bool show(char *buf, size_t cap, const struct bark_segments *s,
		 const char *text, size_t len)
{
	size_t at = 0, last = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < s->n; i++) {
		const struct bark_segment *g = &s->items[i];
		size_t n = 0;

		if (g->begin < last || g->begin >= g->end || g->end > len ||
		    bark_tokenizer_encode(tok, text + g->begin,
					  g->end - g->begin, NULL, 0, &n) < 0 ||
		    n != g->n_tokens || n == 0)
			return false;
		last = g->end;
		at += (size_t)snprintf(buf + at, cap - at, "%s%.*s",
				       i > 0 ? "|" : "",
				       (int)(g->end - g->begin),
				       text + g->begin);
		if (at >= cap)
			return false;
	}
	return true;
}

static void test_split(const struct split *c)
{
	struct bark_segment_limits limits = {
		.max_tokens = c->max_tokens,
		.max_chars = c->max_chars,
	};
	struct bark_segments s = { 0 };
	char name[128], have[4096];
	size_t len = strlen(c->text);
	bool sound;

	snprintf(name, sizeof(name), "segments: %s", c->name);
	TAP_CHECK(name, bark_segments_split(&s, tok, c->text, len, c->locale,
					    &limits) == 0);
	sound = show(have, sizeof(have), &s, c->text, len);
	bark_segments_clear(&s);
	if (!sound)
		tap_not_ok(name, "segments overlap, are empty or miscounted");
	else if (strcmp(have, c->want) != 0)
		tap_not_ok(name, "%s", have);
	else
		tap_ok(name);
}

static void test_errors(void)
{
	static const char name[] = "segments: errors";
	struct bark_segment_limits limits = { .max_tokens = 256 };
	struct bark_segment_limits none = { 0 };
	struct bark_segments s = { 0 };
	static char large[BARK_TEXT_MAX + 1];

	memset(large, 'a', sizeof(large));
	TAP_CHECK(name, bark_segments_split(&s, tok, "a\xff", 2, NULL,
					    &limits) == -EILSEQ);
	TAP_CHECK(name, bark_segments_split(&s, tok, "\xed\xa0\x80", 3, NULL,
					    &limits) == -EILSEQ);
	TAP_CHECK(name, bark_segments_split(&s, tok, large, sizeof(large),
					    NULL, &limits) == -E2BIG);
	TAP_CHECK(name, bark_segments_split(&s, tok, "a", 1, NULL, &none) ==
				-EINVAL);
	TAP_CHECK(name, s.items == NULL && s.n == 0);
	/* an unknown or malformed language is the root's rules */
	TAP_CHECK(name, bark_segments_split(&s, tok, "a", 1, "?? @=;",
					    &limits) == 0 && s.n == 1);
	bark_segments_clear(&s);
	bark_segments_clear(&s);
	bark_segments_clear(NULL);
	tap_ok(name);
}

/* Texts of the largest size, each of which could make some loop quadratic. */
static void test_hostile(void)
{
	static const char *const parts[] = {
		"a", "(", ")", "[", "\n", " ", ".", "a.", "A: ", "1. ", "\u266a",
		"\u0301", "a\u0301 ", ",\u00a0", "\u4e2d", "\"", "[a]\n", "\f",
		"\U0001f468\u200d", "\xc2\x85", "\u3002", "a. A", "A:",
	};
	struct bark_segment_limits limits = { 20, 60 };
	static char text[BARK_TEXT_MAX];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t n = strlen(parts[i]), len = 0, last = 0;
		struct bark_segments s = { 0 };
		char name[64];

		snprintf(name, sizeof(name), "segments: hostile text %zu", i);
		for (; len + n <= sizeof(text); len += n)
			memcpy(text + len, parts[i], n);
		TAP_CHECK(name, bark_segments_split(&s, tok, text, len, "en",
						    &limits) == 0);
		for (size_t k = 0; k < s.n; k++) {
			TAP_CHECK(name, s.items[k].begin >= last &&
						s.items[k].end <= len);
			last = s.items[k].end;
		}
		bark_segments_clear(&s);
		tap_ok(name);
	}
}

int main(void)
{
	if (bark_tokenizer_parse(&tok, vocab, strlen(vocab), NULL, NULL) < 0)
		return 1;
	for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++)
		test_split(&splits[i]);
	test_errors();
	test_hostile();
	bark_tokenizer_free(tok);
	return tap_failed;
}
