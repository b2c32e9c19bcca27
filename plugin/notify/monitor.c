/* SPDX-License-Identifier: MIT */
#include "monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RULE "type='method_call',interface='org.freedesktop.Notifications'," \
	     "member='Notify'"

struct monitor {
	sd_bus *bus;
	sd_bus_slot *filter;
	void (*notified)(void *data, const struct notification *n);
	void (*lost)(void *data);
	void *data;
};

static int read_hint(sd_bus_message *m, const char *name,
		     struct notification *n)
{
	uint8_t urgency;
	int flag, r = 0;

	/* Of another type than it should be, it is left out. */
	if (strcmp(name, "urgency") == 0) {
		r = sd_bus_message_read(m, "v", "y", &urgency);
		if (r >= 0)
			n->urgency = urgency > URGENCY_CRITICAL
					     ? URGENCY_NORMAL
					     : (enum urgency)urgency;
	} else if (strcmp(name, "desktop-entry") == 0) {
		r = sd_bus_message_read(m, "v", "s", &n->desktop_entry);
	} else if (strcmp(name, "suppress-sound") == 0) {
		r = sd_bus_message_read(m, "v", "b", &flag);
		n->suppress_sound = r >= 0 && flag;
	} else {
		/* GNOME Shell passes on what it took from other programs. */
		if (strncmp(name, "x-shell-sender", 14) == 0)
			n->again = true;
		return sd_bus_message_skip(m, "v");
	}
	return r == -ENXIO || r == -EINVAL ? sd_bus_message_skip(m, "v") : r;
}

static int read_hints(sd_bus_message *m, struct notification *n)
{
	const char *name;
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");

	while (r >= 0 &&
	       (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = sd_bus_message_read(m, "s", &name);
		if (r >= 0)
			r = read_hint(m, name, n);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r;
}

int monitor_read(sd_bus_message *m, struct notification *ret)
{
	struct notification n = {.urgency = URGENCY_NORMAL};
	const char *icon;
	int r;

	if (!sd_bus_message_has_signature(m, "susssasa{sv}i"))
		return -EBADMSG;
	r = sd_bus_message_read(m, "susss", &n.app, &n.replaces_id, &icon,
				&n.summary, &n.body);
	if (r >= 0)
		r = sd_bus_message_skip(m, "as");
	if (r >= 0)
		r = read_hints(m, &n);
	if (r < 0)
		return r;
	*ret = n;
	return 0;
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct monitor *monitor = userdata;
	struct notification n;

	if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.Local",
				     "Disconnected")) {
		monitor->lost(monitor->data);
		return 1;
	}
	if (sd_bus_message_is_method_call(m, "org.freedesktop.Notifications",
					  "Notify") > 0 &&
	    monitor_read(m, &n) == 0)
		monitor->notified(monitor->data, &n);
	/* Nobody else is to answer it. */
	return 1;
}

static int become_monitor(sd_bus *bus)
{
	sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_method_call(
		bus, &m, "org.freedesktop.DBus", "/org/freedesktop/DBus",
		"org.freedesktop.DBus.Monitoring", "BecomeMonitor");
	if (r >= 0)
		r = sd_bus_message_append(m, "asu", 1, RULE, 0);
	if (r >= 0)
		r = sd_bus_call(bus, m, 0, NULL, NULL);
	sd_bus_message_unref(m);
	return r;
}

int monitor_new(struct monitor **ret, sd_event *event,
		void (*notified)(void *data, const struct notification *n),
		void (*lost)(void *data), void *data)
{
	struct monitor *m = calloc(1, sizeof(*m));
	const char *address = getenv("DBUS_SESSION_BUS_ADDRESS");
	int r;

	if (!m)
		return -ENOMEM;
	m->notified = notified;
	m->lost = lost;
	m->data = data;
	r = sd_bus_new(&m->bus);
	if (r >= 0 && address)
		r = sd_bus_set_address(m->bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(m->bus, true);
	if (r >= 0)
		r = sd_bus_set_monitor(m->bus, true);
	/* Without its file descriptors and credentials. */
	if (r >= 0)
		r = address ? sd_bus_start(m->bus) : -ENOENT;
	if (r >= 0)
		r = become_monitor(m->bus);
	if (r >= 0)
		r = sd_bus_add_filter(m->bus, &m->filter, on_message, m);
	if (r >= 0)
		r = sd_bus_attach_event(m->bus, event,
					SD_EVENT_PRIORITY_NORMAL);
	if (r < 0) {
		monitor_free(m);
		return r;
	}
	*ret = m;
	return 0;
}

void monitor_free(struct monitor *m)
{
	if (!m)
		return;
	sd_bus_slot_unref(m->filter);
	sd_bus_close(m->bus);
	sd_bus_unref(m->bus);
	free(m);
}
