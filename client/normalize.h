/* SPDX-License-Identifier: MIT */
/* A whole sound brought to one loudness, with a ceiling for its peaks. */
#ifndef CLIENT_NORMALIZE_H
#define CLIENT_NORMALIZE_H

#include <stddef.h>

#define NORMALIZE_CEILING_DB (-1.0) /* dBTP: true peaks, ITU-R BS.1770 */

/*
 * pcm: n samples at `rate`, one channel. lufs: the integrated loudness it gets
 * (EBU R 128), as near as the ceiling lets it come. Silence stays what it is.
 * Errors: -ENOMEM.
 */
int normalize(float *pcm, size_t n, unsigned rate, double lufs);

#endif
