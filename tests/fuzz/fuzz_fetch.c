/* SPDX-License-Identifier: MIT */
/* libFuzzer: the heads of a hub's answers. */
#include <stdlib.h>
#include <string.h>

#include "../../client/answer.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char hash[DIGEST_SHA256_HEX + 1];
	struct answer a = {0};

	while (size) {
		const unsigned char *end = memchr(data, '\n', size);
		size_t n = end ? (size_t)(end - data) + 1 : size;

		answer_line(&a, (const char *)data, n);
		if (answer_hash(hash, a.etag) && strlen(hash) < DIGEST_GIT_HEX)
			abort();
		if (a.length < -1 || a.range_start < -1 || a.range_total < -1)
			abort();
		data += n;
		size -= n;
	}
	return 0;
}
