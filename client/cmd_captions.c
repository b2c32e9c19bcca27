/* SPDX-License-Identifier: MIT */
/* barkctl captions: what is being heard as a text file, for programs that show
 * one, such as OBS where it has no browser source. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "barkd-client.h"
#include "commands.h"
#include "options.h"

#define AGAIN_S 1       /* between attempts to reach barkd */
#define LINE_MAX_BYTES (256 * 1024) /* of an event */
#define WHOLE_MAX 200   /* bytes that are shown before a sentence is known */

struct captions {
	const char *path;
	char *new_path;
	time_t written;  /* the file's time */
	char *text;      /* what is being spoken, or NULL */
	json_int_t id;
	char *shown;     /* what the file is to have */
	bool changed;
	char event[32], line[LINE_MAX_BYTES];
	size_t n_line;
};

/* --- the file --- */

/* OBS looks at the second of the time alone: each version gets one of its own. */
static int stamp(struct captions *c, int fd)
{
	time_t now = time(NULL);
	struct timespec times[2] = {0};

	c->written = now > c->written ? now : c->written + 1;
	times[0].tv_sec = times[1].tv_sec = c->written;
	return futimens(fd, times) < 0 ? -errno : 0;
}

/* Readers see the old version or the new one, whole. */
static int write_file(struct captions *c)
{
	const char *text = c->shown ? c->shown : "";
	int fd = open(c->new_path,
		      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		      0600);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	int r = 0;

	if (!f) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	if (fputs(text, f) == EOF || fflush(f) == EOF)
		r = -errno;
	if (r == 0)
		r = stamp(c, fd);
	if (fclose(f) == EOF && r == 0)
		r = -errno;
	if (r == 0 && rename(c->new_path, c->path) < 0)
		r = -errno;
	if (r < 0)
		unlink(c->new_path);
	c->changed = false;
	return r;
}

/* n bytes, without the white space around them. */
static void show(struct captions *c, const char *text, size_t n)
{
	while (n && strchr(" \t\r\n", *text)) {
		text++;
		n--;
	}
	while (n && strchr(" \t\r\n", text[n - 1]))
		n--;
	free(c->shown);
	c->shown = n ? strndup(text, n) : NULL;
	c->changed = true;
}

/* --- events --- */

static void on_begin(struct captions *c, json_t *data)
{
	const char *text =
		json_string_value(json_object_get(data, "text"));

	free(c->text);
	c->text = text ? strdup(text) : NULL;
	c->id = json_integer_value(json_object_get(data, "id"));
	if (c->text && strlen(c->text) <= WHOLE_MAX)
		show(c, c->text, strlen(c->text));
}

static void on_sentence(struct captions *c, json_t *data)
{
	json_int_t begin = json_integer_value(json_object_get(data, "begin"));
	json_int_t end = json_integer_value(json_object_get(data, "end"));
	json_int_t n = c->text ? (json_int_t)strlen(c->text) : 0;

	if (c->id == json_integer_value(json_object_get(data, "id")) &&
	    begin >= 0 && begin < end && end <= n)
		show(c, c->text + begin, (size_t)(end - begin));
}

static void on_end(struct captions *c)
{
	free(c->text);
	c->text = NULL;
	show(c, "", 0);
}

static void take_line(struct captions *c)
{
	json_t *data;

	if (strncmp(c->line, "event: ", 7) == 0)
		snprintf(c->event, sizeof(c->event), "%s", c->line + 7);
	if (strncmp(c->line, "data: ", 6) != 0)
		return;
	data = json_loads(c->line + 6, 0, NULL);
	if (strcmp(c->event, "begin") == 0)
		on_begin(c, data);
	else if (strcmp(c->event, "sentence") == 0)
		on_sentence(c, data);
	else if (strcmp(c->event, "end") == 0 && c->text &&
		 json_integer_value(json_object_get(data, "id")) == c->id)
		on_end(c);
	json_decref(data);
}

/* A line that is too long is an event of no use here. */
static void take(struct captions *c, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != '\n') {
			if (c->n_line < sizeof(c->line) - 1)
				c->line[c->n_line++] = p[i];
			continue;
		}
		c->line[c->n_line] = '\0';
		c->n_line = 0;
		take_line(c);
	}
}

/* --- the loop --- */

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	ended = 1;
}

/* Signals come in ppoll() alone, so that none is missed. */
static void catch_signals(sigset_t *ret_waiting)
{
	const struct sigaction action = {.sa_handler = on_signal};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, ret_waiting);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigdelset(ret_waiting, SIGINT);
	sigdelset(ret_waiting, SIGTERM);
	sigdelset(ret_waiting, SIGHUP);
}

/* Until barkd or the file fails, or somebody ends it. 0: barkd has gone. */
static int follow(struct captions *c, struct barkd_stream *s,
		  const sigset_t *waiting)
{
	char buf[4096];

	for (;;) {
		struct pollfd p = {barkd_stream_fd(s), POLLIN, 0};
		ssize_t n = barkd_stream_read(s, buf, sizeof(buf));

		if (n > 0) {
			take(c, buf, (size_t)n);
			continue;
		}
		if (n != -EAGAIN)
			return 0;
		/* All that came together is one change. */
		if (c->changed) {
			int r = write_file(c);

			if (r < 0)
				return r;
		}
		ppoll(&p, 1, NULL, waiting);
		if (ended)
			return 0;
	}
}

static int run(struct captions *c, struct barkd_client *client)
{
	const struct timespec again = {.tv_sec = AGAIN_S};
	bool told = false;
	sigset_t waiting;
	int r = write_file(c);

	catch_signals(&waiting);
	while (r == 0 && !ended) {
		struct barkd_stream *s;

		if (barkd_client_events_start(client, &s) == 0) {
			c->n_line = 0;
			r = follow(c, s, &waiting);
			told = false;
			barkd_stream_free(s);
		} else if (!told) {
			fprintf(stderr, "barkctl: %s; waiting for it\n",
				barkd_client_message(client));
			told = true;
		}
		on_end(c);
		if (r == 0)
			r = write_file(c);
		if (r == 0 && !ended)
			ppoll(NULL, 0, &again, &waiting);
	}
	return r;
}

int cmd_captions(int argc, char **argv)
{
	struct captions *c;
	struct barkd_client *client = NULL;
	int first, r, status = options_parse(argc, argv, NULL, 0, &first);

	if (status)
		return status;
	if (argc - first != 1 || !*argv[first])
		return options_usage("captions", "into which file?");
	c = calloc(1, sizeof(*c));
	r = c ? barkd_client_new(&client, NULL) : -ENOMEM;
	if (r == 0) {
		c->path = argv[first];
		r = asprintf(&c->new_path, "%s.new", c->path) < 0 ? -ENOMEM : 0;
	}
	if (r == 0)
		r = run(c, client);
	barkd_client_free(client);
	if (c) {
		free(c->new_path);
		free(c->text);
		free(c->shown);
	}
	free(c);
	return r < 0 ? options_fail("cannot write %s: %s", argv[first],
				    strerror(-r))
		     : EXIT_OK;
}
