/* SPDX-License-Identifier: MIT */
/* The values of SSML's attributes. NULL is an attribute that is not there. */
#ifndef SSML_VALUES_H
#define SSML_VALUES_H

/* A factor of what surrounds the element; 1 for what is not understood. */
double ssml_rate(const char *value);
double ssml_pitch(const char *value);
double ssml_volume(const char *value);
/* Milliseconds of a <break>, at most SSML_PAUSE_MAX; 0: none. */
unsigned ssml_pause(const char *time, const char *strength);

#endif
