/* SPDX-License-Identifier: MIT */
#include "zeroconf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "utf8.h"

#define AVAHI "org.freedesktop.Avahi"
#define GROUP AVAHI ".EntryGroup"
#define TYPE "_wyoming._tcp"
#define NAMES_MAX 20 /* tried, when others have them */

/* Avahi's own numbers (avahi-common/defs.h, address.h). */
enum { ANY = -1, INET = 0, INET6 = 1 };
enum { STATE_COLLISION = 3, STATE_FAILURE = 4 };
enum { SERVER_RUNNING = 2 };

struct zeroconf {
	sd_bus *bus;
	char name[ZEROCONF_NAME_MAX + 1];
	unsigned number; /* behind the name; 1: none */
	uint16_t port;
	int protocol;
	char *group; /* its path, or NULL */
	sd_bus_slot *states;
};

static int complain(sd_bus_message *m)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);

	fprintf(stderr, "barkd-wyoming: zeroconf: %s\n",
		e && e->message ? e->message : "Avahi refuses");
	return 0;
}

static int on_done(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return sd_bus_message_is_method_error(m, NULL) ? complain(m) : 0;
}

static void call(struct zeroconf *z, const char *method)
{
	sd_bus_call_method_async(z->bus, NULL, AVAHI, z->group, GROUP, method,
				 on_done, z, NULL);
}

/* The name with its number, cut where a character ends. */
static void full_name(const struct zeroconf *z, char ret[ZEROCONF_NAME_MAX + 1])
{
	char number[16] = "";
	size_t n = strlen(z->name);

	if (z->number > 1)
		snprintf(number, sizeof(number), " #%u", z->number);
	if (n > ZEROCONF_NAME_MAX - strlen(number))
		n = ZEROCONF_NAME_MAX - strlen(number);
	while (n && !utf8_begins(z->name[n]))
		n--;
	memcpy(ret, z->name, n);
	strcpy(ret + n, number);
}

static int on_added(sd_bus_message *m, void *userdata, sd_bus_error *error);

static void publish(struct zeroconf *z)
{
	char name[ZEROCONF_NAME_MAX + 1];

	full_name(z, name);
	/* On all interfaces, in the default domain, for this host; no text. */
	sd_bus_call_method_async(z->bus, NULL, AVAHI, z->group, GROUP,
				 "AddService", on_added, z, "iiussssqaay", ANY,
				 z->protocol, 0, name, TYPE, "", "", z->port,
				 0);
}

/* Another service has the name. */
static void rename_service(struct zeroconf *z)
{
	if (z->number == NAMES_MAX)
		return;
	z->number++;
	call(z, "Reset");
	publish(z);
}

static int on_added(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct zeroconf *z = userdata;

	if (!z->group)
		return 0;
	/* One of this machine; others' are told by the group's state. */
	if (sd_bus_message_is_method_error(m, AVAHI ".CollisionError"))
		rename_service(z);
	else if (sd_bus_message_is_method_error(m, NULL))
		complain(m);
	else
		call(z, "Commit");
	return 0;
}

static int on_state(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct zeroconf *z = userdata;
	const char *why;
	int state;

	if (sd_bus_message_read(m, "is", &state, &why) < 0)
		return 0;
	if (state == STATE_FAILURE)
		fprintf(stderr, "barkd-wyoming: zeroconf: %s\n", why);
	if (state == STATE_COLLISION && z->group)
		rename_service(z);
	return 0;
}

static void forget_group(struct zeroconf *z)
{
	z->states = sd_bus_slot_unref(z->states);
	free(z->group);
	z->group = NULL;
}

static int on_group(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct zeroconf *z = userdata;
	const char *path;

	if (sd_bus_message_is_method_error(m, NULL))
		return complain(m);
	if (sd_bus_message_read(m, "o", &path) < 0)
		return 0;
	forget_group(z);
	z->group = strdup(path);
	if (!z->group)
		return 0;
	sd_bus_match_signal_async(z->bus, &z->states, AVAHI, z->group, GROUP,
				  "StateChanged", on_state, NULL, z);
	publish(z);
	return 0;
}

/* While Avahi looks for another name of the host, nothing is told. */
static int on_server(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct zeroconf *z = userdata;
	const char *why;
	int state;

	if (sd_bus_message_read(m, "is", &state, &why) < 0 || !z->group)
		return 0;
	call(z, "Reset");
	if (state == SERVER_RUNNING)
		publish(z);
	return 0;
}

static void ask_group(struct zeroconf *z)
{
	sd_bus_call_method_async(z->bus, NULL, AVAHI, "/", AVAHI ".Server",
				 "EntryGroupNew", on_group, z, NULL);
}

/* Avahi came, or went with all that it was told. */
static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct zeroconf *z = userdata;
	const char *name, *before, *now;

	if (sd_bus_message_read(m, "sss", &name, &before, &now) < 0)
		return 0;
	forget_group(z);
	if (*now)
		ask_group(z);
	return 0;
}

int zeroconf_new(struct zeroconf **ret, sd_event *event, const char *name,
		 uint16_t port, bool v4, bool v6)
{
	struct zeroconf *z = calloc(1, sizeof(*z));
	int r;

	if (!z)
		return -ENOMEM;
	snprintf(z->name, sizeof(z->name), "%s", name);
	z->number = 1;
	z->port = port;
	z->protocol = v4 && v6 ? ANY : v6 ? INET6 : INET;
	r = sd_bus_open_system(&z->bus);
	if (r >= 0)
		r = sd_bus_attach_event(z->bus, event,
					SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = sd_bus_add_match_async(
			z->bus, NULL,
			"type='signal',sender='org.freedesktop.DBus',"
			"interface='org.freedesktop.DBus',"
			"member='NameOwnerChanged',arg0='" AVAHI "'",
			on_owner, NULL, z);
	if (r >= 0)
		r = sd_bus_match_signal_async(z->bus, NULL, AVAHI, "/",
					      AVAHI ".Server", "StateChanged",
					      on_server, NULL, z);
	if (r < 0) {
		zeroconf_free(z);
		return r;
	}
	ask_group(z);
	*ret = z;
	return 0;
}

void zeroconf_free(struct zeroconf *z)
{
	if (!z)
		return;
	forget_group(z);
	/* Avahi takes back what a connection told when that ends. */
	sd_bus_flush_close_unref(z->bus);
	free(z);
}
