/* SPDX-License-Identifier: MIT */
/* libFuzzer: a notification's body; what comes out is UTF-8 within its limit. */
#include "clean_text.h"
#include "fuzz.h"

#define MAX_CHARACTERS 200

/* Characters of valid UTF-8; aborts where it is none. */
static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++) {
		const unsigned char c = (unsigned char)*s;
		const int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

		fuzz_check(c < 0x80 || (c >= 0xc2 && c <= 0xf4));
		for (int i = 0; i < more; i++)
			fuzz_check((*++s & 0xc0) == 0x80);
		n++;
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);

	for (int markup = 0; markup < 2; markup++) {
		char *clean = clean_text(text, markup, MAX_CHARACTERS);

		fuzz_check(clean && characters(clean) <= 2 * MAX_CHARACTERS + 3);
		free(clean);
	}
	free(text);
	return 0;
}
