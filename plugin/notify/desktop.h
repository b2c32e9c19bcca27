/* SPDX-License-Identifier: MIT */
/*
 * What is known of the desktop, followed by signals: screen lock, do not
 * disturb, a running screen reader, whether the session is the active one.
 * What a desktop does not offer counts as not so.
 */
#ifndef NOTIFY_DESKTOP_H
#define NOTIFY_DESKTOP_H

#include <systemd/sd-bus.h>

#include "rules.h"

struct desktop_watch;

/* Answers come in the event loop. Errors: sd-bus's. */
int desktop_watch_new(struct desktop_watch **ret, sd_event *event);
void desktop_watch_free(struct desktop_watch *w); /* NULL is fine */
/* All but paused. */
struct desktop desktop_now(const struct desktop_watch *w);

#endif
