/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void settings_init(struct settings *s)
{
	*s = (struct settings){.volume = 100, .style.punctuation = PUNCT_NONE};
}

static bool take_line(struct settings *s, const char *line)
{
	struct settings_voice v;
	char route[8];
	int used = 0;

	if (sscanf(line, "Socket \"%107[^\"\n]\" %n", s->socket, &used) == 1 &&
	    used && !line[used])
		return true;
	if (sscanf(line, "AudioRoute \"%7[^\"\n]\" %n", route, &used) == 1 &&
	    used && !line[used] &&
	    (strcmp(route, "barkd") == 0 || strcmp(route, "server") == 0)) {
		s->served = route[0] == 's';
		return true;
	}
	if (sscanf(line, "AddVoice \"%15[^\"\n]\" \"%15[^\"\n]\" \"%63[^\"\n]\" %n",
		   v.language, v.type, v.name, &used) == 3 &&
	    used && !line[used] && s->n_voices < SETTINGS_VOICES_MAX) {
		s->voices[s->n_voices++] = v;
		return true;
	}
	return false;
}

void settings_read(struct settings *s, const char *path)
{
	char line[512];
	FILE *f = fopen(path, "re");

	if (!f)
		return;
	for (int n = 1; fgets(line, sizeof(line), f); n++) {
		const char *p = line + strspn(line, " \t\r\n");

		if (*p && *p != '#' && !take_line(s, p))
			fprintf(stderr, "sd_barkd: %s:%d: not understood\n",
				path, n);
	}
	fclose(f);
}

static int set_number(int *ret, const char *value)
{
	char *end;
	long v = strtol(value, &end, 10);

	if (end == value || *end || v < -100 || v > 100)
		return -EINVAL;
	*ret = (int)v;
	return 0;
}

static int set_choice(int *ret, const char *const *names, const char *value)
{
	for (int i = 0; names[i]; i++) {
		if (strcmp(names[i], value) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_name(char *ret, size_t size, const char *value)
{
	if (strlen(value) >= size)
		return -EINVAL;
	strcpy(ret, strcmp(value, "NULL") ? value : "");
	return 0;
}

int settings_set(struct settings *s, const char *key, const char *value)
{
	static const char *const levels[] = {"none", "some", "most", "all",
					     NULL};
	static const char *const switches[] = {"off", "on", NULL};
	static const char *const capitals[] = {"none", "spell", "icon", NULL};
	int v = 0, r = 0;

	if (strcmp(key, "rate") == 0)
		return set_number(&s->rate, value);
	if (strcmp(key, "pitch") == 0)
		return set_number(&s->pitch, value);
	if (strcmp(key, "volume") == 0)
		return set_number(&s->volume, value);
	if (strcmp(key, "language") == 0)
		return set_name(s->language, sizeof(s->language), value);
	if (strcmp(key, "voice") == 0)
		return set_name(s->type, sizeof(s->type), value);
	if (strcmp(key, "synthesis_voice") == 0)
		return set_name(s->voice, sizeof(s->voice), value);
	if (strcmp(key, "punctuation_mode") == 0) {
		r = set_choice(&v, levels, value);
		if (r == 0)
			s->style.punctuation = (enum punctuation)v;
	} else if (strcmp(key, "spelling_mode") == 0) {
		r = set_choice(&v, switches, value);
		if (r == 0)
			s->style.spell = v;
	} else if (strcmp(key, "cap_let_recogn") == 0) {
		r = set_choice(&v, capitals, value);
		if (r == 0)
			s->style.capitals = v;
	}
	return r;
}

/* AddVoice's name for this language and type, or NULL. */
static const char *voice_by_type(const struct settings *s)
{
	for (size_t i = 0; i < s->n_voices; i++) {
		const struct settings_voice *v = &s->voices[i];

		if (strcasecmp(v->type, s->type) == 0 &&
		    strncasecmp(v->language, s->language,
				strlen(v->language)) == 0)
			return v->name;
	}
	return NULL;
}

void settings_apply(const struct settings *s, struct barkd_say *how,
		    char **voice, char **language)
{
	const char *name = *s->voice ? s->voice : voice_by_type(s);

	/* 100 is three times as fast: more is not understood any more. */
	*how = (struct barkd_say){
		.rate = pow(3, s->rate / 100.),
		.pitch = pow(2, s->pitch / 200.),
		.volume = fmax((s->volume + 100) / 200., 1e-3),
		/* Among its messages the server has chosen already. */
		.priority = BARKD_PRIORITY_IMPORTANT,
		.has_priority = true,
	};
	*voice = name ? strdup(name) : NULL;
	*language = *s->language ? strdup(s->language) : NULL;
}
