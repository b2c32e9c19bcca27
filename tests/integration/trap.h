/* SPDX-License-Identifier: MIT */
/* From trap.so, which is preloaded, to the sink that calls it. */
#ifndef TESTS_TRAP_H
#define TESTS_TRAP_H

#include <stdbool.h>

/* What this thread calls from now on is counted. */
void trap_arm(bool on);
/* Calls of the allocator and of locks that were counted. */
unsigned long trap_calls(void);

#endif
