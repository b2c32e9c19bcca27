/* SPDX-License-Identifier: MIT */
/* barkd.ini: defaults, the shipped file, mistakes and where they are. */
#include "conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static char path[] = "/tmp/barkd-test-conf-XXXXXX";

static void write_file(const char *text, size_t n)
{
	FILE *f = fopen(path, "we");

	if (!f || fwrite(text, 1, n, f) != n || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static int load(struct conf *conf, struct conf_error *err, const char *text)
{
	err->message[0] = '\0';
	write_file(text, strlen(text));
	return conf_load(conf, path, err);
}

static void test_values(void)
{
	const char *name = "conf values";
	struct conf conf;
	struct conf_error err;

	TAP_CHECK(name, load(&conf, &err,
			     "# a comment\n"
			     "[model]\n"
			     "name = /srv/model ; why not\n"
			     "precision=bf16\n"
			     "threads = 3\n"
			     "[output]\n"
			     "sink = jack\n"
			     "connect = no\n"
			     "idle_cork_s = never\n"
			     "[speech]\n"
			     "rate = 1.5\n"
			     "loudness = -20\n") == 0);
	TAP_CHECK(name, strcmp(conf.model.name, "/srv/model") == 0);
	TAP_CHECK(name, conf.model.precision == CONF_PRECISION_BF16);
	TAP_CHECK(name, conf.model.threads == 3);
	TAP_CHECK(name, !strcmp(conf_sinks[conf.output.sink], "jack"));
	TAP_CHECK(name, !conf.output.connect);
	TAP_CHECK(name, isinf(conf.output.idle_cork_s));
	TAP_CHECK(name, conf.speech.rate == 1.5);
	TAP_CHECK(name, conf.speech.loudness == -20);
	TAP_CHECK(name, conf.output.buffer_ms == 300);
	TAP_CHECK(name, conf.model.voice == NULL);
	conf_clear(&conf);
	conf_clear(&conf);
	conf_clear(NULL);
	tap_ok(name);
}

/* Every mistake names file and line, and leaves the result alone. */
static void test_mistakes(void)
{
	static const struct {
		const char *what, *text;
		int line;
		const char *says;
	} cases[] = {
		{"unknown key", "[model]\n\nvioce = x\n", 3, "unknown key"},
		{"unknown section", "\n[modle]\nname = x\n", 3,
		 "unknown section"},
		{"key before a section", "name = x\n", 1, "before any section"},
		{"key of another section", "[speech]\nthreads = 2\n", 2,
		 "unknown key"},
		{"word", "[output]\nsink = alsa\n", 2,
		 "auto, pipewire, jack, file"},
		{"not a number", "[speech]\nrate = fast\n", 2, "number"},
		{"trailing rubbish", "[speech]\nrate = 1x\n", 2, "number"},
		{"hexadecimal", "[model]\nthreads = 0x2\n", 2, "whole number"},
		{"not a number, nan", "[speech]\nrate = nan\n", 2, "number"},
		{"too large", "[speech]\nrate = 7\n", 2, "0.25 to 6"},
		{"negative", "[model]\nthreads = -1\n", 2, "whole number"},
		{"fraction", "[model]\nthreads = 1.5\n", 2, "whole number"},
		{"empty number", "[model]\nthreads =\n", 2, "whole number"},
		{"wrong word", "[output]\nidle_cork_s = forever\n", 2, "never"},
		{"bool", "[output]\nconnect = 1\n", 2, "yes or no"},
		{"twice", "[model]\nname = a\nname = b\n", 3, "twice"},
		{"indented", "[model]\nname = a\n  more\n", 3, "twice"},
		{"no key", "[model]\nrubbish\n", 2, "neither"},
		{"open section", "[model\nname = a\n", 1, "neither"},
	};
	struct conf conf;

	memset(&conf, 0x5a, sizeof(conf));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char name[96], where[128];
		struct conf_error err;
		struct conf before = conf;

		snprintf(name, sizeof(name), "conf mistake: %s",
			 cases[i].what);
		snprintf(where, sizeof(where), "%s:%d: ", path, cases[i].line);
		if (load(&conf, &err, cases[i].text) != -EINVAL ||
		    strncmp(err.message, where, strlen(where)) != 0 ||
		    !strstr(err.message, cases[i].says) ||
		    memcmp(&before, &conf, sizeof(conf)) != 0)
			tap_not_ok(name, "%s", err.message);
		else
			tap_ok(name);
	}
}

static void test_long_lines(void)
{
	const char *name = "conf over-long lines";
	char text[512], where[128];
	struct conf conf;
	struct conf_error err;

	/* 198 bytes and a newline are the most that inih keeps whole. */
	for (int len = 190; len <= 210; len++) {
		int n = snprintf(text, sizeof(text), "[model]\nname = ");
		int r;

		memset(text + n, 'x', (size_t)len - 7);
		text[n + len - 7] = '\n';
		text[n + len - 6] = '\0';
		r = load(&conf, &err, text);
		if (len <= 198) {
			TAP_CHECK(name, r == 0);
			TAP_CHECK(name,
				  strlen(conf.model.name) == (size_t)len - 7);
			conf_clear(&conf);
		} else {
			snprintf(where, sizeof(where), "%s:2: longer", path);
			TAP_CHECK(name, r == -EINVAL);
			TAP_CHECK(name, strncmp(err.message, where,
						strlen(where)) == 0);
		}
	}
	/* In a comment too. */
	text[0] = '#';
	memset(text + 1, 'x', 300);
	text[301] = '\0';
	TAP_CHECK(name, load(&conf, &err, text) == -EINVAL);
	write_file("[model]\nname = a\0b\n", 19);
	TAP_CHECK(name, conf_load(&conf, path, &err) == -EINVAL);
	TAP_CHECK(name, strstr(err.message, ":2: a NUL byte"));
	TAP_CHECK(name, conf_load(&conf, "/nonexistent/x", &err) == -ENOENT);
	TAP_CHECK(name, strstr(err.message, "/nonexistent/x"));
	tap_ok(name);
}

/* The shipped file parses, documents every key, and states the defaults. */
static void test_shipped(const char *shipped)
{
	const char *name = "conf shipped file";
	struct conf conf, plain;
	struct conf_error err;
	char line[256], text[65536] = "";
	const char *section, *key;
	size_t used = 0, keys = 0;
	FILE *f;

	if (conf_load(&conf, shipped, &err) < 0) {
		tap_not_ok(name, "%s", err.message);
		return;
	}
	conf_clear(&conf);

	/* With each "#key = value" uncommented. */
	f = fopen(shipped, "re");
	TAP_CHECK(name, f);
	while (fgets(line, sizeof(line), f)) {
		bool is_key = line[0] == '#' && line[1] != ' ' &&
			      strstr(line, " =");

		if (line[0] != '[' && !is_key)
			continue;
		keys += is_key;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s",
					 line + is_key);
	}
	fclose(f);
	if (load(&conf, &err, text) < 0) {
		tap_not_ok(name, "%s", err.message);
		return;
	}
	for (size_t i = 0; conf_key(i, &section, &key); i++) {
		char want[64];

		snprintf(want, sizeof(want), "\n%s =", key);
		if (!strstr(text, want)) {
			tap_not_ok(name, "[%s] %s is not documented", section,
				   key);
			return;
		}
		keys--;
	}
	TAP_CHECK(name, keys == 0);

	/* All but the strings, which differ in their pointers. */
	TAP_CHECK(name, conf_default(&plain) == 0);
	TAP_CHECK(name, strcmp(plain.model.name, conf.model.name) == 0);
	TAP_CHECK(name, strcmp(plain.output.role, conf.output.role) == 0);
	TAP_CHECK(name, !conf.model.voice && !conf.output.target);
	TAP_CHECK(name, memcmp(&plain.speech, &conf.speech,
			       sizeof(conf.speech)) == 0);
	TAP_CHECK(name, plain.output.wait_for_sink_s ==
			conf.output.wait_for_sink_s);
	TAP_CHECK(name, plain.output.idle_cork_s == conf.output.idle_cork_s);
	TAP_CHECK(name, plain.output.buffer_ms == conf.output.buffer_ms);
	TAP_CHECK(name, plain.output.sink == conf.output.sink);
	TAP_CHECK(name, plain.output.resampler == conf.output.resampler);
	TAP_CHECK(name, plain.output.connect == conf.output.connect);
	TAP_CHECK(name, plain.model.ahead_ms == conf.model.ahead_ms);
	TAP_CHECK(name, plain.model.mode == conf.model.mode);
	TAP_CHECK(name, plain.service.queue_length ==
			conf.service.queue_length);
	TAP_CHECK(name, plain.service.idle_unload_s ==
			conf.service.idle_unload_s);
	TAP_CHECK(name, plain.service.exit_idle_s == conf.service.exit_idle_s);
	TAP_CHECK(name, plain.service.log_level == conf.service.log_level);
	conf_clear(&plain);
	conf_clear(&conf);
	tap_ok(name);
}

int main(int argc, char **argv)
{
	int fd = mkstemp(path);

	if (fd < 0 || argc != 2) {
		fprintf(stderr, "usage: test_conf conf/barkd.ini\n");
		return 1;
	}
	close(fd);
	test_values();
	test_mistakes();
	test_long_lines();
	test_shipped(argv[1]);
	unlink(path);
	return tap_failed;
}
