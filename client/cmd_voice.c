/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bark.h"
#include "commands.h"
#include "copy.h"
#include "find.h"
#include "models.h"
#include "options.h"
#include "paths.h"
#include "presets.h"

static int voice_list(const char *model_dir, bool as_json)
{
	struct barkd_entries voices = {0};
	size_t n_own;
	const char *own = barkd_model_name(model_dir, &n_own);
	json_t *list = json_array();
	int r = barkd_voices_list(&voices, model_dir);

	if (r) {
		json_decref(list);
		return options_fail("voices cannot be listed: %s",
				    strerror(-r));
	}
	/* the model's own voice, which has no preset */
	if (as_json)
		json_array_append_new(list,
			json_pack("{s:s%,s:n}", "name", own, n_own,
				  "path"));
	else
		printf("%-20.*s %s\n", (int)n_own, own, "(the model's own)");
	for (size_t i = 0; i < voices.n; i++) {
		const struct barkd_entry *v = &voices.items[i];

		if (as_json)
			json_array_append_new(list,
				json_pack("{s:s,s:s}", "name", v->name, "path",
					  v->path));
		else
			printf("%-20s %s\n", v->name, v->path);
	}
	barkd_entries_clear(&voices);
	if (as_json)
		return options_print_json(list);
	json_decref(list);
	return EXIT_OK;
}

static int voices_home(char **ret)
{
	char *home;
	int r = barkd_data_home(&home);

	if (r)
		return options_fail("no folder for data: %s", strerror(-r));
	r = asprintf(ret, "%s/voices", home);
	free(home);
	return r < 0 ? options_fail("out of memory") : EXIT_OK;
}

static int import_one(const struct bark_model *model, const char *path,
		      const char *dir, const char *name)
{
	struct bark_voice *voice;
	struct bark_error err;
	int r;

	if (!copy_name_ok(name) || !strcmp(name, "none"))
		return options_fail("'%s' cannot be a voice's name (letters, digits, '.', '_', '-')",
				    name);
	if (bark_voice_open(&voice, model, path, &err))
		return options_fail("%s", err.message);
	r = presets_install(model, voice, path, dir, name);
	bark_voice_unref(voice);
	if (r == -EEXIST)
		return options_fail("%s/%s is there already; 'barkctl voice remove %s' removes it",
				    dir, name, name);
	if (r)
		return options_fail("%s/%s: %s", dir, name, strerror(-r));
	printf("imported; 'barkctl say -v %s TEXT' speaks with it\n", name);
	fflush(stdout);
	return EXIT_OK;
}

/* name: NULL for the presets' own. */
static int voice_import(const char *model_dir, const char *path,
			const char *name)
{
	struct barkd_entries list = {0};
	struct bark_model *model;
	struct bark_error err;
	char *dir = NULL;
	int r, status;

	r = presets_find(&list, path);
	if (r)
		return options_fail("%s: %s", path, r == -ENOENT ?
				    "neither an .npz nor a .pth file nor three .npy files nor a folder with them"
				    : strerror(-r));
	if (name && list.n > 1)
		status = options_usage("voice", "%s holds %zu voices, which keep their names",
				       path, list.n);
	else if (bark_model_open(&model, model_dir, NULL, &err))
		status = options_fail("%s", err.message);
	else {
		status = voices_home(&dir);
		/* One that fails is told, and the others come in. */
		for (size_t i = 0; dir && i < list.n; i++) {
			r = import_one(model, list.items[i].path, dir,
				       name ? name : list.items[i].name);
			status = status ? status : r;
		}
		bark_model_unref(model);
	}
	free(dir);
	barkd_entries_clear(&list);
	return status;
}

static int voice_remove(const char *name)
{
	char *dir;
	int r, status = voices_home(&dir);

	if (status)
		return status;
	r = copy_name_ok(name) ? presets_remove(dir, name) : -ENOENT;
	if (r == -ENOENT)
		status = options_fail("no imported voice '%s'; a model's own voices go with the model",
				      name);
	else if (r)
		status = options_fail("%s/%s: %s", dir, name, strerror(-r));
	free(dir);
	return status;
}

/* name: NULL for the model that barkd uses. */
static int find_model(char **ret, const char *name)
{
	struct conf conf = {0};
	int r, status = name ? EXIT_OK : models_conf(&conf);

	if (status)
		return status;
	if (!name)
		name = conf.model.name ? conf.model.name : BARKD_DEFAULT_MODEL;
	r = barkd_model_find_here(ret, name);
	if (r)
		status = options_fail("no model '%s' (%s); see 'barkctl model list'",
				      name, strerror(-r));
	conf_clear(&conf);
	return status;
}

int cmd_voice(int argc, char **argv)
{
	const char *model = NULL, *verb;
	bool as_json = false, list, import;
	const struct option_def defs[] = {
		OPTION_STRING('m', "model", &model),
		OPTION_FLAG(0, "json", &as_json),
	};
	int first, n, status;
	char *dir;

	status = options_parse(argc, argv, defs, ARRAY_LEN(defs), &first);
	if (status)
		return status;
	n = argc - first;
	verb = n ? argv[first] : "";
	list = !strcmp(verb, "list") && n == 1;
	import = !strcmp(verb, "import") && (n == 2 || n == 3);
	if (as_json && !list)
		return options_usage(argv[0], "--json goes with list");
	if (!strcmp(verb, "remove") && n == 2)
		return voice_remove(argv[first + 1]);
	if (!list && !import)
		return options_usage(argv[0],
				     "voice takes 'list', 'import PATH [NAME]' or 'remove NAME'");
	status = find_model(&dir, model);
	if (status)
		return status;
	if (list)
		status = voice_list(dir, as_json);
	else
		status = voice_import(dir, argv[first + 1],
				      n == 3 ? argv[first + 2] : NULL);
	free(dir);
	return status;
}
