/* SPDX-License-Identifier: MIT */
/* notify.ini, which struct settings holds. */
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"

#define NAME_MAX_BYTES 128
#define DEFAULT_TEMPLATE "{app}: {summary}. {body}"

static const char *const worths[] = {"no", "notification", "message",
				     "important", NULL};
static const char *const urgencies[] = {"low", "normal", "critical"};

/* --- values: 0, -EINVAL with why filled, -ENOMEM --- */

static int set_string(char **at, const char *text, char *why, size_t n_why)
{
	char *copy = NULL;

	if (strlen(text) > NAME_MAX_BYTES) {
		snprintf(why, n_why, "longer than %d bytes", NAME_MAX_BYTES);
		return -EINVAL;
	}
	if (*text) {
		copy = strdup(text);
		if (!copy)
			return -ENOMEM;
	}
	free(*at);
	*at = copy;
	return 0;
}

static int set_number(double *at, const char *text, double min, double max,
		      bool whole, char *why, size_t n_why)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !(v >= min && v <= max) ||
	    (whole && v != floor(v))) {
		snprintf(why, n_why, "must be a%s number from %g to %g",
			 whole ? " whole" : "", min, max);
		return -EINVAL;
	}
	*at = v;
	return 0;
}

static int set_unsigned(unsigned *at, const char *text, double min, double max,
			char *why, size_t n_why)
{
	double v = 0;
	int r = set_number(&v, text, min, max, true, why, n_why);

	if (r == 0)
		*at = (unsigned)v;
	return r;
}

static int set_word(int *at, const char *text, const char *const *words,
		    char *why, size_t n_why)
{
	for (int i = 0; words[i]; i++) {
		if (strcmp(words[i], text) == 0) {
			*at = i;
			return 0;
		}
	}
	snprintf(why, n_why, "must be one of");
	for (int i = 0; words[i]; i++) {
		size_t n = strlen(why);

		snprintf(why + n, n_why - n, "%s %s", i ? "," : "", words[i]);
	}
	return -EINVAL;
}

static int set_flag(int *at, const char *text, char *why, size_t n_why)
{
	static const char *const words[] = {"no", "yes", NULL};

	return set_word(at, text, words, why, n_why);
}

static int set_bool(bool *at, const char *text, char *why, size_t n_why)
{
	int v = *at, r = set_flag(&v, text, why, n_why);

	*at = v;
	return r;
}

/* "22:00-07:30"; empty: none. */
static int set_quiet(struct settings *s, const char *text, char *why,
		     size_t n_why)
{
	unsigned h1, m1, h2, m2;
	int n = 0;

	if (!*text) {
		s->quiet_from = s->quiet_to = 0;
		return 0;
	}
	if (sscanf(text, "%2u:%2u-%2u:%2u%n", &h1, &m1, &h2, &m2, &n) != 4 ||
	    text[n] || h1 > 23 || h2 > 24 || m1 > 59 || m2 > 59) {
		snprintf(why, n_why, "must be like 22:00-07:30");
		return -EINVAL;
	}
	s->quiet_from = (int)(h1 * 60 + m1);
	s->quiet_to = (int)(h2 * 60 + m2);
	return 0;
}

/* --- sections --- */

static int urgency_of(const char *name)
{
	for (int i = 0; i < N_URGENCIES; i++)
		if (strcmp(urgencies[i], name) == 0)
			return i;
	return -1;
}

static int set_general(struct settings *s, const char *name, const char *text,
		       char *why, size_t n_why)
{
	const struct {
		const char *name;
		bool *at;
	} bools[] = {{"quiet_critical", &s->quiet_critical},
		     {"when_locked", &s->when_locked},
		     {"with_screen_reader", &s->with_screen_reader},
		     {"when_disturbed", &s->when_disturbed},
		     {"suppress_sound", &s->suppress_sound},
		     {"others", &s->others}};
	int urgency = urgency_of(name);

	if (urgency >= 0)
		return set_word(&s->worth[urgency], text, worths, why, n_why);
	for (size_t i = 0; i < sizeof(bools) / sizeof(*bools); i++)
		if (strcmp(bools[i].name, name) == 0)
			return set_bool(bools[i].at, text, why, n_why);
	if (strcmp(name, "template") == 0)
		return set_string(&s->template, *text ? text : DEFAULT_TEMPLATE,
				  why, n_why);
	if (strcmp(name, "voice") == 0)
		return set_string(&s->voice, text, why, n_why);
	if (strcmp(name, "language") == 0)
		return set_string(&s->language, text, why, n_why);
	if (strcmp(name, "rate") == 0)
		return set_number(&s->rate, text, .25, 6, false, why, n_why);
	if (strcmp(name, "volume") == 0)
		return set_number(&s->volume, text, 0, 4, false, why, n_why);
	if (strcmp(name, "max_length") == 0)
		return set_unsigned(&s->max_length, text, 10, 5000, why,
				    n_why);
	if (strcmp(name, "repeat_s") == 0)
		return set_unsigned(&s->repeat_s, text, 0, 3600, why, n_why);
	if (strcmp(name, "per_minute") == 0)
		return set_unsigned(&s->per_minute, text, 0,
				    RULES_PER_MINUTE_MAX,
				    why, n_why);
	if (strcmp(name, "quiet") == 0)
		return set_quiet(s, text, why, n_why);
	snprintf(why, n_why, "unknown key \"%s\"", name);
	return -EINVAL;
}

static int set_app(struct settings *s, const char *app, const char *name,
		   const char *text, char *why, size_t n_why)
{
	int urgency = urgency_of(name), r = 0;
	struct app_rule *rule = s->apps;

	while (rule < s->apps + s->n_apps && strcmp(rule->name, app) != 0)
		rule++;
	if (rule == s->apps + RULES_APPS_MAX) {
		snprintf(why, n_why, "more than %d applications",
			 RULES_APPS_MAX);
		return -EINVAL;
	}
	if (rule == s->apps + s->n_apps) {
		*rule = (struct app_rule){
			.speak = -1, .worth = {-1, -1, -1},
		};
		r = set_string(&rule->name, app, why, n_why);
		if (r < 0)
			return r;
		s->n_apps++;
	}
	if (urgency >= 0)
		return set_word(&rule->worth[urgency], text, worths, why,
				n_why);
	if (strcmp(name, "speak") == 0)
		return set_flag(&rule->speak, text, why, n_why);
	if (strcmp(name, "voice") == 0)
		return set_string(&rule->voice, text, why, n_why);
	if (strcmp(name, "template") == 0)
		return set_string(&rule->template, text, why, n_why);
	snprintf(why, n_why, "unknown key \"%s\"", name);
	return -EINVAL;
}

static int on_value(void *data, const char *section, const char *name,
		    const char *text, char *why, size_t n_why)
{
	struct settings *s = data;
	char what[128] = "";
	int r;

	if (strcmp(section, "notify") == 0) {
		r = set_general(s, name, text, what, sizeof(what));
	} else if (strncmp(section, "app ", 4) == 0 && section[4]) {
		r = set_app(s, section + 4, name, text, what, sizeof(what));
	} else {
		snprintf(why, n_why, "unknown section [%.60s]", section);
		return -EINVAL;
	}
	if (r == -EINVAL)
		snprintf(why, n_why, "%s%s%s",
			 strncmp(what, "unknown", 7) == 0 ? "" : name,
			 strncmp(what, "unknown", 7) == 0 ? "" : ": ", what);
	return r;
}

int settings_init(struct settings *s)
{
	*s = (struct settings){
		.template = strdup(DEFAULT_TEMPLATE),
		.rate = 1,
		.volume = 1,
		.max_length = 300,
		.worth = {WORTH_NOTHING, WORTH_NOTIFICATION, WORTH_MESSAGE},
		.others = true,
		.repeat_s = 30,
		.per_minute = 20,
	};
	return s->template ? 0 : -ENOMEM;
}

int settings_load(struct settings *ret, const char *path,
		  struct conf_error *err)
{
	struct settings *s = malloc(sizeof(*s));
	int r = s ? settings_init(s) : -ENOMEM;

	if (r == 0)
		r = ini_file_read(path, on_value, s, err);
	if (r == -ENOENT)
		r = 0;
	if (r == 0)
		*ret = *s;
	else if (s)
		settings_clear(s);
	free(s);
	return r;
}

void settings_clear(struct settings *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_apps; i++) {
		free(s->apps[i].name);
		free(s->apps[i].voice);
		free(s->apps[i].template);
	}
	free(s->template);
	free(s->voice);
	free(s->language);
	*s = (struct settings){0};
}
