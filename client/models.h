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

/* Opens a model, reads every weight, has it begin to speak and opens its voices;
 * then reports, unless that is NULL. installed: imported voices count besides, and
 * one of the model's own that does not open is a failure; else it is only told.
 * vocab: NULL or as in bark_model_options. */
int models_check(const char *path, const char *vocab, bool installed,
		 models_report_fn *report);

/* barkd.ini, or the defaults where there is none. */
int models_conf(struct conf *ret);

#endif
