/* SPDX-License-Identifier: MIT */
/* libFuzzer: config.json, a zero byte, generation_config.json. */
#include <string.h>

#include "config.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
	const char *second = zero ? (const char *)zero + 1 : NULL;
	const size_t n = zero ? (size_t)(zero - data) : size;
	struct bark_config c;

	if (bark_config_parse(&c, (const char *)data, n, second,
			      zero ? size - n - 1 : 0, NULL) == 0 &&
	    bark_config_check(&c, NULL) < 0)
		abort();
	return 0;
}
