/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: the first half of the input is a vocabulary, the second a text
 * that is tokenised and split. Two bytes in front set the limits.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "segments.h"
#include "tokenizer.h"

static void encode(const struct bark_tokenizer *tok, const char *text,
		   size_t len)
{
	int32_t ids[16];
	size_t n = 0, full = 0;

	fuzz_check(bark_tokenizer_encode(tok, text, len, ids, 16, &n) == 0);
	fuzz_check(bark_tokenizer_encode(tok, text, len, NULL, 0, &full) == 0);
	fuzz_check(n == full);
	for (size_t i = 0; i < n && i < 16; i++)
		fuzz_check(ids[i] >= 0 &&
		      (size_t)ids[i] < bark_tokenizer_size(tok));
}

static void split(const struct bark_tokenizer *tok, const char *text,
		  size_t len, const struct bark_segment_limits *limits)
{
	struct bark_segments s = { 0 };
	size_t last = 0, n;

	if (bark_segments_split(&s, tok, text, len, "en", limits) < 0)
		return;
	for (size_t i = 0; i < s.n; i++) {
		const struct bark_segment *g = &s.items[i];

		fuzz_check(g->begin >= last && g->begin < g->end && g->end <= len);
		last = g->end;
		fuzz_check(bark_tokenizer_encode(tok, text + g->begin,
					    g->end - g->begin, NULL, 0, &n) ==
		      0);
		fuzz_check(n == g->n_tokens && n > 0);
	}
	bark_segments_clear(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bark_segment_limits limits;

	if (size < 2)
		return 0;
	limits.max_tokens = data[0];
	limits.max_chars = data[1];
	data += 2;
	size -= 2;
	for (int lower = 0; lower < 2; lower++) {
		struct bark_tokenizer_options opts = { .lower_case = lower };
		const char *text = (const char *)data + size / 2;
		struct bark_tokenizer *tok = NULL;

		if (bark_tokenizer_parse(&tok, data, size / 2, &opts, NULL) < 0)
			continue;
		encode(tok, text, size - size / 2);
		split(tok, text, size - size / 2, &limits);
		bark_tokenizer_free(tok);
	}
	return 0;
}
