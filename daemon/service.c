/* SPDX-License-Identifier: MIT */
/* The service manager, signals, and the configuration's way to the parts. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon.h"
#include "handover.h"
#include "log.h"
#include "paths.h"

/* A stop's fade has been heard by then. */
#define LAST_SOUND_US 60000u

int service_load_conf(struct daemon *d, struct conf *ret)
{
	struct conf_error err;
	int r;

	/* Looked for again each time: it may have been made meanwhile. */
	if (!d->conf_given) {
		free(d->conf_path);
		d->conf_path = NULL;
		r = barkd_config_path(&d->conf_path);
		if (r == -ENOENT)
			return conf_default(ret);
		if (r < 0)
			return r;
	}
	err.message[0] = '\0';
	r = conf_load(ret, d->conf_path, &err);
	if (r < 0)
		log_error("%s", err.message[0] ? err.message : strerror(-r));
	return r;
}

int service_apply_conf(struct daemon *d)
{
	int r;

	log_set_level((enum log_level)d->conf.service.log_level);
	speaker_configure(d->speaker, &d->conf);
	supply_configure(d->supply, &d->conf);
	r = chat_configure(d->chat, &d->conf);
	if (r == 0)
		r = voices_configure(d->voices, d->conf.model.name);
	if (r == 0)
		r = studio_configure(d->studio, &d->conf);
	if (r == 0)
		r = sinks_configure(d->sinks, &d->conf);
	if (r == 0)
		r = gate_configure(d->gate, &d->conf);
	/* Running clocks are those of the old configuration. */
	sd_event_source_set_enabled(d->cork_timer, SD_EVENT_OFF);
	sd_event_source_set_enabled(d->unload_timer, SD_EVENT_OFF);
	sd_event_source_set_enabled(d->exit_timer, SD_EVENT_OFF);
	control_wake(d);
	return r;
}

void service_status(struct daemon *d)
{
	struct studio_info i = studio_info(d->studio);

	events_status(d->events);
	switch (i.state) {
	case STUDIO_UNLOADED:
		sd_notifyf(0, "STATUS=Idle, model %s is not loaded", i.name);
		break;
	case STUDIO_LOADING:
		sd_notifyf(0, "STATUS=Loading model %s", i.name);
		break;
	case STUDIO_READY:
		sd_notifyf(0, "STATUS=Speaking with model %s", i.name);
		break;
	case STUDIO_FAILED:
		sd_notifyf(0, "STATUS=No model: %s", i.error ? i.error : "");
		break;
	}
}

void service_ready(struct daemon *d)
{
	sd_notify(0, "READY=1");
	service_status(d);
}

static void reload(struct daemon *d)
{
	struct conf new;

	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		   (unsigned long long)(daemon_now_ns() / 1000));
	if (service_load_conf(d, &new) < 0) {
		log_error("the old configuration stays");
	} else {
		conf_clear(&d->conf);
		d->conf = new;
		if (service_apply_conf(d) < 0)
			log_error("no memory for the new configuration");
		log_info("configuration reloaded");
	}
	service_ready(d);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *si,
		     void *userdata)
{
	struct daemon *d = userdata;

	if (si->ssi_signo == SIGHUP)
		reload(d);
	else
		service_stop(d);
	return 0;
}

static int on_last_sound(sd_event_source *source, uint64_t usec,
			 void *userdata)
{
	struct daemon *d = userdata;

	return sd_event_exit(d->event, 0);
}

void service_stop(struct daemon *d)
{
	if (d->stopping)
		return;
	sd_notify(0, "STOPPING=1\nSTATUS=Stopping");
	/* New clients wait for the barkd that the service manager starts. */
	if (d->listener.inherited)
		http_server_quiesce(d->http);
	crashes_end(&d->crashes);
	handover_save(d);
	control_stop(d, 0);
	d->stopping = true;
	if (sd_event_add_time_relative(d->event, NULL, CLOCK_MONOTONIC,
				       LAST_SOUND_US, 1000, on_last_sound,
				       d) < 0)
		sd_event_exit(d->event, 0);
}

int service_init(struct daemon *d)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	int r = 0;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; r >= 0 && i < 3; i++)
		r = sd_event_add_signal(d->event, NULL, signals[i], on_signal,
					d);
	if (r >= 0)
		r = sd_event_set_watchdog(d->event, true);
	return r < 0 ? r : 0;
}
