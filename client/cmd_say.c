/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "barkd-client.h"
#include "commands.h"
#include "options.h"

#define POLL_MS 250

static const char *const priorities[] = {"important", "message", "text",
					 "notification", "progress", NULL};

/*
 * On a terminal: says that the model is being loaded. A thread of its own,
 * since with --wait the request itself blocks meanwhile.
 */
struct progress {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool running, done;
	char *error; /* why the model cannot be loaded; owned */
};

/* Whether the model is being loaded; *ret_error is set when it cannot be. */
static bool loading(struct barkd_client *client, char **ret_error)
{
	char *text;
	const char *state, *why;
	bool is_loading;
	json_t *root;

	if (barkd_client_get(client, "/v1/status", &text))
		return false;
	root = json_loads(text, 0, NULL);
	free(text);
	state = json_string_value(json_object_get(root, "state"));
	is_loading = state && !strcmp(state, "loading");
	if (state && !strcmp(state, "failed")) {
		why = json_string_value(json_object_get(root, "error"));
		free(*ret_error);
		*ret_error = strdup(why ? why : "the model is not available");
	}
	json_decref(root);
	return is_loading;
}

/* Returns true when the request has been answered meanwhile. */
static bool progress_pause(struct progress *p)
{
	struct timespec until;
	bool done;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += POLL_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	pthread_mutex_lock(&p->lock);
	while (!p->done &&
	       pthread_cond_timedwait(&p->cond, &p->lock, &until) != ETIMEDOUT)
		;
	done = p->done;
	pthread_mutex_unlock(&p->lock);
	return done;
}

static void *progress_main(void *arg)
{
	struct progress *p = arg;
	struct barkd_client *client;
	unsigned ticks = 0;

	if (barkd_client_new(&client, NULL))
		return NULL;
	/* The first look comes late: a warm daemon shows nothing at all. */
	while (!progress_pause(p) && loading(client, &p->error)) {
		ticks++;
		fprintf(stderr, "\rbarkd loads the model, %u s ...",
			ticks * POLL_MS / 1000);
	}
	if (ticks)
		fprintf(stderr, "\r\033[K");
	barkd_client_free(client);
	return NULL;
}

static void progress_start(struct progress *p)
{
	pthread_condattr_t attr;

	if (!isatty(STDERR_FILENO))
		return;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->cond, &attr);
	pthread_condattr_destroy(&attr);
	p->running = !pthread_create(&p->thread, NULL, progress_main, p);
}

/* answered: the speech is over; else stays while the model is loaded. */
static void progress_finish(struct progress *p, bool answered)
{
	if (!p->running)
		return;
	pthread_mutex_lock(&p->lock);
	p->done = answered;
	pthread_cond_signal(&p->cond);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	pthread_cond_destroy(&p->cond);
	pthread_mutex_destroy(&p->lock);
}

static int say(const struct barkd_say *what)
{
	struct barkd_client *client;
	struct progress progress = {0};
	int r, status = EXIT_OK;

	r = barkd_client_new(&client, NULL);
	if (r)
		return options_fail("%s", strerror(-r));
	progress_start(&progress);
	r = barkd_client_say(client, what, NULL);
	progress_finish(&progress, r || what->wait);
	if (r)
		status = options_fail("%s", barkd_client_message(client));
	else if (progress.error)
		status = options_fail("%s; see 'barkctl status'",
				      progress.error);
	free(progress.error);
	barkd_client_free(client);
	return status;
}

int cmd_say(int argc, char **argv)
{
	struct barkd_say what = {0};
	uint64_t seed = 0;
	int priority = BARKD_PRIORITY_TEXT, first, status;
	const struct option_def defs[] = {
		OPTION_STRING('v', "voice", &what.voice),
		OPTION_STRING('l', "language", &what.language),
		OPTION_DOUBLE(0, "rate", &what.rate, 0.25, 6),
		OPTION_DOUBLE(0, "volume", &what.volume, 0, 4),
		OPTION_DOUBLE(0, "pitch", &what.pitch, 0.25, 4),
		OPTION_CHOICE(0, "priority", &priority, &what.has_priority,
			      priorities),
		OPTION_U64(0, "seed", &seed, &what.has_seed, 0, INT64_MAX),
		OPTION_FLAG(0, "wait", &what.wait),
	};
	size_t len;
	char *text;

	status = options_parse(argc, argv, defs, ARRAY_LEN(defs), &first);
	if (status)
		return status;
	status = options_text(&text, &len, argv[0], argc - first, argv + first,
			      false);
	if (status)
		return status;
	if (strlen(text) != len) {
		free(text);
		return options_fail("the text contains a NUL byte");
	}
	what.text = text;
	what.priority = (enum barkd_priority)priority;
	what.seed = seed;
	status = say(&what);
	free(text);
	return status;
}
