/* SPDX-License-Identifier: MIT */
/* libFuzzer: SSML; what comes out hangs together, and is UTF-8. */
#include "fuzz.h"
#include "ssml.h"
#include "utf8.h"

static void check(const struct ssml *s)
{
	size_t end = 0, at = 0;

	fuzz_check(strlen(s->text) == s->len);
	fuzz_check(utf8_characters(s->text, s->len) == s->n);
	for (size_t i = 0; i < s->n_spans; i++) {
		const struct ssml_span *span = &s->spans[i];

		fuzz_check(span->begin >= end && span->end >= span->begin);
		fuzz_check(span->pause_ms <= SSML_PAUSE_MAX);
		end = span->end;
	}
	fuzz_check(end <= s->len);
	for (size_t i = 0; i < s->n_marks; i++) {
		fuzz_check(s->marks[i].at >= at && s->marks[i].at <= s->len);
		fuzz_check(s->marks[i].first <= s->n);
		fuzz_check(s->marks[i].span < s->n_spans);
		at = s->marks[i].at;
	}
	for (size_t i = 0; i <= s->n; i++)
		fuzz_check(s->places[i].begin <= s->places[i].end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct ssml s;

	fuzz_check(ssml_parse(&s, text, true, NULL) == 0);
	check(&s);
	ssml_clear(&s);
	free(text);
	return 0;
}
