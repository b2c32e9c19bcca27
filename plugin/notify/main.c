/* SPDX-License-Identifier: MIT */
/*
 * barkd-notify: has barkd speak the desktop's notifications. It listens on the
 * session bus and answers nothing there. What notifications say is never
 * logged.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "../host.h"
#include "barkd-client.h"
#include "desktop.h"
#include "monitor.h"
#include "names.h"
#include "notify_pause.h"
#include "rules.h"

/* Notifications that barkd has and that were not heard yet. */
#define SPEAKING_MAX (RULES_WAITING + RULES_CRITICAL_WAITING)

struct speaking {
	struct notify *notify;
	sd_event_source *io; /* NULL: free */
	int fd;
	uint64_t id; /* the memory's */
};

struct notify {
	sd_event *event;
	struct settings settings;
	char *path; /* of notify.ini */
	struct memory memory;
	struct monitor *monitor;
	struct desktop_watch *desktop;
	struct barkd_client *client;
	struct speaking speaking[SPEAKING_MAX];
	bool verbose;
};

/* Seconds that never go back, sleep included. */
static int64_t now_s(void)
{
	struct timespec t = {0};

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec;
}

/* --- speaking --- */

static void speaking_end(struct speaking *s)
{
	s->io = sd_event_source_disable_unref(s->io);
}

static int on_spoken(sd_event_source *source, int fd, uint32_t revents,
		     void *userdata)
{
	struct speaking *s = userdata;
	struct notify *n = s->notify;
	int r;

	speaking_end(s);
	r = barkd_client_say_finish(n->client, fd);
	rules_ended(&n->memory, s->id, r == 0, now_s());
	if (r < 0 && r != -ECANCELED)
		fprintf(stderr, "barkd-notify: %s\n",
			barkd_client_message(n->client));
	return 0;
}

/* false: it will not be heard. */
static bool speak(struct notify *n, const struct decision *d)
{
	static const enum barkd_priority priorities[] = {
		[WORTH_NOTIFICATION] = BARKD_PRIORITY_NOTIFICATION,
		[WORTH_MESSAGE] = BARKD_PRIORITY_MESSAGE,
		[WORTH_IMPORTANT] = BARKD_PRIORITY_IMPORTANT,
	};
	const struct barkd_say say = {
		.text = d->text,
		.voice = d->voice,
		.language = n->settings.language,
		.rate = n->settings.rate,
		.volume = n->settings.volume,
		.priority = priorities[d->worth],
		.has_priority = true,
		/* Only what is important cuts others off. */
		.patient = d->worth != WORTH_IMPORTANT,
	};
	struct speaking *s = n->speaking;
	int r;

	while (s < n->speaking + SPEAKING_MAX && s->io)
		s++;
	if (s == n->speaking + SPEAKING_MAX)
		return false;
	/* Where barkd is away the notification is not kept: it is news. */
	r = barkd_client_say_start(n->client, &say, &s->fd);
	if (r < 0) {
		fprintf(stderr, "barkd-notify: %s\n",
			barkd_client_message(n->client));
		return false;
	}
	s->notify = n;
	s->id = d->id;
	r = sd_event_add_io(n->event, &s->io, s->fd, EPOLLIN, on_spoken, s);
	if (r < 0)
		close(s->fd);
	return r >= 0;
}

static void on_notified(void *data, const struct notification *what)
{
	struct notify *n = data;
	struct desktop desktop = desktop_now(n->desktop);
	struct notification named = *what;
	char *name = names_find(what);
	time_t now = time(NULL);
	struct decision d = {0};
	enum verdict verdict;
	struct tm tm;

	/* Quiet hours alone are by the clock, which somebody may set. */
	if (!localtime_r(&now, &tm))
		tm = (struct tm){0};
	named.name = name;
	desktop.paused = pause_read() > now;
	verdict = rules_decide(&n->settings, &n->memory, &desktop, &named,
			       now_s(), tm.tm_hour * 60 + tm.tm_min, &d);
	if (n->verbose)
		fprintf(stderr, "barkd-notify: a notification: %s\n",
			verdict_names[verdict]);
	if (verdict == VERDICT_SPEAK && !speak(n, &d))
		rules_ended(&n->memory, d.id, false, now_s());
	free(d.text);
	free(name);
}

static void on_lost(void *data)
{
	struct notify *n = data;

	/* The session is over, or the service manager starts us again. */
	fprintf(stderr, "barkd-notify: the session bus has gone\n");
	sd_event_exit(n->event, 1);
}

/* --- settings --- */

static int load(struct notify *n)
{
	struct conf_error err = {"out of memory"};
	struct settings new;
	int r = settings_load(&new, n->path, &err);

	if (r < 0) {
		fprintf(stderr, "barkd-notify: %s\n", err.message);
		return r;
	}
	settings_clear(&n->settings);
	n->settings = new;
	return 0;
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *si,
		     void *userdata)
{
	/* What cannot be read leaves the old settings. */
	load(userdata);
	return 0;
}

/* $XDG_CONFIG_HOME/barkd/notify.ini; to be freed. */
static char *default_path(void)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *path;

	if (asprintf(&path, "%s%s/barkd/notify.ini",
		     config && *config ? config : home ? home : "",
		     config && *config ? "" : "/.config") < 0)
		return NULL;
	return path;
}

/* --- beginning and end --- */

static const char usage[] =
	"usage: barkd-notify [--config FILE] [--verbose]\n"
	"\n"
	"  --config FILE   instead of $XDG_CONFIG_HOME/barkd/notify.ini\n"
	"  --verbose       log for each notification whether it is spoken, or why not\n"
	"  --version       print the version and exit\n"
	"  --help          print this and exit\n"
	"\n"
	"Has barkd speak the desktop's notifications; see barkd-notify(1).\n";

/* -1: go on; otherwise the exit status. */
static int parse_options(struct notify *n, int argc, char **argv)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"verbose", no_argument, NULL, 'v'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", longs, NULL)) >= 0) {
		switch (c) {
		case 'c':
			free(n->path);
			n->path = strdup(optarg);
			break;
		case 'v':
			n->verbose = true;
			break;
		case 'V':
			puts("barkd-notify " BARKD_VERSION);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fprintf(stderr,
				"barkd-notify: wrong option %s; see barkd-notify --help\n",
				argv[optind - 1]);
			return 2;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "barkd-notify: wrong argument %s; see barkd-notify --help\n",
		argv[optind]);
	return 2;
}

static int start(struct notify *n)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	/* By which sd-event hears of children. */
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	r = host_event(&n->event);
	if (r >= 0)
		r = sd_event_add_signal(n->event, NULL, SIGHUP, on_hangup, n);
	if (r >= 0)
		r = barkd_client_new(&n->client, NULL);
	if (r >= 0)
		r = desktop_watch_new(&n->desktop, n->event);
	if (r >= 0)
		r = monitor_new(&n->monitor, n->event, on_notified, on_lost, n);
	if (r < 0)
		fprintf(stderr, "barkd-notify: cannot listen on the session bus: %s\n",
			strerror(-r));
	return r;
}

int main(int argc, char **argv)
{
	struct notify n = {.path = default_path()};
	int status = parse_options(&n, argc, argv);

	if (status < 0) {
		status = 1;
		if (n.path && load(&n) == 0 && start(&n) >= 0) {
			sd_notify(0, "READY=1");
			status = sd_event_loop(n.event) == 0 ? 0 : 1;
			sd_notify(0, "STOPPING=1");
		}
	}
	for (size_t i = 0; i < SPEAKING_MAX; i++) {
		if (n.speaking[i].io)
			close(n.speaking[i].fd);
		speaking_end(&n.speaking[i]);
	}
	monitor_free(n.monitor);
	desktop_watch_free(n.desktop);
	barkd_client_free(n.client);
	settings_clear(&n.settings);
	free(n.path);
	sd_event_unref(n.event);
	return status;
}
