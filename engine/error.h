/* SPDX-License-Identifier: MIT */
/* How the engine's files say what went wrong. */
#ifndef BARK_ERROR_H
#define BARK_ERROR_H

#include "bark.h"

/*
 * Writes the message (err may be NULL) and returns code, a negative errno.
 * Control characters, which names in hostile files may hold, become '?'.
 */
__attribute__((format(printf, 3, 4))) int
bark_fail(struct bark_error *err, int code, const char *fmt, ...);

/* What follows the last slash; messages name files by it. */
const char *bark_base_name(const char *path);

#endif
