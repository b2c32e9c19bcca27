/* SPDX-License-Identifier: MIT */
/*
 * A barkd that crashes again and again waits longer and longer before it
 * begins, so that it neither holds the processor nor fills the log, and yet
 * comes back for ever. The service manager keeps the count.
 */
#ifndef BARKD_CRASHES_H
#define BARKD_CRASHES_H

#include <stdbool.h>

#include "inherit.h"

struct crashes {
	int fd; /* the count, which the service manager keeps; -1: none */
};

/* Seconds to wait when the n-th of a series of short runs begins. */
unsigned crashes_wait_s(unsigned n);

/*
 * Counts this run and waits as long as is due. SIGTERM and SIGINT must be
 * blocked; false: one of them came meanwhile. Without a service manager it
 * does nothing.
 */
bool crashes_begin(struct crashes *c, struct inherited *in);
/* This run ends in an orderly way: the series is over. */
void crashes_end(struct crashes *c);

#endif
