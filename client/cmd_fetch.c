/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd_fetch.h"
#include "commands.h"
#include "copy.h"
#include "fetch.h"
#include "models.h"
#include "options.h"

/* An empty variable counts as none. */
static const char *env(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : NULL;
}

/* Which hub: the nearest that says so. */
static int find_base(char **ret, const char *given)
{
	struct conf conf;
	int status;

	if (!given)
		given = env("BARKD_HUB");
	if (!given) {
		status = models_conf(&conf);
		if (status)
			return status;
		*ret = conf.fetch.base;
		conf.fetch.base = NULL;
		conf_clear(&conf);
		if (*ret)
			return EXIT_OK;
		given = env("HF_ENDPOINT");
	}
	if (!given)
		return options_fail("which hub? give its address with --base URL or $BARKD_HUB, or set 'base = URL' under [fetch] in barkd.ini");
	*ret = strdup(given);
	return *ret ? EXIT_OK : options_fail("out of memory");
}

static void tell(const struct fetch_options *o, struct progress *p)
{
	if (p->mode == PROGRESS_JSON)
		printf("{\"event\":\"installed\",\"name\":\"%s\"}\n", o->name);
	else if (p->mode != PROGRESS_QUIET)
		printf("fetched as '%s'; try 'barkctl render -m %s -o hello.wav Hello.'; 'name = %s' under [model] in barkd.ini makes barkd use it\n",
		       o->name, o->name, o->name);
}

/* Splits REPO@REV in place and fills in what was not given. */
static int complete(struct fetch_options *o, char *repo)
{
	char *at = strchr(repo, '@');

	if (at)
		*at++ = '\0';
	o->repo = repo;
	o->rev = at ? at : "main";
	if (!fetch_repo_ok(repo))
		return options_usage("model", "'%s' is not a repository as in suno/bark-small",
				     repo);
	if (!fetch_rev_ok(o->rev))
		return options_usage("model", "'%s' cannot be a revision",
				     o->rev);
	if (!o->name)
		o->name = strchr(repo, '/') + 1;
	if (!copy_name_ok(o->name))
		return options_usage("model", "'%s' cannot be a model's name (letters, digits, '.', '_', '-'); give one with --name",
				     o->name);
	return EXIT_OK;
}

/* A bar stands on the line, and who interrupts wants to know what is lost. */
static void on_interrupt(int sig)
{
	static const char text[] =
		"\nbarkctl: interrupted; the same command goes on where it ended\n";
	ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)n;
	signal(sig, SIG_DFL);
	raise(sig);
}

int cmd_model_fetch(int argc, char **argv)
{
	struct fetch_options o = {
		.voices = "*", .token = env("HF_TOKEN"),
		.ca = env("CURL_CA_BUNDLE"),
	};
	struct progress p = {.mode = progress_default_mode()};
	uint64_t tries = 5, timeout_s = 30;
	const char *given = NULL;
	bool quiet = false, json = false;
	const struct option_def defs[] = {
		OPTION_STRING(0, "base", &given),
		OPTION_STRING(0, "name", &o.name),
		OPTION_STRING(0, "vocab", &o.vocab),
		OPTION_STRING(0, "voices", &o.voices),
		OPTION_U64(0, "tries", &tries, NULL, 1, 1000),
		OPTION_U64(0, "timeout", &timeout_s, NULL, 1, 3600),
		OPTION_FLAG('q', "quiet", &quiet),
		OPTION_FLAG(0, "json", &json),
	};
	char *repo, *base = NULL;
	int first, status;

	/* As curl(1) has it. */
	if (!o.ca)
		o.ca = env("SSL_CERT_FILE");
	status = options_parse(argc, argv, defs, ARRAY_LEN(defs), &first);
	if (status)
		return status;
	if (argc - first != 1)
		return options_usage("model", "model fetch takes REPO or REPO@REVISION");
	repo = strdup(argv[first]);
	if (!repo)
		return options_fail("out of memory");
	o.tries = (unsigned)tries;
	o.timeout_s = (unsigned)timeout_s;
	if (quiet)
		p.mode = PROGRESS_QUIET;
	if (json)
		p.mode = PROGRESS_JSON;
	status = complete(&o, repo);
	if (!status)
		status = find_base(&base, given);
	if (!status) {
		o.base = base;
		/* A limit on a file's size is a full disk like any other. */
		signal(SIGXFSZ, SIG_IGN);
		signal(SIGINT, on_interrupt);
		status = fetch_model(&o, &p);
	}
	if (!status)
		tell(&o, &p);
	free(base);
	free(repo);
	return status;
}
