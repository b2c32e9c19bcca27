/* SPDX-License-Identifier: MIT */
#include "settings.h"

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

/* --- SET --- */

enum key { KEY_RATE, KEY_PITCH, KEY_VOLUME, KEY_LANGUAGE, KEY_TYPE, KEY_VOICE,
	   KEY_PUNCTUATION, KEY_SPELLING, KEY_CAPITALS, N_KEYS };

/* Says once what there is no sense in. */
static void tell(struct settings *s, enum key key, const char *name,
		 const char *value)
{
	if (s->told & 1u << key)
		return;
	s->told |= 1u << key;
	fprintf(stderr, "sd_barkd: %s: \"%.64s\" is left out\n", name, value);
}

/* false: it is none, and nothing is set. */
static bool set_number(int *ret, const char *value)
{
	char *end;
	long v = strtol(value, &end, 10);

	if (end == value || *end)
		return false;
	*ret = v < -100 ? -100 : v > 100 ? 100 : (int)v;
	return v >= -100 && v <= 100;
}

static bool set_choice(int *ret, const char *const *names, const char *value)
{
	for (*ret = 0; names[*ret]; ++*ret)
		if (strcmp(names[*ret], value) == 0)
			return true;
	*ret = 0;
	return false;
}

/* `none` stands for no name, and so does one that is too long. */
static bool set_name(char *ret, size_t size, const char *value,
		     const char *const *none)
{
	bool fits = strlen(value) < size;

	*ret = '\0';
	for (; *none; none++)
		if (strcasecmp(*none, value) == 0)
			return true;
	if (fits)
		strcpy(ret, value);
	return fits;
}

static bool set(struct settings *s, enum key key, const char *value)
{
	static const char *const levels[] = {"none", "some", "most", "all",
					     NULL};
	static const char *const switches[] = {"off", "on", NULL};
	static const char *const capitals[] = {"none", "spell", "icon", NULL};
	/* The locale of who has chosen none. */
	static const char *const no_language[] = {"", "c", "posix", "NULL",
						  NULL};
	/* "default" is listed where nothing is known of barkd's voices, and
	 * Qt's plug-in asks for it always. */
	static const char *const no_voice[] = {"", "NULL", "default", NULL};
	bool good = true;
	int v;

	switch (key) {
	case KEY_RATE:
		return set_number(&s->rate, value);
	case KEY_PITCH:
		return set_number(&s->pitch, value);
	case KEY_VOLUME:
		return set_number(&s->volume, value);
	case KEY_LANGUAGE:
		return set_name(s->language, sizeof(s->language), value,
				no_language);
	case KEY_TYPE:
		return set_name(s->type, sizeof(s->type), value, no_voice);
	case KEY_VOICE:
		return set_name(s->voice, sizeof(s->voice), value, no_voice);
	case KEY_PUNCTUATION:
		good = set_choice(&v, levels, value);
		s->style.punctuation = (enum punctuation)v;
		break;
	case KEY_SPELLING:
		good = set_choice(&v, switches, value);
		s->style.spell = v;
		break;
	case KEY_CAPITALS:
		good = set_choice(&v, capitals, value);
		s->style.capitals = v;
		break;
	case N_KEYS:
		break;
	}
	return good;
}

void settings_set(struct settings *s, const char *name, const char *value)
{
	static const char *const names[N_KEYS] = {
		"rate", "pitch", "volume", "language", "voice",
		"synthesis_voice", "punctuation_mode", "spelling_mode",
		"cap_let_recogn",
	};

	for (int key = 0; key < N_KEYS; key++)
		if (strcmp(names[key], name) == 0 &&
		    !set(s, (enum key)key, value))
			tell(s, (enum key)key, name, value);
}

/* --- what follows from it --- */

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
	double pitch = 1;
	const char *name = *s->voice ? s->voice : voice_by_type(s);

	if (!name)
		name = types_voice(&s->types, s->language, s->type, &pitch);
	/* 100 is three times as fast: more is not understood any more. */
	*how = (struct barkd_say){
		.rate = pow(3, s->rate / 100.),
		.pitch = pitch * pow(2, s->pitch / 200.),
		.volume = fmax((s->volume + 100) / 200., 1e-3),
		/* Among its messages the server has chosen already. */
		.priority = BARKD_PRIORITY_IMPORTANT,
		.has_priority = true,
		.fallback = true,
	};
	*voice = name ? strdup(name) : NULL;
	*language = *s->language ? strdup(s->language) : NULL;
}
