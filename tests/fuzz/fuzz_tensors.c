/* SPDX-License-Identifier: MIT */
/* libFuzzer: a file of tensors, of any container; all it names is read. */
#include "files/tensors_build.h"
#include "fuzz.h"

/* Keeps the reads from being optimised away. */
static volatile uint8_t fuzz_sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bark_tensors *set;

	if (bark_tensors_parse(&set, data, size, "file", NULL) < 0)
		return 0;
	for (size_t i = 0; i < bark_tensors_count(set); i++) {
		const struct bark_tensor *t = bark_tensors_at(set, i);

		for (size_t j = 0; j < t->n_bytes; j++)
			fuzz_sink = ((const uint8_t *)t->data)[j];
		if (bark_tensors_find(set, t->name) != t)
			abort();
	}
	bark_tensors_free(set);
	return 0;
}
