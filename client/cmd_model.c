/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bark.h"
#include "cmd_fetch.h"
#include "commands.h"
#include "copy.h"
#include "find.h"
#include "model.h"
#include "models.h"
#include "options.h"
#include "stage.h"
#include "style.h"

/* What its line in the list ends with. */
static void print_kind(const char *dir)
{
	if (models_quantized(dir))
		printf(" (%s)", models_precision(bark_saved_precision(dir)));
}

/* Which one barkd uses: a name, or a folder. */
static char *default_model(void)
{
	struct conf conf;
	char *name = NULL;

	if (!models_conf(&conf)) {
		name = conf.model.name;
		conf.model.name = NULL;
		conf_clear(&conf);
	}
	return name;
}

/* barkd.ini may name a model's folder, or it as a hub does. */
static bool is_default(const char *standard, const char *path)
{
	char *found;
	bool is = false;

	if (standard && !barkd_model_find(&found, standard)) {
		char *a = realpath(found, NULL), *b = realpath(path, NULL);

		is = a && b && !strcmp(a, b);
		free(a);
		free(b);
		free(found);
	}
	return is;
}

static json_t *entry_json(const struct barkd_entry *e, bool is)
{
	const bool small = models_quantized(e->path);

	return json_pack("{s:s,s:s,s:s*,s:b}", "name", e->name, "path",
			 e->path, "precision",
			 small ? models_precision(bark_saved_precision(e->path))
			       : NULL,
			 "default", is);
}

static int model_list(bool as_json)
{
	struct barkd_entries models = {0};
	json_t *list = json_array();
	char *standard = default_model();
	int r = barkd_models_list(&models);

	if (r) {
		json_decref(list);
		free(standard);
		return options_fail("models cannot be listed: %s",
				    strerror(-r));
	}
	for (size_t i = 0; i < models.n; i++) {
		const struct barkd_entry *e = &models.items[i];
		const bool is = is_default(standard, e->path);

		if (as_json) {
			json_array_append_new(list, entry_json(e, is));
			continue;
		}
		printf("%s%-20s%s %s", is ? style_on(stdout, STYLE_BOLD) : "",
		       e->name, is ? style_off(stdout) : "", e->path);
		print_kind(e->path);
		printf("%s\n", is ? " (default)" : "");
	}
	barkd_entries_clear(&models);
	free(standard);
	return as_json ? options_print_json(list) :
			 (json_decref(list), EXIT_OK);
}

static int model_verify(const char *name, bool as_json)
{
	char *path;
	int r, status;

	r = barkd_model_find_here(&path, name);
	if (r)
		return options_fail("no model '%s' (%s); see 'barkctl model list'",
				    name, strerror(-r));
	status = models_check(path, NULL, true,
			      as_json ? models_report_json : models_report);
	free(path);
	return status;
}

static int copy_in(const char *from, const char *vocab, const char *name)
{
	char *dir;
	int r, status = models_home(&dir);

	if (status)
		return status;
	r = copy_model(from, vocab, dir, name);
	if (r == -EEXIST)
		status = options_fail("%s/%s is there already; 'barkctl model remove' removes it",
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
	r = copy_around_weights(from, model->own_config, dir, name, save_into,
				&s);
	if (r == -EEXIST)
		status = options_fail("%s/%s is there already; 'barkctl model remove' removes it",
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
	size_t n_own;
	const char *own = barkd_model_name(dir, &n_own);
	char *name;
	int status;

	if (models_quantized(dir))
		return options_fail("%s is quantized already", dir);
	if (asprintf(&name, "%.*s-%s", (int)n_own, own,
		     models_precision(precision)) < 0)
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

	r = barkd_model_find_here(&path, name);
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
	size_t n;
	int status;

	if (!full)
		return options_fail("%s: %s", from, strerror(errno));
	/* It ends where the path does: no slash is behind a real path. */
	if (!name)
		name = barkd_model_name(full, &n);
	if (copy_name_ok(name))
		status = models_check(full, vocab, false, models_report);
	else
		status = options_fail("'%s' cannot be a model's name (letters, digits, '.', '_', '-'); give one with --name",
				      name);
	if (!status)
		status = copy_in(full, vocab, name);
	free(full);
	return status;
}

/* --- remove --- */

/* Asks on a terminal; no terminal is a no. */
static bool agrees(const char *name, const char *path)
{
	char answer[16];

	if (!isatty(STDIN_FILENO))
		return false;
	fprintf(stderr, "Remove the model %s (%s)? [y/N] ", name, path);
	return fgets(answer, sizeof(answer), stdin) &&
	       (answer[0] == 'y' || answer[0] == 'Y');
}

/* It is gone at once for all others, and then its bytes go. */
static int remove_from(const char *home, const char *name)
{
	char hidden[NAME_MAX + 1];
	struct stat st;
	int dir, r = 0;

	dir = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	snprintf(hidden, sizeof(hidden), ".remove-%.64s.%ld", name,
		 (long)getpid());
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	else if (S_ISLNK(st.st_mode))
		r = unlinkat(dir, name, 0) < 0 ? -errno : 0;
	else if (renameat(dir, name, dir, hidden) < 0)
		r = -errno;
	else
		r = copy_remove_folder(dir, hidden);
	close(dir);
	return r;
}

/* What an interrupted fetch has left under this name. */
static int remove_leftovers(const char *home, const char *name)
{
	int r = stage_remove(home, name);

	switch (r) {
	case 0:
		return EXIT_OK;
	case -ENOENT:
		return options_fail("no model '%s' in %s; only models that were imported or fetched are removed",
				    name, home);
	case -EBUSY:
		return options_fail("%s is being fetched; end that first",
				    name);
	default:
		return options_fail("%s: %s", name, strerror(-r));
	}
}

static int remove_installed(const char *home, const char *name,
			    const char *path, bool yes)
{
	char *standard = default_model();
	const bool is_used = is_default(standard, path);
	int r;

	free(standard);
	if (is_used)
		return options_fail("%s is the model that barkd uses; set another 'name' under [model] in barkd.ini first",
				    name);
	if (!yes && !agrees(name, path))
		return options_fail("%s was not removed; without a question: --yes",
				    name);
	r = remove_from(home, name);
	return r < 0 ? options_fail("%s: %s", path, strerror(-r)) : EXIT_OK;
}

static int model_remove(const char *name, bool yes)
{
	char *home, *path;
	int status;

	if (!copy_name_ok(name))
		return options_fail("no model '%s' to remove; see 'barkctl model list'",
				    name);
	status = models_home(&home);
	if (status)
		return status;
	if (asprintf(&path, "%s/%s", home, name) < 0) {
		status = options_fail("out of memory");
	} else {
		status = access(path, F_OK) ?
				 remove_leftovers(home, name) :
				 remove_installed(home, name, path, yes);
		free(path);
	}
	free(home);
	return status;
}

/* --- the command --- */

struct model_options {
	const char *vocab, *name;
	int to;
	bool json, yes;
};

static int run_verb(const char *verb, int n, char **words,
		    const struct model_options *o)
{
	static const enum bark_precision precisions[] = {
		BARK_PRECISION_INT8, BARK_PRECISION_Q4,
	};

	if (!strcmp(verb, "list") && n == 0)
		return model_list(o->json);
	if (!strcmp(verb, "verify") && n == 1)
		return model_verify(words[0], o->json);
	if (!strcmp(verb, "import") && n == 1)
		return model_import(words[0], o->vocab, o->name);
	if (!strcmp(verb, "quantize") && n == 1)
		return model_quantize(words[0], precisions[o->to]);
	if (!strcmp(verb, "remove") && n == 1)
		return model_remove(words[0], o->yes);
	return options_usage("model",
			     "model takes 'list', 'fetch REPO', 'import PATH', 'verify NAME', 'quantize NAME' or 'remove NAME'");
}

int cmd_model(int argc, char **argv)
{
	static const char *const names[] = {"int8", "q4", NULL};
	struct model_options o = {.to = -1};
	const struct option_def defs[] = {
		OPTION_STRING(0, "name", &o.name),
		OPTION_STRING(0, "vocab", &o.vocab),
		OPTION_CHOICE(0, "to", &o.to, NULL, names),
		OPTION_FLAG(0, "json", &o.json),
		OPTION_FLAG('y', "yes", &o.yes),
	};
	const char *verb;
	int first, status;

	if (argc > 1 && !strcmp(argv[1], "fetch")) {
		argv[1] = argv[0];
		return cmd_model_fetch(argc - 1, argv + 1);
	}
	status = options_parse(argc, argv, defs, ARRAY_LEN(defs), &first);
	if (status)
		return status;
	verb = first < argc ? argv[first] : "";
	if ((o.vocab || o.name) && strcmp(verb, "import"))
		return options_usage(argv[0],
				     "--vocab and --name go with import");
	if ((o.to >= 0) != !strcmp(verb, "quantize"))
		return options_usage(argv[0], "--to int8 or --to q4 goes with quantize");
	if (o.json && strcmp(verb, "list") && strcmp(verb, "verify"))
		return options_usage(argv[0], "--json goes with list, verify and fetch");
	if (o.yes && strcmp(verb, "remove"))
		return options_usage(argv[0], "--yes goes with remove");
	return run_verb(verb, *verb ? argc - first - 1 : 0, argv + first + 1,
			&o);
}
