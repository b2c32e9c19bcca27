/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bark.h"
#include "commands.h"
#include "copy.h"
#include "options.h"
#include "paths.h"

static int voice_list(const char *model_dir)
{
	struct barkd_entries voices = {0};
	int r = barkd_voices_list(&voices, model_dir);

	if (r)
		return options_fail("voices cannot be listed: %s",
				    strerror(-r));
	for (size_t i = 0; i < voices.n; i++)
		printf("%-20s %s\n", voices.items[i].name,
		       voices.items[i].path);
	barkd_entries_clear(&voices);
	return EXIT_OK;
}

static int check(const char *model_dir, const char *file)
{
	struct bark_model *model;
	struct bark_voice *voice;
	struct bark_error err;
	int r;

	r = bark_model_open(&model, model_dir, NULL, &err);
	if (r)
		return options_fail("%s", err.message);
	r = bark_voice_open(&voice, model, file, &err);
	bark_model_unref(model);
	if (r)
		return options_fail("%s", err.message);
	bark_voice_unref(voice);
	return EXIT_OK;
}

static int copy_in(const char *file, const char *name)
{
	char *home, *dir = NULL, *npz = NULL;
	int r, status = EXIT_OK;

	r = barkd_data_home(&home);
	if (r)
		return options_fail("no folder for data: %s", strerror(-r));
	if (asprintf(&dir, "%s/voices", home) < 0 ||
	    asprintf(&npz, "%s.npz", name) < 0) {
		status = options_fail("out of memory");
		goto out;
	}
	r = copy_file(file, dir, npz);
	if (r == -EEXIST)
		status = options_fail("%s/%s is there already; remove it first",
				      dir, npz);
	else if (r)
		status = options_fail("%s/%s: %s", dir, npz, strerror(-r));
	else
		printf("imported; 'barkctl say -v %s TEXT' speaks with it\n",
		       name);
out:
	free(npz);
	free(dir);
	free(home);
	return status;
}

static int voice_import(const char *model_dir, const char *file,
			const char *name)
{
	size_t n = strlen(file);
	int status;

	if (n < 4 || strcmp(file + n - 4, ".npz"))
		return options_fail("%s: not an .npz file", file);
	if (!copy_name_ok(name) || !strcmp(name, "none"))
		return options_fail("'%s' cannot be a voice's name (letters, digits, '.', '_', '-')",
				    name);
	status = check(model_dir, file);
	return status ? status : copy_in(file, name);
}

int cmd_voice(int argc, char **argv)
{
	const char *model = NULL, *verb;
	const struct option_def defs[] = {
		OPTION_STRING('m', "model", &model),
	};
	int first, n, r, status;
	char *dir;

	status = options_parse(argc, argv, defs, ARRAY_LEN(defs), &first);
	if (status)
		return status;
	n = argc - first;
	verb = n ? argv[first] : "";
	if (!(!strcmp(verb, "list") && n == 1) &&
	    !(!strcmp(verb, "import") && n == 3))
		return options_usage(argv[0],
				     "voice takes 'list' or 'import FILE.npz NAME'");
	r = barkd_model_find(&dir, model);
	if (r)
		return options_fail("no model '%s' (%s); see 'barkctl model list'",
				    model ? model : BARKD_DEFAULT_MODEL,
				    strerror(-r));
	if (n == 1)
		status = voice_list(dir);
	else
		status = voice_import(dir, argv[first + 1], argv[first + 2]);
	free(dir);
	return status;
}
