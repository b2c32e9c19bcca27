/* SPDX-License-Identifier: MIT */
/*
 * Letting go while nothing is spoken: first the audio stream, then the
 * model's memory, then, where the service manager starts us again, the
 * process. One timer each, started once; nothing wakes up in between.
 */
#include <math.h>

#include "daemon.h"
#include "log.h"

bool idle_busy(const struct daemon *d)
{
	return d->queue.current || d->tail ||
	       (d->queue.n_waiting && !d->paused);
}

static void start(sd_event_source *timer, double seconds)
{
	int on;

	/* Once it runs it is not put off. */
	if (sd_event_source_get_enabled(timer, &on) < 0 || on != SD_EVENT_OFF)
		return;
	if (isinf(seconds))
		return;
	sd_event_source_set_time_relative(timer, (uint64_t)(seconds * 1e6));
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static void stop(sd_event_source *timer)
{
	sd_event_source_set_enabled(timer, SD_EVENT_OFF);
}

void idle_update(struct daemon *d)
{
	bool busy = idle_busy(d);

	/* A pause holds the position, not the device. */
	if (busy && !d->paused) {
		stop(d->cork_timer);
		sinks_want(d->sinks, true);
	} else {
		start(d->cork_timer, d->conf.output.idle_cork_s);
	}
	supply_idle(d->supply, !busy);
	if (busy)
		stop(d->unload_timer);
	else if (studio_info(d->studio).state == STUDIO_READY)
		start(d->unload_timer, d->conf.service.idle_unload_s);
	/* The service manager does not listen at the port for us. */
	if (busy || d->connections || d->gate_connections ||
	    d->queue.n_waiting || !d->listener.inherited || gate_port(d->gate))
		stop(d->exit_timer);
	else
		start(d->exit_timer, d->conf.service.exit_idle_s);
}

static int on_cork(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct daemon *d = userdata;

	sinks_want(d->sinks, false);
	return 0;
}

static int on_unload(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct daemon *d = userdata;

	studio_unload(d->studio);
	return 0;
}

static int on_exit_idle(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct daemon *d = userdata;

	log_info("nothing to do, exiting");
	service_stop(d);
	return 0;
}

static int add(struct daemon *d, sd_event_source **ret,
	       sd_event_time_handler_t handler)
{
	/* A second's slack lets the kernel join this with other wake-ups. */
	int r = sd_event_add_time_relative(d->event, ret, CLOCK_MONOTONIC, 0,
					   1000000, handler, d);

	return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

int idle_init(struct daemon *d)
{
	int r = add(d, &d->cork_timer, on_cork);

	if (r >= 0)
		r = add(d, &d->unload_timer, on_unload);
	if (r >= 0)
		r = add(d, &d->exit_timer, on_exit_idle);
	return r < 0 ? r : 0;
}

void idle_clear(struct daemon *d)
{
	sd_event_source_disable_unref(d->cork_timer);
	sd_event_source_disable_unref(d->unload_timer);
	sd_event_source_disable_unref(d->exit_timer);
}
