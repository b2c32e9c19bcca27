/* SPDX-License-Identifier: MIT */
/* barkd.conf, and what SET says. No I/O but reading the file. */
#ifndef SPEECHD_SETTINGS_H
#define SPEECHD_SETTINGS_H

#include "barkd-client.h"
#include "text.h"

#define SETTINGS_NAME_MAX 64
#define SETTINGS_VOICES_MAX 64

struct settings_voice {
	char language[16], type[16], name[SETTINGS_NAME_MAX];
};

struct settings {
	int rate, pitch, volume; /* -100..100 */
	struct text_style style;
	char language[16], type[16];
	char voice[SETTINGS_NAME_MAX]; /* "": by language and type */
	char socket[108];              /* "": the usual one */
	bool served;                   /* Speech Dispatcher may play */
	struct settings_voice voices[SETTINGS_VOICES_MAX];
	size_t n_voices;
};

void settings_init(struct settings *s);
/* Lines that are not understood are told on stderr and left out; a missing
 * file is as good as an empty one. */
void settings_read(struct settings *s, const char *path);
/* -EINVAL: not a value of this key. Unknown keys are for other modules. */
int settings_set(struct settings *s, const char *key, const char *value);
/* *voice and *language: the caller's to free(), or NULL. */
void settings_apply(const struct settings *s, struct barkd_say *how,
		    char **voice, char **language);

#endif
