/* SPDX-License-Identifier: MIT */
/* What the commands about models share. Each returns an exit status, and has
 * said why when that is not EXIT_OK. */
#ifndef CLIENT_MODELS_H
#define CLIENT_MODELS_H

#include <stdbool.h>

#include "bark.h"
#include "conf.h"

/* "" where it isn't known. */
const char *models_precision(enum bark_precision precision);
bool models_quantized(const char *dir);

/* Where imported, fetched and quantized models are kept; the caller's. */
int models_home(char **ret);

/* Opens a model, and with `voices` every voice that comes with it or was
 * imported; prints what it is if `tell`. vocab: NULL or as in
 * bark_model_options. */
int models_check(const char *path, const char *vocab, bool voices, bool tell);

/* barkd.ini, or the defaults where there is none. */
int models_conf(struct conf *ret);

#endif
