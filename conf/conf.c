/* SPDX-License-Identifier: MIT */
#include "conf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const conf_precisions[] = {"default", "f32", "f16", "bf16",
				       "int8", "q4", NULL};
const char *const conf_modes[] = {"low-latency", "exact", NULL};
const char *const conf_sinks[] = {"auto", "pipewire", "jack", "file", NULL};
const char *const conf_links[] = {"yes", "no", "word", "omit", NULL};
static const char *const resamplers[] = {"fastest", "medium", "best", NULL};
static const char *const levels[] = {"error", "warning", "info", "debug",
				     NULL};

#define STRING_OF(macro) #macro
#define COUNT(words) (sizeof(words) / sizeof(*(words)) - 1)
_Static_assert(COUNT(conf_precisions) == CONF_PRECISIONS, "words of precisions");
_Static_assert(COUNT(conf_modes) == CONF_MODES, "words of modes");
_Static_assert(COUNT(conf_links) == CONF_LINKS, "words of links");
_Static_assert(COUNT(resamplers) == CONF_RESAMPLERS, "words of resamplers");
_Static_assert(COUNT(levels) == CONF_LOG_LEVELS, "words of log levels");

enum kind {
	KIND_STRING,
	KIND_UINT,
	KIND_DOUBLE,
	KIND_OPTIONAL, /* double or a word that means `otherwise` */
	KIND_BOOL,
	KIND_WORD,
};

struct key {
	const char *section, *name;
	enum kind kind;
	size_t offset;
	double min, max;          /* STRING: min characters */
	const char *word;         /* OPTIONAL */
	double otherwise;         /* OPTIONAL: what the word means */
	const char *const *words; /* WORD */
	const char *text;         /* the default, as written in a file */
	/* STRING: NULL, or what it must be. */
	const char *(*complain)(const char *text);
};

/* A list of numeric addresses, separated by spaces. */
static const char *not_addresses(const char *text)
{
	unsigned n = 0;

	while (*(text += strspn(text, " "))) {
		size_t k = strcspn(text, " ");
		struct in6_addr to;
		char word[INET6_ADDRSTRLEN];

		snprintf(word, sizeof(word), "%.*s", (int)k, text);
		if (k >= sizeof(word) || ++n > CONF_ADDRESSES_MAX ||
		    (inet_pton(AF_INET, word, &to) != 1 &&
		     inet_pton(AF_INET6, word, &to) != 1))
			return "must be up to " STRING_OF(CONF_ADDRESSES_MAX)
			       " numeric addresses, as in 127.0.0.1 ::1";
		text += k;
	}
	return NULL;
}

#define AT(field) offsetof(struct conf, field)
#define STRING(s, k, def) {#s, #k, KIND_STRING, AT(s.k), .text = def}
#define ADDRESSES(s, k, def) \
	{#s, #k, KIND_STRING, AT(s.k), .text = def, .complain = not_addresses}
#define SECRET(s, k, lo) {#s, #k, KIND_STRING, AT(s.k), lo}
#define UINT(s, k, lo, hi, def) \
	{#s, #k, KIND_UINT, AT(s.k), lo, hi, .text = def}
#define DOUBLE(s, k, lo, hi, def) \
	{#s, #k, KIND_DOUBLE, AT(s.k), lo, hi, .text = def}
#define OPTIONAL(s, k, lo, hi, w, as, def) \
	{#s, #k, KIND_OPTIONAL, AT(s.k), lo, hi, w, as, .text = def}
#define BOOL(s, k, def) {#s, #k, KIND_BOOL, AT(s.k), .text = def}
#define WORD(s, k, list, def) \
	{#s, #k, KIND_WORD, AT(s.k), .words = list, .text = def}

static const struct key keys[] = {
	STRING(model, name, "slt"),
	STRING(model, voice, NULL),
	STRING(model, language, NULL),
	WORD(model, precision, conf_precisions, "default"),
	WORD(model, mode, conf_modes, "low-latency"),
	UINT(model, threads, 0, 1024, "0"),
	UINT(model, nice, 0, 19, "0"),
	UINT(model, nice_ahead, 0, 19, "10"),
	DOUBLE(model, semantic_temperature, 0, 2, "0"),
	DOUBLE(model, coarse_temperature, 0, 2, "0"),
	DOUBLE(model, fine_temperature, 0, 2, "0"),
	UINT(model, top_k, 0, 100000, "0"),
	DOUBLE(model, top_p, 0, 1, "0"),
	DOUBLE(model, min_eos_p, 0, 1, "0"),
	UINT(model, coarse_history, 0, 630, "0"),
	UINT(model, fine_lookahead, 0, 512, "0"),
	UINT(model, ahead_ms, 200, 60000, "3000"),

	DOUBLE(speech, rate, CONF_RATE_MIN, CONF_RATE_MAX, "1"),
	DOUBLE(speech, pitch, CONF_PITCH_MIN, CONF_PITCH_MAX, "1"),
	DOUBLE(speech, volume, 0, CONF_VOLUME_MAX, "1"),
	DOUBLE(speech, gain_db, -40, 20, "0"),
	OPTIONAL(speech, loudness, -50, -8, "off", NAN, "off"),
	BOOL(speech, fast_voice, "yes"),
	BOOL(speech, other_languages, "yes"),
	UINT(speech, cache_kb, 0, 1048576, "8192"),

	WORD(output, sink, conf_sinks, "auto"),
	STRING(output, target, NULL),
	STRING(output, role, "Accessibility"),
	STRING(output, client_name, "barkd"),
	STRING(output, server, NULL),
	BOOL(output, connect, "yes"),
	UINT(output, latency, 0, 8192, "512"),
	UINT(output, rate, 0, 192000, "0"),
	UINT(output, buffer_ms, 50, 1000, "300"),
	UINT(output, lead_in_ms, 0, 5000, "0"),
	WORD(output, resampler, resamplers, "medium"),
	OPTIONAL(output, wait_for_sink_s, 0, 86400, "forever", INFINITY, "30"),
	OPTIONAL(output, idle_cork_s, 0, 86400, "never", INFINITY, "5"),

	UINT(http, port, 0, 65535, "0"),
	ADDRESSES(http, address, "127.0.0.1"),
	STRING(http, hosts, NULL),
	SECRET(http, token, CONF_TOKEN_MIN),
	STRING(http, origins, NULL),
	UINT(http, streams, 1, 64, "4"),

	STRING(fetch, base, NULL),

	STRING(chat, template, "{user} says: {text}"),
	UINT(chat, max_length, 10, 1000, "200"),
	DOUBLE(chat, cooldown_s, 0, 3600, "0"),
	DOUBLE(chat, user_cooldown_s, 0, 3600, "5"),
	UINT(chat, queue, 1, 1000, "20"),
	UINT(chat, user_queue, 1, 100, "2"),
	STRING(chat, ignore_users,
	       "Nightbot StreamElements Streamlabs Moobot"),
	STRING(chat, ignore_prefixes, "!"),
	WORD(chat, links, conf_links, "yes"),
	STRING(chat, filter, NULL),
	BOOL(chat, voices, "no"),
	STRING(chat, user_voices, NULL),

	UINT(service, queue_length, 1, 10000, "256"),
	OPTIONAL(service, idle_unload_s, 1, 604800, "never", INFINITY, "900"),
	/* systemd gives a service up that starts five times in 10 s. */
	OPTIONAL(service, exit_idle_s, 3, 604800, "never", INFINITY, "never"),
	WORD(service, log_level, levels, "info"),
};

#define N_KEYS (sizeof(keys) / sizeof(*keys))

bool conf_key(size_t i, const char **ret_section, const char **ret_name)
{
	if (i >= N_KEYS)
		return false;
	*ret_section = keys[i].section;
	*ret_name = keys[i].name;
	return true;
}

/* --- values --- */

/* The daemon never calls setlocale(), so the decimal point is a point. */
static bool number(const char *text, double *ret)
{
	char *end;
	double v;

	if (!*text || isspace((unsigned char)*text))
		return false;
	errno = 0;
	v = strtod(text, &end);
	if (errno || *end || !isfinite(v) || strpbrk(text, "xXpP"))
		return false;
	*ret = v;
	return true;
}

/* 0, -EINVAL with `why` filled, or -ENOMEM. */
static int set_value(struct conf *conf, const struct key *key,
		     const char *text, char *why, size_t n_why)
{
	void *at = (char *)conf + key->offset;
	double v;

	switch (key->kind) {
	case KIND_STRING: {
		char **s = at, *copy = NULL;
		const char *wrong = text && key->complain
					    ? key->complain(text)
					    : NULL;

		if (wrong) {
			snprintf(why, n_why, "%s %s", key->name, wrong);
			return -EINVAL;
		}
		if (text && *text && strlen(text) < key->min) {
			snprintf(why, n_why,
				 "%s must have %.0f characters or more",
				 key->name, key->min);
			return -EINVAL;
		}
		if (text && *text) {
			copy = strdup(text);
			if (!copy)
				return -ENOMEM;
		}
		free(*s);
		*s = copy;
		return 0;
	}
	case KIND_UINT:
		if (!number(text, &v) || v < key->min || v > key->max ||
		    v != floor(v)) {
			snprintf(why, n_why,
				 "%s must be a whole number from %.0f to %.0f",
				 key->name, key->min, key->max);
			return -EINVAL;
		}
		*(unsigned *)at = (unsigned)v;
		return 0;
	case KIND_OPTIONAL:
		if (strcmp(text, key->word) == 0) {
			*(double *)at = key->otherwise;
			return 0;
		}
		/* fall through */
	case KIND_DOUBLE:
		if (!number(text, &v) || v < key->min || v > key->max) {
			snprintf(why, n_why,
				 "%s must be a number from %g to %g%s%s",
				 key->name, key->min, key->max,
				 key->word ? ", or " : "",
				 key->word ? key->word : "");
			return -EINVAL;
		}
		*(double *)at = v;
		return 0;
	case KIND_BOOL:
		if (strcmp(text, "yes") == 0 || strcmp(text, "true") == 0) {
			*(bool *)at = true;
			return 0;
		}
		if (strcmp(text, "no") == 0 || strcmp(text, "false") == 0) {
			*(bool *)at = false;
			return 0;
		}
		snprintf(why, n_why, "%s must be yes or no", key->name);
		return -EINVAL;
	case KIND_WORD:
		for (int i = 0; key->words[i]; i++) {
			if (strcmp(text, key->words[i]) == 0) {
				*(int *)at = i;
				return 0;
			}
		}
		snprintf(why, n_why, "%s must be one of", key->name);
		for (int i = 0; key->words[i]; i++) {
			size_t used = strlen(why);

			snprintf(why + used, n_why - used, "%s %s",
				 i ? "," : "", key->words[i]);
		}
		return -EINVAL;
	}
	return -EINVAL;
}

int conf_default(struct conf *ret)
{
	struct conf conf = {0};
	char why[128];

	for (size_t i = 0; i < N_KEYS; i++) {
		int r = set_value(&conf, &keys[i], keys[i].text, why,
				  sizeof(why));

		if (r < 0) {
			conf_clear(&conf);
			return r;
		}
	}
	*ret = conf;
	return 0;
}

void conf_clear(struct conf *conf)
{
	if (!conf)
		return;
	for (size_t i = 0; i < N_KEYS; i++) {
		char **s = (char **)((char *)conf + keys[i].offset);

		if (keys[i].kind != KIND_STRING)
			continue;
		free(*s);
		*s = NULL;
	}
}

/* --- file --- */

struct parse {
	struct conf conf;
	bool seen[N_KEYS];
};

static int on_value(void *data, const char *section, const char *name,
		    const char *text, char *why, size_t n_why)
{
	struct parse *p = data;
	bool section_known = false;

	for (size_t i = 0; i < N_KEYS; i++) {
		if (strcmp(keys[i].section, section) != 0)
			continue;
		section_known = true;
		if (strcmp(keys[i].name, name) != 0)
			continue;
		/* Also what inih makes of an indented line. */
		if (p->seen[i]) {
			snprintf(why, n_why, "%s is given twice", name);
			return -EINVAL;
		}
		p->seen[i] = true;
		return set_value(&p->conf, &keys[i], text, why, n_why);
	}
	if (section_known)
		snprintf(why, n_why, "unknown key \"%s\" in [%s]", name,
			 section);
	else if (*section)
		snprintf(why, n_why, "unknown section [%s]", section);
	else
		snprintf(why, n_why, "\"%s\" stands before any section", name);
	return -EINVAL;
}

int conf_load(struct conf *ret, const char *path, struct conf_error *err)
{
	struct parse p = {0};
	int r;

	r = conf_default(&p.conf);
	if (r < 0)
		return r;
	r = ini_file_read(path, on_value, &p, err);
	if (r < 0) {
		conf_clear(&p.conf);
		return r;
	}
	*ret = p.conf;
	return 0;
}
