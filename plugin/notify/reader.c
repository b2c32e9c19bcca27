/* SPDX-License-Identifier: MIT */
#include "reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A11Y "org.a11y.Bus"
#define REGISTRY "org.a11y.atspi.Registry"
#define REGISTRY_PATH "/org/a11y/atspi/registry"
#define READERS_MAX 8
#define NAME_ROOM 64 /* a bus's unique names are short */

/* Somebody who asked for events: asked who it is, or known as a reader. */
struct listener {
	struct reader_watch *watch;
	char name[NAME_ROOM]; /* "": free */
	bool reader;
	sd_bus_slot *asked;
};

struct reader_watch {
	sd_event *event;
	sd_bus *user, *a11y;
	struct listener listeners[READERS_MAX];
};

bool reader_running(const struct reader_watch *w)
{
	for (size_t i = 0; i < READERS_MAX; i++)
		if (w->listeners[i].reader)
			return true;
	return false;
}

static void forget(struct listener *l)
{
	sd_bus_slot_unref(l->asked);
	*l = (struct listener){.watch = l->watch};
}

static struct listener *find(struct reader_watch *w, const char *name)
{
	for (size_t i = 0; i < READERS_MAX; i++)
		if (strcmp(w->listeners[i].name, name) == 0)
			return &w->listeners[i];
	return NULL;
}

/* --- who somebody is --- */

/* Whether the process is a screen reader, by the name that it gave itself. */
static bool is_reader(uint32_t pid)
{
	static const char *const names[] = {"orca", "odilia"};
	char path[64], comm[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/comm", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(comm, sizeof(comm), f))
		comm[0] = '\0';
	fclose(f);
	comm[strcspn(comm, "\n")] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], comm) == 0)
			return true;
	return false;
}

static int on_pid(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct listener *l = userdata;
	uint32_t pid;

	l->asked = sd_bus_slot_unref(l->asked);
	l->reader = !sd_bus_message_is_method_error(m, NULL) &&
		    sd_bus_message_read(m, "u", &pid) >= 0 && is_reader(pid);
	if (!l->reader)
		forget(l);
	return 0;
}

static void look_at(struct reader_watch *w, const char *name)
{
	struct listener *l;

	/* It registers for many events, one after the other. */
	if (*name != ':' || strlen(name) >= NAME_ROOM || find(w, name))
		return;
	l = find(w, "");
	if (!l)
		return;
	strcpy(l->name, name);
	if (sd_bus_call_method_async(w->a11y, &l->asked,
				     "org.freedesktop.DBus",
				     "/org/freedesktop/DBus",
				     "org.freedesktop.DBus",
				     "GetConnectionUnixProcessID", on_pid, l,
				     "s", name) < 0)
		forget(l);
}

/* --- the accessibility bus --- */

static int on_registered(sd_bus_message *m, void *userdata,
			 sd_bus_error *error)
{
	const char *name;

	/* The name, the event, and more in later versions. */
	if (sd_bus_message_read(m, "s", &name) >= 0)
		look_at(userdata, name);
	return 0;
}

static int on_listeners(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *name, *event;

	if (sd_bus_message_is_method_error(m, NULL) ||
	    sd_bus_message_enter_container(m, 'a', "(ss)") < 0)
		return 0;
	while (sd_bus_message_read(m, "(ss)", &name, &event) > 0)
		look_at(userdata, name);
	return 0;
}

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *name, *before, *now;
	struct listener *l;

	if (sd_bus_message_read(m, "sss", &name, &before, &now) < 0 || *now)
		return 0;
	l = find(userdata, name);
	if (l && *name)
		forget(l);
	return 0;
}

static void leave(struct reader_watch *w)
{
	for (size_t i = 0; i < READERS_MAX; i++)
		forget(&w->listeners[i]);
	if (w->a11y)
		sd_bus_detach_event(w->a11y);
	w->a11y = sd_bus_close_unref(w->a11y);
}

/* Nobody is started to answer. */
static void ask_listeners(struct reader_watch *w)
{
	sd_bus_message *m = NULL;

	if (sd_bus_message_new_method_call(w->a11y, &m, REGISTRY,
					   REGISTRY_PATH, REGISTRY,
					   "GetRegisteredEvents") >= 0 &&
	    sd_bus_message_set_auto_start(m, false) >= 0)
		sd_bus_call_async(w->a11y, NULL, m, on_listeners, w, 0);
	sd_bus_message_unref(m);
}

static void join(struct reader_watch *w, const char *address)
{
	int r;

	leave(w);
	r = sd_bus_new(&w->a11y);
	if (r >= 0)
		r = sd_bus_set_address(w->a11y, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(w->a11y, true);
	if (r >= 0)
		r = sd_bus_start(w->a11y);
	if (r >= 0)
		r = sd_bus_attach_event(w->a11y, w->event,
					SD_EVENT_PRIORITY_NORMAL);
	if (r < 0) {
		leave(w);
		return;
	}
	sd_bus_match_signal_async(w->a11y, NULL, NULL, REGISTRY_PATH, REGISTRY,
				  "EventListenerRegistered", on_registered,
				  NULL, w);
	sd_bus_match_signal_async(w->a11y, NULL, "org.freedesktop.DBus",
				  "/org/freedesktop/DBus",
				  "org.freedesktop.DBus", "NameOwnerChanged",
				  on_owner, NULL, w);
	ask_listeners(w);
}

/* --- where it is --- */

static int on_address(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *address;

	if (!sd_bus_message_is_method_error(m, NULL) &&
	    sd_bus_message_read(m, "s", &address) >= 0)
		join(userdata, address);
	return 0;
}

static void ask_address(struct reader_watch *w)
{
	sd_bus_message *m = NULL;

	if (sd_bus_message_new_method_call(w->user, &m, A11Y, "/org/a11y/bus",
					   A11Y, "GetAddress") >= 0 &&
	    sd_bus_message_set_auto_start(m, false) >= 0)
		sd_bus_call_async(w->user, NULL, m, on_address, w, 0);
	sd_bus_message_unref(m);
}

static int on_launcher(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *name, *before, *now;

	if (sd_bus_message_read(m, "sss", &name, &before, &now) < 0)
		return 0;
	leave(userdata);
	if (*now)
		ask_address(userdata);
	return 0;
}

int reader_watch_new(struct reader_watch **ret, sd_bus *user, sd_event *event)
{
	struct reader_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->user = user;
	w->event = event;
	for (size_t i = 0; i < READERS_MAX; i++)
		w->listeners[i].watch = w;
	sd_bus_add_match_async(
		user, NULL,
		"type='signal',sender='org.freedesktop.DBus',"
		"interface='org.freedesktop.DBus',member='NameOwnerChanged',"
		"arg0='" A11Y "'",
		on_launcher, NULL, w);
	ask_address(w);
	*ret = w;
	return 0;
}

void reader_watch_free(struct reader_watch *w)
{
	if (!w)
		return;
	leave(w);
	free(w);
}
