/* SPDX-License-Identifier: MIT */
/* When words are heard, by what is known of their sentences. */
#include "words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tap.h"

static struct words *make(const char *text)
{
	struct words *w = NULL;

	if (words_new(&w) < 0 || words_scan(w, text, strlen(text), NULL) < 0)
		return NULL;
	return w;
}

static bool is_word(const struct words *w, size_t i, const char *text,
		    const char *word)
{
	const struct word *p = words_get(w, i);

	return p->end - p->begin == strlen(word) &&
	       memcmp(text + p->begin, word, strlen(word)) == 0;
}

static void test_words(void)
{
	const char *name = "words: what counts as one";
	const char *text = "Hello,  \"world\" - 3.5 don't!";
	struct words *w = make(text);

	TAP_CHECK(name, w && words_count(w) == 4);
	TAP_CHECK(name, is_word(w, 0, text, "Hello"));
	TAP_CHECK(name, is_word(w, 1, text, "world"));
	TAP_CHECK(name, is_word(w, 2, text, "3.5"));
	TAP_CHECK(name, is_word(w, 3, text, "don't"));
	words_free(w);
	w = make("");
	TAP_CHECK(name, w && words_count(w) == 0);
	words_free(w);
	words_free(NULL);
	tap_ok(name);
}

static void test_characters(void)
{
	const char *name = "words: bytes and characters";
	const char *text = "Gr\xc3\xbc\xc3\x9f" "e \xf0\x9f\x98\x80 Welt";
	struct words *w = make(text);
	const struct word *last;

	TAP_CHECK(name, w && words_count(w) >= 2);
	last = words_get(w, words_count(w) - 1);
	TAP_CHECK(name, is_word(w, 0, text, "Gr\xc3\xbc\xc3\x9f" "e"));
	TAP_CHECK(name, words_get(w, 0)->char_end == 5);
	TAP_CHECK(name, last->char_begin == 8 && last->char_end == 12);
	words_free(w);
	/* Without spaces there are words too. */
	text = "\xe6\x88\x91\xe4\xbb\xac\xe4\xbb\x8a\xe5\xa4\xa9";
	w = make(text);
	TAP_CHECK(name, w && words_count(w) >= 2);
	words_free(w);
	tap_ok(name);
}

static bool rises(const struct words *w, double from, double to)
{
	double last = from;

	for (size_t i = 0; i < words_count(w); i++) {
		double t = words_time(w, i);

		if (!(t >= last && t <= to))
			return false;
		last = t;
	}
	return true;
}

static void test_times(void)
{
	const char *name = "words: times rise and stay inside their sentence";
	const char *text = "One two, three. Four fivefivefive six.";
	struct words *w = make(text);
	size_t begin, end;

	TAP_CHECK(name, w && words_count(w) == 6);
	TAP_CHECK(name, isinf(words_time(w, 0)));
	TAP_CHECK(name, words_segment_at(w, 1e9, &begin, &end) == -1);
	TAP_CHECK(name, words_segment_begin(w, 0, 15, 100) == 0);
	TAP_CHECK(name, words_time(w, 0) == 100);
	/* Its end is not known: at the usual pace. */
	TAP_CHECK(name, words_time(w, 1) > 200 && words_time(w, 1) < 500);
	TAP_CHECK(name, isinf(words_time(w, 3)));
	words_segment_end(w, 2100);
	TAP_CHECK(name, words_time(w, 0) == 100);
	TAP_CHECK(name, words_time(w, 2) < 2100);
	/* The comma takes time. */
	TAP_CHECK(name, words_time(w, 2) - words_time(w, 1) >
				words_time(w, 1) - words_time(w, 0));
	TAP_CHECK(name, words_segment_begin(w, 16, strlen(text), 2100) == 0);
	TAP_CHECK(name, words_time(w, 3) == 2100);
	words_segment_end(w, 4000);
	TAP_CHECK(name, rises(w, 100, 4000));
	/* A long word takes longer than a short one. */
	TAP_CHECK(name, words_time(w, 5) - words_time(w, 4) >
				2 * (words_time(w, 4) - words_time(w, 3)));
	TAP_CHECK(name, words_segment_at(w, 99, &begin, &end) == -1);
	TAP_CHECK(name, words_segment_at(w, 100, &begin, &end) == 0 &&
				begin == 0 && end == 15);
	TAP_CHECK(name, words_segment_at(w, 9e9, &begin, &end) == 1 &&
				begin == 16);
	words_free(w);
	tap_ok(name);
}

static void test_left_out(void)
{
	const char *name = "words: those that are not spoken hold nothing up";
	const char *text = "One two. Three four. Five six.";
	struct words *w = make(text);

	TAP_CHECK(name, w && words_next(w, 0) == 0);
	words_segment_begin(w, 9, 20, 0);
	words_segment_end(w, 500);
	TAP_CHECK(name, words_next(w, 0) == 2 && words_next(w, 1) == 2);
	TAP_CHECK(name, words_time(w, 2) == 0);
	TAP_CHECK(name, words_next(w, 3) == 3 && words_next(w, 4) == 4);
	TAP_CHECK(name, words_next(w, 6) == 6);
	words_free(w);
	tap_ok(name);
}

static void test_pace(void)
{
	const char *name = "words: the pace is learned";
	struct words *w = make("Aaaa bbbb cccc. Aaaa bbbb cccc.");
	double slow;

	TAP_CHECK(name, w && words_pace(w) == WORDS_PACE);
	words_segment_begin(w, 0, 15, 0);
	words_segment_end(w, 4000);
	slow = words_pace(w);
	TAP_CHECK(name, slow > 2 * WORDS_PACE);
	words_segment_begin(w, 16, 31, 4000);
	/* The second sentence is foreseen as the first one was. */
	TAP_CHECK(name, fabs(words_time(w, 4) - 4000 - words_time(w, 1)) < 1);
	/* What nobody speaks like teaches nothing. */
	words_segment_end(w, 4000.5);
	TAP_CHECK(name, words_pace(w) == slow);
	words_set_pace(w, NAN);
	TAP_CHECK(name, words_pace(w) == slow);
	words_free(w);
	tap_ok(name);
}

static void test_odd(void)
{
	const char *name = "words: segments without words, ends without begins";
	struct words *w = make("... Yes. ...");
	size_t begin, end;

	words_segment_end(w, 5);
	words_segment_begin(w, 0, 3, 0);
	words_segment_end(w, 10);
	words_segment_begin(w, 4, 8, 10);
	words_segment_begin(w, 9, 12, 500);
	words_segment_end(w, 600);
	TAP_CHECK(name, words_count(w) == 1 && words_time(w, 0) == 10);
	TAP_CHECK(name, words_segment_at(w, 550, &begin, &end) == 2);
	words_free(w);
	/* Somebody asks when half of it has been heard. */
	words_new(&w);
	words_segment_begin(w, 0, 4, 0);
	words_segment_end(w, 400);
	words_segment_begin(w, 5, 12, 400);
	TAP_CHECK(name, words_count(w) == 0 && words_pace(w) == WORDS_PACE);
	TAP_CHECK(name, words_scan(w, "One. Two me.", 12, "en-GB") == 0);
	TAP_CHECK(name, words_scan(w, "One. Two me.", 12, "en-GB") == 0);
	TAP_CHECK(name, words_count(w) == 3 && words_time(w, 1) == 400);
	words_free(w);
	tap_ok(name);
}

int main(void)
{
	test_words();
	test_characters();
	test_times();
	test_left_out();
	test_pace();
	test_odd();
	return tap_failed;
}
