/* SPDX-License-Identifier: MIT */
#include "modules.h"

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#include "paths.h"

const void *module_symbol(const char *file, const char *symbol, unsigned abi,
			  char *why, size_t n_why)
{
	const char *dirs[2];
	unsigned n = barkd_module_dirs(dirs);

	snprintf(why, n_why, "there is no module %s", file);
	for (unsigned i = 0; i < n; i++) {
		char path[4096];
		const unsigned *found;
		void *module;

		snprintf(path, sizeof(path), "%s/%s", dirs[i], file);
		if (access(path, F_OK) < 0)
			continue;
		module = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
		if (!module) {
			/* A library that is not installed. */
			snprintf(why, n_why, "%s", dlerror());
			continue;
		}
		found = dlsym(module, symbol);
		if (found && *found == abi)
			return found;
		snprintf(why, n_why, "%.200s is of another version", path);
	}
	return NULL;
}
