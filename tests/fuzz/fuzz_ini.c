/* SPDX-License-Identifier: MIT */
/* libFuzzer: barkd.ini, and notify.ini. */
#include "conf.h"
#include "fuzz.h"
#include "rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_error err = {0};
	struct settings settings;
	struct fuzz_file f;
	struct conf conf;

	fuzz_file_open(&f, data, size);
	if (conf_load(&conf, f.path, &err) == 0)
		conf_clear(&conf);
	if (settings_load(&settings, f.path, &err) == 0)
		settings_clear(&settings);
	fuzz_file_close(&f);
	return 0;
}
