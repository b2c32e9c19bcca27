/* SPDX-License-Identifier: MIT */
/* What barkd-wyoming says of itself: barkd's voices, in Wyoming's terms. */
#ifndef WYOMING_VOICES_H
#define WYOMING_VOICES_H

#include <jansson.h>

#include "barkd-client.h"

/* The data of an `info` event. While barkd is away it has no voices. NULL
 * without memory. */
json_t *voices_info(struct barkd_client *client);

#endif
