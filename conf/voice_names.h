/* SPDX-License-Identifier: MIT */
/* What is known of a voice by its name. No I/O. */
#ifndef BARKD_VOICE_NAMES_H
#define BARKD_VOICE_NAMES_H

/* "male", "female", or NULL: nobody knows. */
const char *voice_gender(const char *name);

#endif
