/* SPDX-License-Identifier: MIT */
/*
 * Memory that the audio callback touches: in RAM before it runs, and locked
 * there as far as RLIMIT_MEMLOCK goes, so that it waits for no disk.
 */
#ifndef BARKD_LOCKED_H
#define BARKD_LOCKED_H

#include <stddef.h>

/* Locks n bytes, or touches each page where that is not allowed. Their content
 * stays. Negative errno of mlock(). */
int locked_data(void *p, size_t n);
/* Locks the code of the program or library that a function belongs to.
 * Negative errno of mlock(); -ENOENT: it is of none. */
int locked_code(const void *function);

#endif
