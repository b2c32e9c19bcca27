/* SPDX-License-Identifier: MIT */
/* What a model is given of a text, and what it cannot be given (reading.h). */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reading.h"
#include "tap.h"

static struct bark_model *voice, *published;

static int try(const struct bark_model *model, const char *text)
{
	struct bark_error err = {""};
	struct bark_reading r;
	int e = bark_reading_make(&r, model, text, strlen(text), "en", &err);

	if (e == 0)
		bark_reading_clear(&r);
	return e < 0 && !err.message[0] ? 1 : e;
}

static bool gives(const char *text, int wanted)
{
	int r = try(voice, text);

	if (r != wanted)
		printf("# \"%s\" gave %d instead of %d\n", text, r, wanted);
	return r == wanted;
}

static void test_nothing(void)
{
	static const char *const nothing[] = {
		"", " ", " \n\t ", "\u200b", "\ufeff", "\u00a0", "[laughs]",
		"[sighs] [music]", "<br>", "\u00ad",
	};
	static const char *const something[] = {
		"a", ".", "...", "-", "-----", "***", "?!", "\u2192", "\u201c",
		"\U0001f389", "\u4e2d", "\u00e9", "\u0416", "[URGENT]", "[ ]",
		"\u2014", "\u3002", "\u0661", "\u266a", "\u2500", "$", "| |",
		"\u0301", "\ue000 a",
	};
	const char *name = "nothing to say, and something";
	bool good = true;

	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
		good &= gives(nothing[i], -ENODATA);
	for (size_t i = 0; i < sizeof(something) / sizeof(something[0]); i++)
		good &= gives(something[i], 0);
	TAP_CHECK(name, good);
	TAP_CHECK(name, try(voice, "a\xff") == -EILSEQ);
	tap_ok(name);
}

static void test_unsayable(void)
{
	const char *name = "what a model cannot say";

	TAP_CHECK(name, try(voice, "\ue000") == -EDOM);
	TAP_CHECK(name, try(voice, "\U000f0000, \ue123") == -EDOM);
	TAP_CHECK(name, try(published, "\u2192") == -EDOM);
	TAP_CHECK(name, try(published, "\U0001f389 \u201c") == -EDOM);
	TAP_CHECK(name, try(published, "...") == -EDOM);
	TAP_CHECK(name, try(published, "tic \u2192 toc") == 0);
	tap_ok(name);
}

static void test_raw(void)
{
	const char *name = "a model that reads texts as they are";
	const char *text = "[laughs] tic $5 & \u2192 toc";
	struct bark_reading r;

	TAP_CHECK(name, bark_reading_make(&r, published, text, strlen(text),
					  NULL, NULL) == 0);
	TAP_CHECK(name, r.n == 1 && strcmp(r.text, text) == 0);
	TAP_CHECK(name, r.segments[0].written_begin == 0 &&
				r.segments[0].written_end == strlen(text));
	bark_reading_clear(&r);
	tap_ok(name);
}

/* Texts at the limit, whose written-out form is many times as long. */
static void test_long(void)
{
	static const char *const parts[] = {
		"777 ", "7", "$9.99, ", "\U0001f389", "\u2192 ", "%", "1.",
		"A.B. ", "\ufdfa", "\u28ff, ", "word ", "\n", "x\u00b2 ",
	};
	const char *name = "a text that becomes longer than the limit";
	char *text = malloc(BARK_TEXT_MAX);
	bool good = true;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t n = strlen(parts[i]), len = 0, at = 0, wrong = 0;
		struct bark_reading r;
		int e;

		for (; len + n <= BARK_TEXT_MAX; len += n)
			memcpy(text + len, parts[i], n);
		e = bark_reading_make(&r, voice, text, len, "en", NULL);
		if (parts[i][0] == '\n') {
			TAP_CHECK(name, e == -ENODATA);
			continue;
		}
		if (e < 0) {
			printf("# \"%s\" gave %d\n", parts[i], e);
			good = false;
			continue;
		}
		for (size_t k = 0; k < r.n; k++) {
			const struct bark_reading_segment *s = &r.segments[k];

			wrong += s->written_begin < at ||
				 s->written_end < s->written_begin ||
				 s->written_end > len || s->end > r.len;
			at = s->written_begin;
		}
		wrong += r.segments[0].written_begin > n ||
			 len - r.segments[r.n - 1].written_end > n;
		if (wrong > 0) {
			printf("# \"%s\": %zu places are wrong\n", parts[i],
			       wrong);
			good = false;
		}
		bark_reading_clear(&r);
	}
	free(text);
	TAP_CHECK(name, good);
	tap_ok(name);
}

/* Where a text was parted is not heard. */
static void test_parts(void)
{
	const char *name = "a long text, sentence for sentence";
	static const char sentence[] = "Dr. Tran of the U.S. office paid $3.50 "
				       "for 1.5 kg of tea, e.g. green tea. ";
	static const char spoken[] =
		"Doctor Tran of the U S office paid three dollars and fifty "
		"cents for one point five kilograms of tea, for example green "
		"tea.";
	size_t n = strlen(sentence), wrong = 0;
	char text[200 * sizeof(sentence)];
	struct bark_reading r;

	for (size_t i = 0; i < 200; i++)
		memcpy(text + i * n, sentence, n);
	TAP_CHECK(name, bark_reading_make(&r, voice, text, 200 * n, "en",
					  NULL) == 0);
	TAP_CHECK(name, r.n == 200);
	for (size_t i = 0; i < r.n; i++) {
		const struct bark_reading_segment *s = &r.segments[i];

		wrong += s->end - s->begin != strlen(spoken) ||
			 memcmp(r.text + s->begin, spoken, strlen(spoken)) ||
			 s->written_begin != i * n ||
			 s->written_end != i * n + n - 1;
	}
	bark_reading_clear(&r);
	TAP_CHECK(name, wrong == 0);
	tap_ok(name);
}

int main(int argc, char **argv)
{
	const char *root = argc > 1 ? argv[1] : ".";
	char path[4096];

	snprintf(path, sizeof(path), "%s/voices/slt", root);
	if (bark_model_open(&voice, path, NULL, NULL) < 0)
		return 1;
	snprintf(path, sizeof(path), "%s/tests/parity/fixtures/small/model",
		 root);
	if (bark_model_open(&published, path, NULL, NULL) < 0)
		return 1;
	test_nothing();
	test_unsayable();
	test_raw();
	test_long();
	test_parts();
	bark_model_unref(voice);
	bark_model_unref(published);
	return tap_failed;
}
