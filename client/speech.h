/* SPDX-License-Identifier: MIT */
/* What render, trace and bench share: options and opening what they name. */
#ifndef CLIENT_SPEECH_H
#define CLIENT_SPEECH_H

#include <stdint.h>

#include "bark.h"

/* For OPTION_CHOICE: index i is enum value i (+ 1 for precisions). */
extern const char *const speech_precisions[];
extern const char *const speech_modes[];

/* choice -1: otherwise */
enum bark_precision speech_precision(int choice, enum bark_precision otherwise);
enum bark_mode speech_mode(int choice, enum bark_mode otherwise);

/*
 * Opens the folder of a model in f32, or as it is quantised where the original
 * is not there. vocab: NULL or as in bark_model_options. Errors as
 * bark_model_open().
 */
int speech_open_f32(struct bark_model **ret, const char *dir, const char *vocab,
		    struct bark_error *err);

/*
 * Opens a model by name or path (NULL: the default) and, if voice is neither
 * NULL nor "none", a voice. A precision of -1 is `otherwise`, of which f32 is
 * as speech_open_f32() has it. Says why on failure; returns an exit status.
 */
int speech_open(struct bark_model **ret_model, struct bark_voice **ret_voice,
		const char *model, const char *voice, int precision,
		enum bark_precision otherwise);

#endif
