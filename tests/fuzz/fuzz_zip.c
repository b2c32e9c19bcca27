/* SPDX-License-Identifier: MIT */
/* libFuzzer: an archive, every member of which is read. */
#include <stdlib.h>

#include "files/zip.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bark_zip zip;

	if (bark_zip_open(&zip, data, size, "file", NULL) < 0)
		return 0;
	for (size_t i = 0; i < zip.n; i++) {
		unsigned char *owned = NULL;
		const unsigned char *member;

		bark_zip_read(&zip.entries[i], 1 << 20, &member, &owned,
			      "file", NULL);
		free(owned);
	}
	bark_zip_close(&zip);
	return 0;
}
