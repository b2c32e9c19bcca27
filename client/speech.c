/* SPDX-License-Identifier: MIT */
#include "speech.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "find.h"
#include "options.h"

const char *const speech_precisions[] = { "f32", "f16", "bf16", "int8",
					  "q4", NULL };
const char *const speech_modes[] = { "low-latency", "exact", NULL };

enum bark_precision speech_precision(int choice, enum bark_precision otherwise)
{
	return choice < 0 ? otherwise :
			    (enum bark_precision)(BARK_PRECISION_F32 + choice);
}

enum bark_mode speech_mode(int choice, enum bark_mode otherwise)
{
	return choice < 0 ? otherwise : (enum bark_mode)choice;
}

static int open_voice(struct bark_voice **ret, struct bark_model *model,
		      const char *dir, const char *name)
{
	struct bark_error err = { "" };
	char *path = NULL;
	int r = barkd_voice_find_here(&path, dir, name);

	if (r < 0)
		return options_fail("there is no voice '%s'; see barkctl voice list",
				    name);
	if (path) {
		r = bark_voice_open(ret, model, path, &err);
		free(path);
		if (r < 0)
			return options_fail("%s", err.message);
	}
	return EXIT_OK;
}

int speech_open_f32(struct bark_model **ret, const char *dir, const char *vocab,
		    struct bark_error *err)
{
	struct bark_model_options opts = {
		.precision = BARK_PRECISION_F32, .vocab = vocab,
	};
	int r = bark_model_open(ret, dir, &opts, err);

	if (r != -ENOENT)
		return r;
	opts.precision = BARK_PRECISION_DEFAULT;
	return bark_model_open(ret, dir, &opts, err);
}

int speech_open(struct bark_model **ret_model, struct bark_voice **ret_voice,
		const char *model, const char *voice, int precision,
		enum bark_precision otherwise)
{
	struct bark_model_options opts = {
		.precision = speech_precision(precision, otherwise),
	};
	struct bark_error err = { "" };
	int status = EXIT_OK;
	char *dir;
	int r;

	if (barkd_model_find_here(&dir, model) < 0)
		return options_fail("there is no model '%s'; see barkctl model list",
				    model ? model : BARKD_DEFAULT_MODEL);
	if (precision < 0 && otherwise == BARK_PRECISION_F32)
		r = speech_open_f32(ret_model, dir, NULL, &err);
	else
		r = bark_model_open(ret_model, dir, &opts, &err);
	if (r < 0)
		status = options_fail("%s", err.message);
	*ret_voice = NULL;
	if (status == EXIT_OK && voice) {
		status = open_voice(ret_voice, *ret_model, dir, voice);
		if (status != EXIT_OK)
			bark_model_unref(*ret_model);
	}
	free(dir);
	return status;
}
