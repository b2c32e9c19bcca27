/* SPDX-License-Identifier: MIT */
/* barkd.conf, and what SET says. No I/O but reading the file. */
#ifndef SPEECHD_SETTINGS_H
#define SPEECHD_SETTINGS_H

#include "barkd-client.h"
#include "text.h"
#include "types.h"

#define SETTINGS_NAME_MAX 64
#define SETTINGS_VOICES_MAX 64

struct settings_voice {
	char language[16], type[16], name[SETTINGS_NAME_MAX];
};

struct settings {
	int rate, pitch, volume; /* -100..100 */
	struct text_style style;
	char language[SETTINGS_NAME_MAX], type[16]; /* "": none */
	char voice[SETTINGS_NAME_MAX]; /* "": by language and type */
	char socket[108];              /* "": the usual one */
	bool served;                   /* Speech Dispatcher may play */
	struct settings_voice voices[SETTINGS_VOICES_MAX];
	size_t n_voices;
	struct types types; /* barkd's voices, for those without AddVoice */
	unsigned told;      /* of which keys nonsense was told, by bits */
};

void settings_init(struct settings *s);
/* Lines that are not understood are told on stderr and left out; a missing
 * file is as good as an empty one. */
void settings_read(struct settings *s, const char *path);
/* Never refuses anything, as the server would wait for ever: what is no value of
 * its key stands for the usual one, or the nearest, and is told on stderr once.
 * Keys that are not known are for other modules. */
void settings_set(struct settings *s, const char *name, const char *value);
/* *voice and *language: the caller's to free(), or NULL. */
void settings_apply(const struct settings *s, struct barkd_say *how,
		    char **voice, char **language);

#endif
