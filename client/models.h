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

/* What a model is, on standard output; n: how many voices it has. */
typedef int models_report_fn(const char *path, const struct bark_model *model,
			     size_t n);
models_report_fn models_report, models_report_json;

/* Opens a model, reads every weight, and with `voices` every voice that comes
 * with it or was imported; then reports, unless that is NULL. vocab: NULL or
 * as in bark_model_options. */
int models_check(const char *path, const char *vocab, bool voices,
		 models_report_fn *report);

/* barkd.ini, or the defaults where there is none. */
int models_conf(struct conf *ret);

#endif
