/* SPDX-License-Identifier: MIT */
/* libFuzzer: a bare pickle. */
#include "files/pickle.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bark_pickle_value *root;
	struct bark_pickle *pickle;

	if (bark_pickle_read(&pickle, &root, data, size, "file", NULL) < 0)
		return 0;
	bark_pickle_get(root, "model");
	bark_pickle_free(pickle);
	return 0;
}
