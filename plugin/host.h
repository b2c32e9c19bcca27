/* SPDX-License-Identifier: MIT */
/* How a host that is a service begins. */
#ifndef BARKD_HOST_H
#define BARKD_HOST_H

#include <signal.h>
#include <systemd/sd-event.h>

/* The loop, which SIGTERM and SIGINT end; writing to who has gone is an error,
 * no signal. Before any thread. Errors: sd-event's. */
static inline int host_event(sd_event **ret)
{
	static const int ends[] = {SIGTERM, SIGINT};
	sigset_t set;
	int r;

	sigemptyset(&set);
	for (int i = 0; i < 2; i++)
		sigaddset(&set, ends[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	r = sd_event_default(ret);
	for (int i = 0; r >= 0 && i < 2; i++)
		r = sd_event_add_signal(*ret, NULL, ends[i], NULL, NULL);
	return r;
}

#endif
