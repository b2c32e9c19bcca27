/* SPDX-License-Identifier: MIT */
/*
 * Whether a screen reader runs, though the desktop does not say so: one that
 * was started by its command. On the accessibility bus it has asked the
 * registry for events.
 */
#ifndef NOTIFY_READER_H
#define NOTIFY_READER_H

#include <stdbool.h>
#include <systemd/sd-bus.h>

struct reader_watch;

/* user: the session's bus, which outlives the watch. Errors: -ENOMEM. */
int reader_watch_new(struct reader_watch **ret, sd_bus *user,
		     sd_event *event);
void reader_watch_free(struct reader_watch *w); /* NULL is fine */
bool reader_running(const struct reader_watch *w);

#endif
