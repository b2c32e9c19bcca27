/* SPDX-License-Identifier: MIT */
#include "desktop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reader.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"

/* One flag that somebody on a bus has: by a property, by a method and a signal,
 * or by being there. */
struct flag {
	const char *service, *path, *interface;
	const char *property;       /* or NULL: */
	const char *method, *signal; /* or NULL */
	bool system;   /* on the system's bus */
	bool inverted; /* true there is false here */
};

enum {
	FLAG_GNOME_LOCKED,
	FLAG_LOCKED,
	FLAG_LOGIND_LOCKED,
	FLAG_INHIBITED, /* KDE's do not disturb */
	FLAG_DUNST_PAUSED,
	FLAG_SCREEN_READER,
	FLAG_ORCA,
	FLAG_INACTIVE,
	N_FLAGS,
};

static const struct flag flags[N_FLAGS] = {
	[FLAG_GNOME_LOCKED] = {"org.gnome.ScreenSaver",
			       "/org/gnome/ScreenSaver",
			       "org.gnome.ScreenSaver", NULL, "GetActive",
			       "ActiveChanged", false, false},
	[FLAG_LOCKED] = {"org.freedesktop.ScreenSaver",
			 "/org/freedesktop/ScreenSaver",
			 "org.freedesktop.ScreenSaver", NULL, "GetActive",
			 "ActiveChanged", false, false},
	[FLAG_LOGIND_LOCKED] = {"org.freedesktop.login1",
				"/org/freedesktop/login1/session/auto",
				"org.freedesktop.login1.Session",
				"LockedHint", NULL, NULL, true, false},
	[FLAG_INHIBITED] = {"org.freedesktop.Notifications",
			    "/org/freedesktop/Notifications",
			    "org.freedesktop.Notifications", "Inhibited", NULL,
			    NULL, false, false},
	[FLAG_DUNST_PAUSED] = {"org.freedesktop.Notifications",
			       "/org/freedesktop/Notifications",
			       "org.dunstproject.cmd0", "paused", NULL, NULL,
			       false, false},
	[FLAG_SCREEN_READER] = {"org.a11y.Bus", "/org/a11y/bus",
				"org.a11y.Status", "ScreenReaderEnabled", NULL,
				NULL, false, false},
	/* From 49 on; older ones are seen by reader.h. */
	[FLAG_ORCA] = {.service = "org.gnome.Orca.Service"},
	[FLAG_INACTIVE] = {"org.freedesktop.login1",
			   "/org/freedesktop/login1/session/auto",
			   "org.freedesktop.login1.Session", "Active", NULL,
			   NULL, true, true},
};

struct watched {
	struct desktop_watch *watch;
	const struct flag *flag;
	bool value;
};

struct desktop_watch {
	sd_bus *user, *system;
	struct watched flags[N_FLAGS];
	struct reader_watch *readers;
	/* GNOME's is a setting, which gsettings tells of. */
	pid_t gsettings;
	sd_event_source *settings, *child;
	int settings_fd;
	char line[256];
	size_t n_line;
	bool banners;
};

/* --- flags --- */

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct watched *w = userdata;
	int value = 0, r;

	if (sd_bus_message_is_method_error(m, NULL))
		return 0;
	r = w->flag->property ? sd_bus_message_read(m, "v", "b", &value)
			      : sd_bus_message_read(m, "b", &value);
	if (r >= 0)
		w->value = !value == w->flag->inverted;
	return 0;
}

static sd_bus *bus_of(const struct watched *w)
{
	return w->flag->system ? w->watch->system : w->watch->user;
}

/* Nobody is started to answer it. */
static void ask(struct watched *w)
{
	const struct flag *f = w->flag;
	sd_bus_message *m = NULL;
	int r;

	if (!bus_of(w))
		return;
	r = sd_bus_message_new_method_call(
		bus_of(w), &m, f->service, f->path,
		f->property ? PROPERTIES : f->interface,
		f->property ? "Get" : f->method);
	if (r >= 0 && f->property)
		r = sd_bus_message_append(m, "ss", f->interface, f->property);
	if (r >= 0)
		r = sd_bus_message_set_auto_start(m, false);
	if (r >= 0)
		sd_bus_call_async(bus_of(w), NULL, m, on_answer, w, 0);
	sd_bus_message_unref(m);
}

static int on_change(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct watched *w = userdata;
	const char *interface = NULL;
	int value;

	if (!w->flag->property) {
		if (sd_bus_message_read(m, "b", &value) >= 0)
			w->value = value;
	} else if (sd_bus_message_read(m, "s", &interface) >= 0 &&
		   strcmp(interface, w->flag->interface) == 0) {
		/* Which of them, and to what, it is asked. */
		ask(w);
	}
	return 0;
}

/* Its owner came, or went. */
static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct watched *w = userdata;
	const char *name, *before, *now;

	if (sd_bus_message_read(m, "sss", &name, &before, &now) < 0)
		return 0;
	w->value = *now && !w->flag->interface;
	if (*now && w->flag->interface)
		ask(w);
	return 0;
}

static void follow_changes(struct watched *w)
{
	const struct flag *f = w->flag;
	char rule[512];

	snprintf(rule, sizeof(rule),
		 "type='signal',path='%s',interface='%s',member='%s'", f->path,
		 f->property ? PROPERTIES : f->interface,
		 f->property ? "PropertiesChanged" : f->signal);
	/* logind's own path is told in signals, not "auto". */
	if (f->system)
		snprintf(rule, sizeof(rule),
			 "type='signal',sender='%s',interface='" PROPERTIES
			 "',member='PropertiesChanged',arg0='%s'",
			 f->service, f->interface);
	sd_bus_add_match_async(bus_of(w), NULL, rule, on_change, NULL, w);
}

static int on_has_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct watched *w = userdata;
	int value;

	if (!sd_bus_message_is_method_error(m, NULL) &&
	    sd_bus_message_read(m, "b", &value) >= 0)
		w->value = value;
	return 0;
}

static void follow(struct watched *w)
{
	const struct flag *f = w->flag;
	char rule[512];

	if (!bus_of(w))
		return;
	if (f->interface)
		follow_changes(w);
	snprintf(rule, sizeof(rule),
		 "type='signal',sender='org.freedesktop.DBus',"
		 "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
		 "arg0='%s'",
		 f->service);
	sd_bus_add_match_async(bus_of(w), NULL, rule, on_owner, NULL, w);
	if (f->interface)
		ask(w);
	else
		sd_bus_call_method_async(bus_of(w), NULL,
					 "org.freedesktop.DBus",
					 "/org/freedesktop/DBus",
					 "org.freedesktop.DBus", "NameHasOwner",
					 on_has_owner, w, "s", f->service);
}

struct desktop desktop_now(const struct desktop_watch *w)
{
	const struct watched *f = w->flags;

	return (struct desktop){
		.locked = f[FLAG_GNOME_LOCKED].value ||
			  f[FLAG_LOCKED].value || f[FLAG_LOGIND_LOCKED].value,
		.disturbed = f[FLAG_INHIBITED].value ||
			     f[FLAG_DUNST_PAUSED].value || !w->banners,
		.screen_reader = f[FLAG_SCREEN_READER].value ||
				 f[FLAG_ORCA].value ||
				 reader_running(w->readers),
		.inactive = f[FLAG_INACTIVE].value,
	};
}

/* --- GNOME's setting --- */

extern char **environ;

/* "show-banners: false", from the program that was asked what it is and to
 * tell when it changes. */
static void take_line(struct desktop_watch *w)
{
	if (strstr(w->line, "false"))
		w->banners = false;
	else if (strstr(w->line, "true"))
		w->banners = true;
	w->n_line = 0;
}

static int on_settings(sd_event_source *source, int fd, uint32_t revents,
		       void *userdata)
{
	struct desktop_watch *w = userdata;
	char buf[256];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n <= 0) {
		w->settings = sd_event_source_disable_unref(w->settings);
		return 0;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] == '\n') {
			w->line[w->n_line] = '\0';
			take_line(w);
		} else if (w->n_line < sizeof(w->line) - 1) {
			w->line[w->n_line++] = buf[i];
		}
	}
	return 0;
}

static int on_child(sd_event_source *source, const siginfo_t *si,
		    void *userdata)
{
	struct desktop_watch *w = userdata;

	w->gsettings = 0;
	w->banners = true;
	return 0;
}

/* It ends with us: its output's reader is gone, or it gets our signal. */
static void watch_settings(struct desktop_watch *w, sd_event *event)
{
	static char script[] =
		"gsettings get org.gnome.desktop.notifications show-banners "
		"&& exec gsettings monitor org.gnome.desktop.notifications "
		"show-banners";
	static char shell[] = "sh", option[] = "-c";
	char *argv[] = {shell, option, script, NULL};
	const char *desktop = getenv("XDG_CURRENT_DESKTOP");
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	int fds[2];

	if (!desktop || !strstr(desktop, "GNOME") ||
	    pipe2(fds, O_CLOEXEC) < 0)
		return;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
					 O_WRONLY, 0);
	/* Our signals are blocked: they come by the loop. */
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &none);
	if (posix_spawnp(&w->gsettings, "sh", &actions, &attr, argv,
			 environ) != 0)
		w->gsettings = 0;
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	w->settings_fd = fds[0];
	if (w->gsettings) {
		sd_event_add_child(event, &w->child, w->gsettings, WEXITED,
				   on_child, w);
		sd_event_add_io(event, &w->settings, fds[0], EPOLLIN,
				on_settings, w);
	}
}

/* --- all of it --- */

int desktop_watch_new(struct desktop_watch **ret, sd_event *event)
{
	struct desktop_watch *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->settings_fd = -1;
	w->banners = true;
	r = sd_bus_open_user(&w->user);
	if (r >= 0)
		r = sd_bus_attach_event(w->user, event,
					SD_EVENT_PRIORITY_NORMAL);
	if (r < 0) {
		desktop_watch_free(w);
		return r;
	}
	/* Without a system bus nobody locks or switches sessions. */
	if (sd_bus_open_system(&w->system) >= 0 &&
	    sd_bus_attach_event(w->system, event,
				SD_EVENT_PRIORITY_NORMAL) < 0)
		w->system = sd_bus_flush_close_unref(w->system);
	for (int i = 0; i < N_FLAGS; i++) {
		w->flags[i] = (struct watched){w, &flags[i], false};
		follow(&w->flags[i]);
	}
	r = reader_watch_new(&w->readers, w->user, event);
	if (r < 0) {
		desktop_watch_free(w);
		return r;
	}
	watch_settings(w, event);
	*ret = w;
	return 0;
}

void desktop_watch_free(struct desktop_watch *w)
{
	if (!w)
		return;
	sd_event_source_disable_unref(w->settings);
	sd_event_source_disable_unref(w->child);
	if (w->settings_fd >= 0)
		close(w->settings_fd);
	if (w->gsettings)
		kill(w->gsettings, SIGTERM);
	reader_watch_free(w->readers);
	sd_bus_flush_close_unref(w->user);
	sd_bus_flush_close_unref(w->system);
	free(w);
}
