/* SPDX-License-Identifier: MIT */
/* barkctl notify: when barkd-notify is to be silent. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "options.h"
#include "notify_pause.h"

static int set(int64_t until, bool lasting)
{
	int r = pause_write(until, lasting);

	return r < 0 ? options_fail("cannot write the pause: %s",
				    r == -ENOENT ? "XDG_RUNTIME_DIR is not set"
						 : strerror(-r))
		     : EXIT_OK;
}

static int show(bool as_json)
{
	int64_t until = pause_read(), now = time(NULL);
	bool paused = until > now;
	time_t t = (time_t)until;
	char text[64];
	struct tm tm;

	if (as_json) {
		if (!paused || until == PAUSE_FOREVER)
			printf("{\"paused\":%s,\"until\":null}\n",
			       paused ? "true" : "false");
		else
			printf("{\"paused\":true,\"until\":%lld}\n",
			       (long long)until);
	} else if (!paused) {
		puts("notifications are spoken");
	} else if (until == PAUSE_FOREVER || !localtime_r(&t, &tm) ||
		   !strftime(text, sizeof(text), "%F %H:%M", &tm)) {
		puts("notifications are not spoken until barkctl notify resume");
	} else {
		printf("notifications are not spoken until %s\n", text);
	}
	return EXIT_OK;
}

int cmd_notify(int argc, char **argv)
{
	bool as_json = false;
	const struct option_def defs[] = {
		OPTION_FLAG(0, "json", &as_json),
	};
	const char *verb, *text;
	int first, status;
	int64_t until;

	status = options_parse(argc, argv, defs, ARRAY_LEN(defs), &first);
	if (status)
		return status;
	argc -= first;
	argv += first;
	verb = argc > 0 ? argv[0] : "";
	if (strcmp(verb, "status") == 0 && argc == 1)
		return show(as_json);
	if (as_json)
		return options_usage("notify", "--json is for status");
	if (strcmp(verb, "resume") == 0 && argc == 1)
		return set(0, false);
	if (strcmp(verb, "pause") != 0)
		return options_usage("notify", "pause, resume or status?");
	if (argc == 1)
		return set(PAUSE_FOREVER, false);
	/* "pause until 18:00" is what one would say. */
	if (argc == 3 && strcmp(argv[1], "until") == 0) {
		argv++;
		argc--;
	}
	text = argv[1];
	if (argc != 2 || pause_parse(text, time(NULL), &until) < 0)
		return options_usage("notify", "'%s' is no time: 30m, 1h, 18:00",
				     text);
	/* "1h", but neither "18:00" nor "on". */
	return set(until, text[0] >= '0' && text[0] <= '9' &&
				  !strchr(text, ':'));
}
