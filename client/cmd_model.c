/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bark.h"
#include "commands.h"
#include "copy.h"
#include "model.h"
#include "options.h"
#include "paths.h"
#include "speech.h"

static bool is_quantized(const char *dir)
{
	char *path;
	bool there;

	if (asprintf(&path, "%s/model.gguf", dir) < 0)
		return false;
	there = !access(path, F_OK);
	free(path);
	return there;
}

/* "" where it isn't known. */
static const char *precision_name(enum bark_precision precision)
{
	return precision == BARK_PRECISION_DEFAULT ? "" :
		       speech_precisions[precision - BARK_PRECISION_F32];
}

/* What its line in the list ends with. */
static void print_kind(const char *dir)
{
	if (is_quantized(dir))
		printf(" (%s)", precision_name(bark_saved_precision(dir)));
	putchar('\n');
}

static int model_list(void)
{
	struct barkd_entries models = {0};
	int r = barkd_models_list(&models);

	if (r)
		return options_fail("models cannot be listed: %s",
				    strerror(-r));
	for (size_t i = 0; i < models.n; i++) {
		printf("%-20s %s", models.items[i].name, models.items[i].path);
		print_kind(models.items[i].path);
	}
	barkd_entries_clear(&models);
	return EXIT_OK;
}

/* Opens it, and every voice that comes with it or was imported. */
static int check(const char *path, const char *vocab, bool voices)
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
	if (!status)
		printf("%s: %u Hz, %.1f MB of %s weights, %zu voices\n", path,
		       bark_model_rate(model), bark_model_memory(model) / 1e6,
		       precision_name(bark_model_precision(model)), list.n);
	barkd_entries_clear(&list);
	bark_model_unref(model);
	return status;
}

static int model_verify(const char *name)
{
	char *path;
	int r, status;

	r = barkd_model_find(&path, name);
	if (r)
		return options_fail("no model '%s' (%s); see 'barkctl model list'",
				    name, strerror(-r));
	status = check(path, NULL, true);
	free(path);
	return status;
}

/* Where imported and quantized models are kept. */
static int models_home(char **ret)
{
	char *home;
	int r = barkd_data_home(&home);

	if (r)
		return options_fail("no folder for data: %s", strerror(-r));
	r = asprintf(ret, "%s/models", home);
	free(home);
	return r < 0 ? options_fail("out of memory") : EXIT_OK;
}

static int copy_in(const char *from, const char *vocab, const char *name)
{
	char *dir;
	int r, status = models_home(&dir);

	if (status)
		return status;
	r = copy_model(from, vocab, dir, name);
	if (r == -EEXIST)
		status = options_fail("%s/%s is there already; remove it first",
				      dir, name);
	else if (r)
		status = options_fail("%s/%s: %s", dir, name, strerror(-r));
	else
		printf("imported as '%s'; 'name = %s' under [model] in barkd.ini makes barkd use it\n",
		       name, name);
	free(dir);
	return status;
}

struct saving {
	struct bark_model *model;
	struct bark_error err;
};

static int save_into(void *arg, const char *folder)
{
	struct saving *s = arg;
	char *path;
	int r;

	if (asprintf(&path, "%s/model.gguf", folder) < 0)
		return -ENOMEM;
	r = bark_model_save(s->model, path, &s->err);
	free(path);
	return r;
}

static int save_quantized(struct bark_model *model, const char *from,
			  const char *name)
{
	struct saving s = {.model = model};
	char *dir;
	int r, status = models_home(&dir);

	if (status)
		return status;
	r = copy_around_weights(from, dir, name, save_into, &s);
	if (r == -EEXIST)
		status = options_fail("%s/%s is there already; remove it first",
				      dir, name);
	else if (r)
		status = options_fail("%s/%s: %s", dir, name,
				      s.err.message[0] ? s.err.message
						       : strerror(-r));
	else
		printf("quantized as '%s', %.1f MB of weights; 'name = %s' under [model] in barkd.ini makes barkd use it\n",
		       name, bark_model_memory(model) / 1e6, name);
	free(dir);
	return status;
}

/* dir is the original's full path. */
static int quantize(const char *dir, enum bark_precision precision)
{
	const struct bark_model_options opts = {.precision = precision};
	struct bark_model *model;
	struct bark_error err;
	char *name;
	int status;

	if (is_quantized(dir))
		return options_fail("%s is quantized already", dir);
	if (asprintf(&name, "%s-%s", basename(dir),
		     precision_name(precision)) < 0)
		return options_fail("out of memory");
	if (!copy_name_ok(name)) {
		status = options_fail("'%s' cannot be a model's name", name);
	} else if (bark_model_open(&model, dir, &opts, &err)) {
		status = options_fail("%s", err.message);
	} else {
		status = save_quantized(model, dir, name);
		bark_model_unref(model);
	}
	free(name);
	return status;
}

static int model_quantize(const char *name, enum bark_precision precision)
{
	char *path, *full;
	int r, status;

	r = barkd_model_find(&path, name);
	if (r)
		return options_fail("no model '%s' (%s); see 'barkctl model list'",
				    name, strerror(-r));
	full = realpath(path, NULL);
	status = full ? quantize(full, precision) :
			options_fail("%s: %s", path, strerror(errno));
	free(full);
	free(path);
	return status;
}

/* name: NULL for the folder's own. */
static int model_import(const char *from, const char *vocab, const char *name)
{
	char *full = realpath(from, NULL);
	int status;

	if (!full)
		return options_fail("%s: %s", from, strerror(errno));
	if (!name)
		name = basename(full);
	if (copy_name_ok(name))
		status = check(full, vocab, false);
	else
		status = options_fail("'%s' cannot be a model's name (letters, digits, '.', '_', '-'); give one with --name",
				      name);
	if (!status)
		status = copy_in(full, vocab, name);
	free(full);
	return status;
}

int cmd_model(int argc, char **argv)
{
	static const char *const names[] = {"int8", "q4", NULL};
	static const enum bark_precision precisions[] = {
		BARK_PRECISION_INT8, BARK_PRECISION_Q4,
	};
	const char *vocab = NULL, *name = NULL, *verb;
	int to = -1;
	const struct option_def defs[] = {
		OPTION_STRING(0, "name", &name),
		OPTION_STRING(0, "vocab", &vocab),
		OPTION_CHOICE(0, "to", &to, NULL, names),
	};
	int first, n, status;

	status = options_parse(argc, argv, defs, ARRAY_LEN(defs), &first);
	if (status)
		return status;
	n = argc - first;
	verb = n ? argv[first] : "";
	if ((vocab || name) && strcmp(verb, "import"))
		return options_usage(argv[0],
				     "--vocab and --name go with import");
	if ((to >= 0) != !strcmp(verb, "quantize"))
		return options_usage(argv[0], "--to int8 or --to q4 goes with quantize");
	if (!strcmp(verb, "list") && n == 1)
		return model_list();
	if (!strcmp(verb, "verify") && n == 2)
		return model_verify(argv[first + 1]);
	if (!strcmp(verb, "import") && n == 2)
		return model_import(argv[first + 1], vocab, name);
	if (!strcmp(verb, "quantize") && n == 2)
		return model_quantize(argv[first + 1], precisions[to]);
	return options_usage(argv[0],
			     "model takes 'list', 'import PATH', 'verify NAME' or 'quantize NAME'");
}
