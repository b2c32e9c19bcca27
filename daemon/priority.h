/* SPDX-License-Identifier: MIT */
/*
 * What goes first in the loop, as sd-event's priorities: a turn of the loop
 * calls one source, the first of those that are ready. The watchdog is answered
 * each turn, so no source may take long.
 */
#ifndef BARKD_PRIORITY_H
#define BARKD_PRIORITY_H

#include <systemd/sd-event.h>

enum {
	/* Samples to the sink. */
	PRIORITY_SOUND = SD_EVENT_PRIORITY_NORMAL - 20,
	/* The user's own socket, and most of the rest. */
	PRIORITY_OWNER = SD_EVENT_PRIORITY_NORMAL,
	/* Speech for clients. */
	PRIORITY_RENDER = SD_EVENT_PRIORITY_NORMAL + 10,
	/* TCP: whoever can reach the port can keep it busy. */
	PRIORITY_PORT = SD_EVENT_PRIORITY_NORMAL + 20,
};

#endif
