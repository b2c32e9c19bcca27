/* SPDX-License-Identifier: MIT */
#include "models.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "model.h"
#include "options.h"
#include "paths.h"
#include "speech.h"

const char *models_precision(enum bark_precision precision)
{
	return precision == BARK_PRECISION_DEFAULT ? "" :
		       speech_precisions[precision - BARK_PRECISION_F32];
}

bool models_quantized(const char *dir)
{
	char *path;
	bool there;

	if (asprintf(&path, "%s/model.gguf", dir) < 0)
		return false;
	there = !access(path, F_OK);
	free(path);
	return there;
}

int models_home(char **ret)
{
	char *home;
	int r = barkd_data_home(&home);

	if (r)
		return options_fail("no folder for data: %s", strerror(-r));
	r = asprintf(ret, "%s/models", home);
	free(home);
	return r < 0 ? options_fail("out of memory") : EXIT_OK;
}

int models_report(const char *path, const struct bark_model *model, size_t n)
{
	printf("%s: %u Hz, %.1f MB of %s weights, %zu voices\n", path,
	       bark_model_rate(model), bark_model_memory(model) / 1e6,
	       models_precision(bark_model_precision(model)), n);
	return EXIT_OK;
}

int models_report_json(const char *path, const struct bark_model *model,
		       size_t n)
{
	return options_print_json(json_pack(
		"{s:s,s:I,s:I,s:s,s:I}", "path", path, "rate",
		(json_int_t)bark_model_rate(model), "bytes",
		(json_int_t)bark_model_memory(model), "precision",
		models_precision(bark_model_precision(model)), "voices",
		(json_int_t)n));
}

int models_check(const char *path, const char *vocab, bool voices,
		 models_report_fn *report)
{
	struct barkd_entries list = {0};
	struct bark_model *model;
	struct bark_error err;
	int status = EXIT_OK, r;

	/* Quantizing would hide what is not finite. */
	r = speech_open_f32(&model, path, vocab, &err);
	if (r)
		return options_fail("%s", err.message);
	if (bark_model_check(model, &err))
		status = options_fail("%s", err.message);
	if (!status && voices) {
		r = barkd_voices_list(&list, path);
		if (r)
			status = options_fail("%s: voices cannot be listed: %s",
					      path, strerror(-r));
	}
	for (size_t i = 0; !status && i < list.n; i++) {
		struct bark_voice *voice;

		if (bark_voice_open(&voice, model, list.items[i].path, &err))
			status = options_fail("%s", err.message);
		else
			bark_voice_unref(voice);
	}
	if (!status && report)
		status = report(path, model, list.n);
	barkd_entries_clear(&list);
	bark_model_unref(model);
	return status;
}

int models_conf(struct conf *ret)
{
	struct conf_error err;
	char *path;
	int r;

	r = barkd_config_path(&path);
	if (r == -ENOENT) {
		r = conf_default(ret);
		return r ? options_fail("%s", strerror(-r)) : EXIT_OK;
	}
	if (r)
		return options_fail("%s", strerror(-r));
	r = conf_load(ret, path, &err);
	free(path);
	return r ? options_fail("%s", r == -ENOMEM ? strerror(-r)
						   : err.message)
		 : EXIT_OK;
}
