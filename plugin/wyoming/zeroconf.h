/* SPDX-License-Identifier: MIT */
/*
 * Tells the local network of the service, so that Home Assistant finds it by
 * itself: DNS-SD's "_wyoming._tcp" by the Avahi daemon, over the system's bus.
 */
#ifndef WYOMING_ZEROCONF_H
#define WYOMING_ZEROCONF_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct zeroconf;

/* Longest name of a service (RFC 6763, section 4.1.1), in bytes. */
#define ZEROCONF_NAME_MAX 63

/*
 * name: shown to people; where another service has it, a number is added. v4
 * and v6: by which protocols the port answers. An Avahi daemon that is not
 * there yet, or starts again, is followed. Errors: sd-bus's.
 */
int zeroconf_new(struct zeroconf **ret, sd_event *event, const char *name,
		 uint16_t port, bool v4, bool v6);
/* Takes it back. NULL is fine. */
void zeroconf_free(struct zeroconf *z);

#endif
