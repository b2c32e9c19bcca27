/* SPDX-License-Identifier: MIT */
/* barkd: the speech daemon. Options, the order of beginning and end. */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "handover.h"
#include "inherit.h"
#include "log.h"
#include "paths.h"
#include "priority.h"

/* Blocks of this size are given back to the kernel as they are freed. The C
 * library would learn to keep them: sessions are made on one thread and freed
 * on another, and their memory would pile up in the first one's arena. */
#define MMAP_BYTES (256 * 1024)
/* Samples: more than two seconds at 48 kHz, half a second at 192 kHz. */
#define RING_SAMPLES 131072

enum exit_status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
};

static const char usage[] =
	"usage: barkd [--config FILE] [--check-config] [--foreground]\n"
	"\n"
	"  --config FILE   read FILE instead of $XDG_CONFIG_HOME/barkd/barkd.ini\n"
	"                  or /etc/barkd/barkd.ini\n"
	"  --check-config  say whether the configuration is good, and exit\n"
	"  --foreground    log to standard error as to a terminal\n"
	"  --version       print the version and exit\n"
	"  --help          print this and exit\n"
	"\n"
	"barkd speaks what clients such as barkctl send to its socket,\n"
	"$XDG_RUNTIME_DIR/barkd/barkd.sock ($BARKD_SOCKET overrides).\n";

struct options {
	const char *conf;
	bool check, foreground;
};

/* -1: go on; otherwise the exit status. */
static int parse_options(struct options *ret, int argc, char **argv)
{
	enum { CONFIG = 1, CHECK, FOREGROUND, VERSION, HELP };
	static const struct option longs[] = {
		{"config", required_argument, NULL, CONFIG},
		{"check-config", no_argument, NULL, CHECK},
		{"foreground", no_argument, NULL, FOREGROUND},
		{"version", no_argument, NULL, VERSION},
		{"help", no_argument, NULL, HELP},
		{NULL, 0, NULL, 0},
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", longs, NULL)) >= 0) {
		switch (c) {
		case CONFIG:
			ret->conf = optarg;
			break;
		case CHECK:
			ret->check = true;
			break;
		case FOREGROUND:
			ret->foreground = true;
			break;
		case VERSION:
			puts("barkd " BARKD_VERSION);
			return STATUS_OK;
		case HELP:
			fputs(usage, stdout);
			return STATUS_OK;
		default:
			fprintf(stderr, "barkd: %s %s; see barkd --help\n",
				c == ':' ? "a file is missing after"
					 : "unknown option",
				argv[optind - 1]);
			return STATUS_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "barkd: unknown argument %s; see barkd --help\n",
			argv[optind]);
		return STATUS_USAGE;
	}
	return -1;
}

static int open_socket(struct daemon *d, struct inherited *in)
{
	char *path = NULL;
	int r = barkd_socket_path(&path);

	/* Under socket activation no path is needed. */
	if (r < 0 && r != -ENOENT)
		return r;
	r = listener_open(&d->listener, in->fds[INHERITED_SOCKET], path);
	if (r == 0 && d->listener.inherited)
		in->fds[INHERITED_SOCKET] = -1;
	if (r == -EINVAL)
		log_error("the service manager must pass one listening Unix stream socket");
	else if (r < 0 && !path)
		log_error("XDG_RUNTIME_DIR is not set; set it or BARKD_SOCKET");
	else if (r == -EADDRINUSE)
		log_error("another barkd listens at %s", path);
	else if (r == -EEXIST)
		log_error("%s is there and is no socket", path);
	else if (r < 0)
		log_error("cannot listen at %s: %s", path, strerror(-r));
	else if (path && !d->listener.inherited)
		log_info("listening at %s", path);
	free(path);
	return r;
}

static int start_parts(struct daemon *d)
{
	const struct http_handler handler = {
		.admit = api_admit,
		.handle = api_handle,
		.connections = api_connections,
		.data = d,
		.priority = PRIORITY_OWNER,
	};
	const struct gate_handler gate_handler = {
		.admit = api_admit,
		.handle = api_handle,
		.connections = api_gate_connections,
		.data = d,
	};
	int r;

	r = outlet_new(&d->outlet, RING_SAMPLES);
	if (r == 0)
		r = sinks_new(&d->sinks, d->event, d->outlet,
			      control_sink_changed, d);
	if (r == 0)
		r = studio_new(&d->studio, d->event, control_studio_changed,
			       d);
	if (r == 0)
		r = events_new(&d->events, d);
	if (r == 0)
		r = chat_new(&d->chat);
	if (r == 0)
		r = voices_new(&d->voices, d->event, api_handle, d);
	if (r == 0)
		r = supply_new(&d->supply, d);
	if (r == 0)
		r = control_init(d);
	if (r == 0)
		r = idle_init(d);
	if (r == 0)
		r = gate_new(&d->gate, d->event, &gate_handler);
	if (r == 0)
		r = service_apply_conf(d);
	if (r == 0)
		r = http_server_new(&d->http, d->event, d->listener.fd,
				    &handler);
	return r;
}

/* status: of the process, should there be something that is not waited for. */
static void stop_parts(struct daemon *d, int status)
{
	render_clear(d);
	gate_free(d->gate);
	d->gate = NULL;
	http_server_free(d->http);
	listener_close(&d->listener);
	/* A model half loaded is not waited for: we are to be gone within a
	 * second, and the kernel frees it faster. */
	if (d->studio && studio_info(d->studio).state == STUDIO_LOADING)
		_exit(status);
	control_clear(d);
	events_free(d->events);
	supply_free(d->supply);
	chat_free(d->chat);
	sinks_free(d->sinks);
	studio_free(d->studio);
	idle_clear(d);
	outlet_free(d->outlet);
	/* Nor is a folder that does not answer. */
	if (d->voices && voices_busy(d->voices))
		_exit(status);
	voices_free(d->voices);
}

static int run(struct daemon *d, struct inherited *in)
{
	int r;

	r = sd_event_default(&d->event);
	if (r >= 0)
		r = service_init(d);
	if (r >= 0)
		r = open_socket(d, in);
	else
		log_error("cannot start: %s", strerror(-r));
	if (r < 0)
		return r;
	r = start_parts(d);
	if (r == 0) {
		handover_restore(d, in);
		service_ready(d);
		/* Warm before the first text comes. */
		studio_load(d->studio);
		r = sd_event_loop(d->event);
	}
	if (r < 0)
		log_error("cannot go on: %s", strerror(-r));
	stop_parts(d, r < 0 ? STATUS_FAILED : STATUS_OK);
	return r;
}

/* As a service, or by hand. */
static int serve(struct daemon *d, struct inherited *in)
{
	sigset_t handled;
	int r;

	/* Before any thread, so that all inherit it. */
	sigemptyset(&handled);
	sigaddset(&handled, SIGTERM);
	sigaddset(&handled, SIGCHLD);
	sigaddset(&handled, SIGINT);
	sigaddset(&handled, SIGHUP);
	sigprocmask(SIG_BLOCK, &handled, NULL);
	r = inherited_take(in);
	if (r < 0) {
		log_error("the service manager must pass one listening Unix stream socket");
		return r;
	}
	if (!crashes_begin(&d->crashes, in))
		return 0;
	r = service_load_conf(d, &d->conf);
	return r < 0 ? r : run(d, in);
}

int main(int argc, char **argv)
{
	struct daemon d = {
		.listener = {.fd = -1, .lock_fd = -1},
		.crashes = {.fd = -1},
		.first_audio_ms = -1,
		.first_sound_ms = -1,
		.started = daemon_now_ns(),
	};
	struct inherited in = INHERITED_NONE;
	struct options options = {0};
	int status = parse_options(&options, argc, argv), r;

	if (status >= 0)
		return status;
	if (!options.foreground)
		log_init();
	umask(0077);
	mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
	if (options.conf) {
		d.conf_given = true;
		d.conf_path = strdup(options.conf);
		if (!d.conf_path) {
			log_error("cannot start: %s", strerror(ENOMEM));
			return STATUS_FAILED;
		}
	}
	if (!options.check)
		r = serve(&d, &in);
	else
		r = service_load_conf(&d, &d.conf);
	if (r == 0 && options.check)
		printf("%s is good\n",
		       d.conf_path ? d.conf_path : "the default configuration");
	sd_event_unref(d.event);
	inherited_clear(&in);
	conf_clear(&d.conf);
	free(d.conf_path);
	return r < 0 ? STATUS_FAILED : STATUS_OK;
}
