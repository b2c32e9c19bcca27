/* SPDX-License-Identifier: MIT */
/* The user's session: configuration, permissions, daemon, units. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "barkd-client.h"
#include "doctor.h"
#include "options.h"
#include "paths.h"

#define BUS_TIMEOUT_US 3000000
#define FREE_LOW 200e6 /* bytes */

void doctor_configuration(struct doctor *d)
{
	struct conf_error err = {""};
	struct stat st;
	char *path;
	int r = barkd_config_path(&path);

	if (conf_default(&d->conf))
		memset(&d->conf, 0, sizeof(d->conf));
	if (r == -ENOENT) {
		doctor_say(d, FINDING_OK, "configuration", NULL,
			   "no barkd.ini, the defaults hold");
		return;
	}
	if (r) {
		doctor_say(d, FINDING_FAIL, "configuration", NULL, "%s",
			   strerror(-r));
		return;
	}
	conf_clear(&d->conf);
	r = conf_load(&d->conf, path, &err);
	if (r) {
		doctor_say(d, FINDING_FAIL, "configuration",
			   "correct that line; nothing of the file is used until then",
			   "%s", err.message[0] ? err.message : strerror(-r));
		if (conf_default(&d->conf))
			memset(&d->conf, 0, sizeof(d->conf));
	} else if (d->conf.http.token && !stat(path, &st) &&
		   (st.st_mode & 077)) {
		doctor_say(d, FINDING_WARN, "configuration",
			   "chmod 600 that file: it holds the token",
			   "%s can be read by others", path);
	} else {
		doctor_say(d, FINDING_OK, "configuration", NULL, "%s", path);
	}
	free(path);
}

/* --- permissions --- */

static void check_runtime(struct doctor *d)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	if (!dir || dir[0] != '/')
		doctor_say(d, FINDING_FAIL, "session",
			   "log in to a session of your own (su and sudo have none), or set XDG_RUNTIME_DIR to a folder of mode 0700",
			   "XDG_RUNTIME_DIR is not set");
	else if (stat(dir, &st) < 0)
		doctor_say(d, FINDING_FAIL, "session", NULL, "%s: %s", dir,
			   strerror(errno));
	else if (st.st_uid != getuid())
		doctor_say(d, FINDING_FAIL, "session",
			   "run as the user whose session it is",
			   "%s belongs to somebody else", dir);
	else if (st.st_mode & 077)
		doctor_say(d, FINDING_WARN, "session",
			   "chmod 700 that folder",
			   "%s is open to others (mode %03o)", dir,
			   st.st_mode & 0777);
	else
		doctor_say(d, FINDING_OK, "session", NULL, "%s, mode 0700",
			   dir);
}

static void check_socket(struct doctor *d)
{
	struct stat st;
	char *path;

	if (barkd_socket_path(&path))
		return; /* no session: that was said */
	if (stat(path, &st) < 0)
		doctor_say(d, FINDING_FAIL, "socket",
			   "systemctl --user enable --now barkd.socket, or run barkd",
			   "%s: %s", path, strerror(errno));
	else if (!S_ISSOCK(st.st_mode))
		doctor_say(d, FINDING_FAIL, "socket", "remove it",
			   "%s is no socket", path);
	else if (st.st_uid != getuid())
		doctor_say(d, FINDING_WARN, "socket", NULL,
			   "%s belongs to somebody else", path);
	else if (st.st_mode & 077)
		doctor_say(d, FINDING_WARN, "socket",
			   "SocketMode=0600 belongs in the socket's unit",
			   "%s is open to others (mode %03o)", path,
			   st.st_mode & 0777);
	else
		doctor_say(d, FINDING_OK, "socket", NULL, "%s, mode 0600",
			   path);
	free(path);
}

/* The nearest folder above that exists decides. */
static void check_data(struct doctor *d)
{
	struct statvfs fs;
	char *home, *p;
	int r = barkd_data_home(&home);

	if (r) {
		doctor_say(d, FINDING_WARN, "data", "set HOME",
			   "no folder for models and voices: %s",
			   strerror(-r));
		return;
	}
	while (access(home, F_OK) < 0 && (p = strrchr(home, '/')) && p > home)
		*p = '\0';
	if (access(home, W_OK | X_OK) < 0)
		doctor_say(d, FINDING_WARN, "data",
			   "chown it to yourself; until then no model or voice can be added",
			   "%s: %s", home, strerror(errno));
	else if (!statvfs(home, &fs) &&
		 (double)fs.f_bavail * (double)fs.f_frsize < FREE_LOW)
		doctor_say(d, FINDING_WARN, "data",
			   "make room before fetching a model",
			   "%s: %.0f MB are free", home,
			   (double)fs.f_bavail * (double)fs.f_frsize / 1e6);
	else
		doctor_say(d, FINDING_OK, "data", NULL, "%s can be written to",
			   home);
	free(home);
}

void doctor_permissions(struct doctor *d)
{
	check_runtime(d);
	check_socket(d);
	check_data(d);
}

/* --- the daemon --- */

static void check_answer(struct doctor *d)
{
	const char *version =
		json_string_value(json_object_get(d->status, "version"));
	const char *state =
		json_string_value(json_object_get(d->status, "state"));
	const char *error =
		json_string_value(json_object_get(d->status, "error"));

	if (!version || !state)
		doctor_say(d, FINDING_FAIL, "daemon", NULL,
			   "what answers there is no barkd");
	else if (strcmp(version, BARKD_VERSION))
		doctor_say(d, FINDING_WARN, "daemon",
			   "systemctl --user restart barkd",
			   "runs version %s, barkctl is " BARKD_VERSION,
			   version);
	else
		doctor_say(d, error ? FINDING_FAIL : FINDING_OK, "daemon",
			   error ? "journalctl --user -u barkd says more" : NULL,
			   "barkd %s is %s%s%s", version, state,
			   error ? ": " : "", error ? error : "");
}

void doctor_daemon(struct doctor *d)
{
	struct barkd_client *client;
	char *text;

	/* Without a session: that was said. */
	if (barkd_socket_path(&text))
		return;
	free(text);
	if (barkd_client_new(&client, NULL))
		return;
	if (barkd_client_get(client, "/v1/status", &text)) {
		doctor_say(d, FINDING_FAIL, "daemon",
			   "systemctl --user status barkd.service says why",
			   "%s", barkd_client_message(client));
	} else {
		d->status = json_loads(text, 0, NULL);
		free(text);
		check_answer(d);
	}
	barkd_client_free(client);
}

/* --- units --- */

/* What the manager says of a unit, into ret; false: nothing. */
static bool ask_file_state(sd_bus *bus, const char *unit, char *ret,
			   size_t size)
{
	sd_bus_message *reply = NULL;
	const char *state;
	bool good;

	good = sd_bus_call_method(bus, "org.freedesktop.systemd1",
				  "/org/freedesktop/systemd1",
				  "org.freedesktop.systemd1.Manager",
				  "GetUnitFileState", NULL, &reply, "s",
				  unit) >= 0 &&
	       sd_bus_message_read(reply, "s", &state) > 0;
	if (good)
		snprintf(ret, size, "%s", state);
	sd_bus_message_unref(reply);
	return good;
}

static bool ask_active(sd_bus *bus, const char *unit, char *ret, size_t size)
{
	char *path, *state = NULL;
	bool good;

	if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit,
			       &path) < 0)
		return false;
	good = sd_bus_get_property_string(bus, "org.freedesktop.systemd1",
					  path,
					  "org.freedesktop.systemd1.Unit",
					  "ActiveState", NULL, &state) >= 0;
	if (good)
		snprintf(ret, size, "%s", state);
	free(state);
	free(path);
	return good;
}

/* How often a service that failed was started again; 0 for other units. */
static uint32_t ask_restarts(sd_bus *bus, const char *unit)
{
	uint32_t n = 0;
	char *path;

	if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit,
			       &path) < 0)
		return 0;
	sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", path,
				    "org.freedesktop.systemd1.Service",
				    "NRestarts", NULL, 'u', &n);
	free(path);
	return n;
}

/* Who has not enabled a unit of this kind has chosen so. */
enum choice {
	CHOICE_NEEDED,  /* it is to be there and enabled */
	CHOICE_STARTED, /* it is to be there */
	CHOICE_FREE,    /* it may be missing */
};

static void check_unit(struct doctor *d, sd_bus *bus, const char *unit,
		       enum choice choice)
{
	char file[32], active[32];
	bool again;
	char advice[120];

	if (!ask_file_state(bus, unit, file, sizeof(file)) ||
	    !ask_active(bus, unit, active, sizeof(active))) {
		if (choice == CHOICE_FREE)
			return;
		doctor_say(d, FINDING_WARN, "units",
			   "make install puts it there; then systemctl --user daemon-reload",
			   "%s is not known to the service manager", unit);
		return;
	}
	again = !strcmp(active, "activating") && ask_restarts(bus, unit) > 0;
	if (again || !strcmp(active, "failed")) {
		snprintf(advice, sizeof(advice),
			 "systemctl --user status %s says why", unit);
		doctor_say(d, FINDING_FAIL, "units", advice, "%s has failed%s",
			   unit, again ? " and is started again" : "");
	} else if (choice == CHOICE_NEEDED && strncmp(file, "enabled", 7)) {
		snprintf(advice, sizeof(advice),
			 "systemctl --user enable --now %s", unit);
		doctor_say(d, FINDING_WARN, "units", advice,
			   "%s is %s and %s: nothing starts barkd by itself",
			   unit, file, active);
	} else {
		doctor_say(d, FINDING_OK, "units", NULL, "%s is %s, %s", unit,
			   file, active);
	}
}

/* The manager's own socket, as systemctl does, which needs no session bus. */
static int open_manager(sd_bus **ret)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	char address[300];
	sd_bus *bus;
	int r;

	if (!dir)
		return -ENOENT;
	snprintf(address, sizeof(address),
		 "unix:path=%.250s/systemd/private", dir);
	r = sd_bus_new(&bus);
	if (r < 0)
		return r;
	r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0) {
		sd_bus_unref(bus);
		return r;
	}
	*ret = bus;
	return 0;
}

void doctor_units(struct doctor *d)
{
	sd_bus *bus = NULL;
	int r = open_manager(&bus);

	if (r < 0)
		r = sd_bus_open_user(&bus);

	if (r < 0) {
		doctor_say(d, FINDING_WARN, "units",
			   "start barkd by hand, or log in to a session with a service manager",
			   "no service manager of yours answers: %s",
			   strerror(-r));
		return;
	}
	sd_bus_set_method_call_timeout(bus, BUS_TIMEOUT_US);
	check_unit(d, bus, "barkd.socket", CHOICE_NEEDED);
	check_unit(d, bus, "barkd.service", CHOICE_STARTED);
	check_unit(d, bus, "barkd-notify.service", CHOICE_FREE);
	sd_bus_flush_close_unref(bus);
}
