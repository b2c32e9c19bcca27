/* SPDX-License-Identifier: MIT */
/* What an application is called by people. */
#ifndef NOTIFY_NAMES_H
#define NOTIFY_NAMES_H

#include "rules.h"

/*
 * The name to say where the notification's own is none for people, such as
 * "org.gnome.Software" or "notify-send": that of its desktop entry, else what
 * can be made of it, maybe "". NULL: its own is good, or no memory. To be
 * freed. Reads a file.
 */
char *names_find(const struct notification *n);

#endif
