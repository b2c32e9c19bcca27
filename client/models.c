/* SPDX-License-Identifier: MIT */
#include "models.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "find.h"
#include "model.h"
#include "options.h"
#include "paths.h"
#include "speech.h"

#define TRY_SAMPLES 480

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

/* Begins to speak: some sound must come, or the end. */
static int speak(struct bark_model *model, struct bark_error *err)
{
	const struct bark_session_options opts = {.seed = 1};
	static const char text[] = "Hello there.";
	struct bark_session *session = NULL;
	struct bark_engine *engine;
	float pcm[TRY_SAMPLES];
	ssize_t n = 0;
	int r;

	r = bark_engine_new(&engine, NULL);
	if (r < 0)
		return options_fail("no threads to compute: %s", strerror(-r));
	r = bark_session_new(&session, engine, model, NULL, &opts, err);
	if (r == 0)
		r = bark_session_start(session, text, sizeof(text) - 1, err);
	if (r == 0)
		n = bark_session_read(session, pcm, TRY_SAMPLES, -1);
	bark_session_free(session);
	bark_engine_unref(engine);
	if (r < 0)
		return options_fail("%s", err->message);
	if (n < 0)
		return options_fail("the model stopped: %s", strerror((int)-n));
	for (ssize_t i = 0; i < n; i++)
		if (!isfinite(pcm[i]))
			return options_fail("the model's sound is not finite");
	return EXIT_OK;
}

/* How many of its voices the model can use: those in its folder, and with
 * `installed` those that were imported, of which some may be another model's. One
 * of its own that does not open is told; it fails an installed model. */
static int check_voices(const char *path, struct bark_model *model,
			bool installed, size_t *ret_n)
{
	struct barkd_entries list = {0};
	const size_t n_path = strlen(path);
	int status = EXIT_OK, r;

	r = barkd_voices_list(&list, path);
	if (r)
		return options_fail("%s: voices cannot be listed: %s", path,
				    strerror(-r));
	for (size_t i = 0; !status && i < list.n; i++) {
		const struct barkd_entry *e = &list.items[i];
		const bool own = !strncmp(e->path, path, n_path);
		struct bark_voice *voice;
		struct bark_error err;

		if (!own && !installed)
			continue;
		if (!bark_voice_open(&voice, model, e->path, &err)) {
			bark_voice_unref(voice);
			++*ret_n;
		} else if (own) {
			r = options_fail("voice %s: %s", e->name, err.message);
			status = installed ? r : EXIT_OK;
		}
	}
	barkd_entries_clear(&list);
	return status;
}

int models_check(const char *path, const char *vocab, bool installed,
		 models_report_fn *report)
{
	struct bark_model *model;
	struct bark_error err;
	int status, r;
	size_t n = 0;

	/* Quantizing would hide what is not finite. */
	r = speech_open_f32(&model, path, vocab, &err);
	if (r)
		return options_fail("%s", err.message);
	if (bark_model_check(model, &err))
		status = options_fail("%s", err.message);
	else
		status = speak(model, &err);
	if (!status)
		status = check_voices(path, model, installed, &n);
	if (!status && report)
		status = report(path, model, n);
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
