/* SPDX-License-Identifier: MIT */
/*
 * sd_barkd: Speech Dispatcher's output module. Its protocol on stdin and
 * stdout, barkd's API on the other side, one thread, one poll(). Nothing of
 * a text is printed but the names of its marks.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "speech.h"

#define BODY_MAX (1024 * 1024)
/* A hung barkd must not keep Speech Dispatcher, which asks at its start. */
#define PATIENCE_MS 1000
#define LOG_COMMANDS 4 /* from this log level on */

enum body { BODY_NONE, BODY_AUDIO, BODY_LOGLEVEL, BODY_SET, BODY_SPEAK,
	    BODY_CHAR, BODY_KEY, BODY_ICON };

struct module {
	struct settings settings;
	struct barkd_client *client;
	struct speech speech;
	char *in; /* read, not yet taken */
	size_t n_in, cap_in;
	enum body expects; /* whose body the lines are */
	char *body;
	size_t n_body;
	bool too_long, server_audio, quit;
	char *voices; /* barkd's last list of them */
	FILE *debug;  /* or NULL */
	int log_level;
};

static void list_voices(struct module *m)
{
	json_t *voices, *v;
	char *text = NULL;
	size_t i;

	/* An empty list would be an error, and the server would end us: where
	 * barkd is away or hangs there are those it had before, or one voice,
	 * whatever it will be. */
	if (barkd_client_get(m->client, "/v1/voices", &text) == 0) {
		free(m->voices);
		m->voices = text;
		types_read(&m->settings.types, text);
	}
	voices = m->voices ? json_loads(m->voices, 0, NULL) : NULL;
	json_array_foreach(voices, i, v) {
		const char *name =
			json_string_value(json_object_get(v, "name"));
		const char *lang =
			json_string_value(json_object_get(v, "language"));

		if (name && !strpbrk(name, "\t\r\n"))
			printf("200-%s\t%s\tnone\n", name,
			       lang ? lang : "en");
	}
	if (!json_array_size(voices))
		puts("200-default\ten\tnone");
	puts("200 OK VOICE LIST SENT");
	json_decref(voices);
}

/* Calls take for each KEY=VALUE of the body; other lines say nothing. */
static void each_setting(struct module *m,
			 void (*take)(struct module *m, const char *key,
				      const char *value))
{
	char *save, *line;

	for (line = strtok_r(m->body, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *value = strchr(line, '=');

		if (!value)
			continue;
		*value++ = 0;
		take(m, line, value);
	}
}

static void take_setting(struct module *m, const char *key, const char *value)
{
	settings_set(&m->settings, key, value);
}

static void take_audio(struct module *m, const char *key, const char *value)
{
	if (strcmp(key, "audio_output_method") == 0)
		m->server_audio = strcmp(value, "server") == 0;
}

static void take_level(struct module *m, const char *key, const char *value)
{
	if (strcmp(key, "log_level") == 0)
		m->log_level = atoi(value);
}

/* What is asked, never what is said. */
static void debug(struct module *m, const char *what)
{
	if (m->log_level >= LOG_COMMANDS)
		fprintf(stderr, "sd_barkd: %s\n", what);
	if (!m->debug)
		return;
	fprintf(m->debug, "%s\n", what);
	fflush(m->debug);
}

/* "DEBUG ON file", as the server sends it with a space behind. */
static void debug_on(struct module *m, char *path)
{
	size_t n = strlen(path);

	while (n && path[n - 1] == ' ')
		path[--n] = 0;
	if (m->debug)
		fclose(m->debug);
	m->debug = fopen(path, "ae");
	puts(m->debug ? "200 OK DEBUGGING ON" : "303 CANT OPEN LOGFILE");
}

static void speak(struct module *m)
{
	const struct text_style *style = &m->settings.style;
	const char *language = m->settings.language;
	struct text text;
	int r;

	if (m->too_long) {
		puts("301 ERROR CANT SPEAK");
		return;
	}
	if (m->expects != BODY_SPEAK && strchr(m->body, '\n')) {
		puts("305 DATA MORE THAN ONE LINE");
		return;
	}
	if (m->expects == BODY_CHAR)
		r = text_character(&text, m->body, style);
	else if (m->expects == BODY_SPEAK)
		r = text_parse(&text, m->body, style,
			       *language ? language : NULL);
	else
		r = text_key(&text, m->body, style);
	if (r < 0) {
		puts("301 ERROR CANT SPEAK");
		return;
	}
	/* An older message ends before this one is taken. */
	speech_stop(&m->speech);
	puts("200 OK SPEAKING");
	/* Screen readers echo keys by SPEAK too. */
	speech_start(&m->speech, &text, &m->settings,
		     m->expects != BODY_SPEAK || text_is_short(&text));
}

static void body_ends(struct module *m)
{
	switch (m->expects) {
	case BODY_SET:
		each_setting(m, take_setting);
		puts("203 OK SETTINGS RECEIVED");
		break;
	case BODY_AUDIO:
		m->server_audio = false;
		each_setting(m, take_audio);
		/* barkd has its own sink, and the server asks again without
		 * its own, unless the user wants that. */
		m->speech.served = m->server_audio && m->settings.served;
		puts(m->server_audio && !m->settings.served
			     ? "300-barkd plays by itself\n"
			       "300 MODULE ERROR"
			     : "203 OK AUDIO INITIALIZED");
		break;
	case BODY_LOGLEVEL:
		each_setting(m, take_level);
		puts("203 OK LOGLEVEL SET");
		break;
	default:
		speak(m);
		break;
	}
	m->expects = BODY_NONE;
}

static void body_line(struct module *m, const char *line, size_t n)
{
	char *p;

	if (n == 1 && *line == '.') {
		body_ends(m);
		return;
	}
	if (n > 1 && line[0] == '.' && line[1] == '.') {
		line++;
		n--;
	}
	p = m->too_long || m->n_body + n + 2 > BODY_MAX
		    ? NULL
		    : realloc(m->body, m->n_body + n + 2);
	if (!p) {
		m->too_long = true;
		return;
	}
	m->body = p;
	if (m->n_body)
		p[m->n_body++] = '\n';
	memcpy(p + m->n_body, line, n);
	m->n_body += n;
	p[m->n_body] = 0;
}

static void command(struct module *m, char *line)
{
	static const struct {
		const char *name, *answer;
		enum body body;
	} bodies[] = {
		{"AUDIO", "207 OK RECEIVING AUDIO SETTINGS", BODY_AUDIO},
		{"LOGLEVEL", "207 OK RECEIVING LOGLEVEL SETTINGS",
		 BODY_LOGLEVEL},
		{"SET", "203 OK RECEIVING SETTINGS", BODY_SET},
		{"SPEAK", "202 OK RECEIVING MESSAGE", BODY_SPEAK},
		{"CHAR", "202 OK RECEIVING MESSAGE", BODY_CHAR},
		{"KEY", "202 OK RECEIVING MESSAGE", BODY_KEY},
		{"SOUND_ICON", "202 OK RECEIVING MESSAGE", BODY_ICON},
	};

	debug(m, line);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		if (strcmp(line, bodies[i].name))
			continue;
		m->expects = bodies[i].body;
		m->n_body = 0;
		m->body[0] = 0;
		m->too_long = false;
		puts(bodies[i].answer);
		return;
	}
	if (strcmp(line, "INIT") == 0) {
		puts("299-barkd is asked when there is something to say\n"
		     "299 OK LOADED SUCCESSFULLY");
	} else if (strncmp(line, "LIST VOICES", 11) == 0) {
		list_voices(m);
	} else if (strcmp(line, "STOP") == 0) {
		speech_stop(&m->speech);
	} else if (strcmp(line, "PAUSE") == 0) {
		speech_pause(&m->speech);
	} else if (strncmp(line, "DEBUG ON ", 9) == 0) {
		debug_on(m, line + 9);
	} else if (strncmp(line, "DEBUG OFF", 9) == 0) {
		if (m->debug)
			fclose(m->debug);
		m->debug = NULL;
		puts("200 OK DEBUGGING OFF");
	} else if (strcmp(line, "QUIT") == 0) {
		speech_stop(&m->speech);
		puts("210 OK QUIT");
		m->quit = true;
	} else {
		puts("300 ERR UNKNOWN COMMAND");
	}
}

static void take_lines(struct module *m)
{
	char *p = m->in, *nl;
	size_t left = m->n_in;

	while (!m->quit && (nl = memchr(p, '\n', left))) {
		size_t n = (size_t)(nl - p);

		*nl = 0;
		/* A NUL would hide the rest of a line. */
		if (m->expects)
			body_line(m, p, strlen(p));
		else
			command(m, p);
		p = nl + 1;
		left -= n + 1;
	}
	memmove(m->in, p, left);
	m->n_in = left;
}

/* 0: the server has gone. */
static ssize_t fill_in(struct module *m)
{
	ssize_t n;

	if (m->cap_in - m->n_in < 4096) {
		char *p = m->cap_in > 2 * BODY_MAX
				  ? NULL
				  : realloc(m->in, m->cap_in + 65536);

		/* A line without an end says nothing. */
		if (!p)
			return -ENOMEM;
		m->in = p;
		m->cap_in += 65536;
	}
	n = read(STDIN_FILENO, m->in + m->n_in, m->cap_in - m->n_in);
	if (n > 0)
		m->n_in += (size_t)n;
	return n < 0 ? -errno : n;
}

static int loop(struct module *m)
{
	struct pollfd fds[1 + SPEECH_FDS];

	while (!m->quit) {
		fds[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
		speech_poll(&m->speech, fds + 1);
		if (poll(fds, 1 + SPEECH_FDS,
			 speech_timeout(&m->speech)) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		/* Commands first: a stop overtakes the end it would meet. */
		if (fds[0].revents) {
			ssize_t n = fill_in(m);

			if (n == 0)
				return 0;
			if (n < 0 && n != -EINTR)
				return (int)n;
			take_lines(m);
		} else {
			speech_step(&m->speech, fds + 1);
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct module m = {.body = calloc(1, 1)};
	int r = m.body ? 0 : -ENOMEM;

	/* Each line is for the server at once. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	settings_init(&m.settings);
	if (argc > 1)
		settings_read(&m.settings, argv[1]);
	if (r == 0)
		r = barkd_client_new(&m.client, *m.settings.socket
							? m.settings.socket
							: NULL);
	if (r == 0) {
		barkd_client_set_timeout(m.client, PATIENCE_MS);
		speech_init(&m.speech, m.client);
		r = loop(&m);
		speech_stop(&m.speech);
	}
	if (r < 0)
		fprintf(stderr, "sd_barkd: %s\n", strerror(-r));
	barkd_client_free(m.client);
	if (m.debug)
		fclose(m.debug);
	types_clear(&m.settings.types);
	free(m.voices);
	free(m.in);
	free(m.body);
	return r < 0;
}
