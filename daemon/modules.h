/* SPDX-License-Identifier: MIT */
/* Modules that are opened at run time: sinks and the fast voice. */
#ifndef BARKD_MODULES_H
#define BARKD_MODULES_H

#include <stddef.h>

/*
 * The symbol of a module file: a structure that begins with an unsigned, its
 * ABI's version, which must be `abi`. Looked for in $BARKD_SINK_DIR if that
 * is set, else where modules are installed, else in the build. A module is
 * never closed: its library may have threads by then. NULL: `why` says it.
 */
const void *module_symbol(const char *file, const char *symbol, unsigned abi,
			  char *why, size_t n_why);

#endif
