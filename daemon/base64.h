/* SPDX-License-Identifier: MIT */
/* Base64 (RFC 4648, section 4). */
#ifndef BARKD_BASE64_H
#define BARKD_BASE64_H

#include <stddef.h>

/* n bytes as text, to be freed; NULL without memory. */
char *base64(const void *data, size_t n);

#endif
