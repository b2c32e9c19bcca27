/* SPDX-License-Identifier: MIT */
/* libFuzzer: an array, and an archive of a voice's arrays. */
#include "files/npy.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const members[] = {
		"semantic_prompt", "coarse_prompt", "fine_prompt",
	};
	struct bark_ints a = {0};

	if (bark_npy_parse(&a, data, size, "file", NULL) == 0)
		bark_ints_clear(&a);
	for (size_t i = 0; i < 3; i++)
		if (bark_npz_parse(&a, data, size, "file", members[i], NULL) ==
		    0)
			bark_ints_clear(&a);
	return 0;
}
