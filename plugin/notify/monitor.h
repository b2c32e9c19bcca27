/* SPDX-License-Identifier: MIT */
/*
 * The session bus's notifications, as a monitor sees them: a connection of its
 * own, on which nothing may be sent any more (D-Bus Specification,
 * "BecomeMonitor").
 */
#ifndef NOTIFY_MONITOR_H
#define NOTIFY_MONITOR_H

#include <systemd/sd-bus.h>

#include "rules.h"

struct monitor;

/* notified(): strings are valid in the call. lost(): the bus has gone. Errors:
 * sd-bus's. */
int monitor_new(struct monitor **ret, sd_event *event,
		void (*notified)(void *data, const struct notification *n),
		void (*lost)(void *data), void *data);
void monitor_free(struct monitor *m); /* NULL is fine */

/* Reads the arguments of a Notify call. Errors: sd-bus's, -EBADMSG. Strings
 * are the message's. */
int monitor_read(sd_bus_message *message, struct notification *ret);

#endif
