/* SPDX-License-Identifier: MIT */
/*
 * How long notifications are not spoken: a file that barkctl writes and
 * barkd-notify reads, $XDG_RUNTIME_DIR/barkd/notify-pause, so that it lasts
 * over a restart and needs no answer.
 */
#ifndef BARKD_NOTIFY_PAUSE_H
#define BARKD_NOTIFY_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

/* Without end. */
#define PAUSE_FOREVER INT64_MAX

/* Seconds since the epoch, 0: not paused. */
int64_t pause_read(void);
/* 0 ends it. lasting: it is as long as now, whatever the clock is set to.
 * Errors: -ENOENT (no $XDG_RUNTIME_DIR), of open() and rename(). */
int pause_write(int64_t until, bool lasting);
/*
 * "90s", "10m", "1h", "2h30m", "until 18:00" (given as "18:00"), "on", "off";
 * now: seconds since the epoch. -EINVAL: none of these.
 */
int pause_parse(const char *text, int64_t now, int64_t *ret);

#endif
