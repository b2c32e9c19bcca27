/* SPDX-License-Identifier: MIT */
/* libFuzzer: a text written out; each of its places is one of the source. */
#include "fuzz.h"
#include "spoken.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct bark_spoken s = {0};
	size_t begin, end;

	if (bark_spoken_make(&s, text, size) == 0) {
		fuzz_check(s.text && s.text[s.len] == '\0');
		for (size_t at = 0; at < s.len; at++) {
			bark_spoken_source(&s, at, at + 1, &begin, &end);
			fuzz_check(begin <= end && end <= size);
		}
	}
	bark_spoken_clear(&s);
	free(text);
	return 0;
}
