/* SPDX-License-Identifier: MIT */
/* libFuzzer: a hub's lists; no name that is taken leaves the model's folder. */
#include "fetch_lists.h"
#include "fuzz.h"

static void check_name(const char *name)
{
	fuzz_check(name && *name && *name != '/' && !strstr(name, "../"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fetch_presets presets;
	struct fuzz_file f;
	json_t *shards, *s;
	char why[256];
	size_t i;

	fuzz_file_open(&f, data, size);
	if (fetch_shards(&shards, "/", f.path + 1, why, sizeof(why)) == 0) {
		json_array_foreach(shards, i, s)
			check_name(json_string_value(s));
		json_decref(shards);
	}
	if (fetch_presets_read(&presets, "/", f.path + 1, why,
			       sizeof(why)) == 0) {
		for (i = 0; i < presets.n; i++)
			for (size_t k = 0; k < 3; k++)
				check_name(presets.items[i].files[k]);
		fetch_presets_clear(&presets);
	}
	fuzz_file_close(&f);
	return 0;
}
