/* SPDX-License-Identifier: MIT */
/* Which voice and language speak a text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "language.h"
#include "log.h"
#include "find.h"

const char *voice_default(const struct daemon *d)
{
	return d->conf.model.voice ? d->conf.model.voice
				   : studio_info(d->studio).name;
}

void voice_language(char ret[4], const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *p = slash ? slash + 1 : name;
	size_t n = strcspn(p, "_");

	ret[0] = '\0';
	if ((n == 2 || n == 3) && strncmp(p + n, "_speaker_", 9) == 0) {
		memcpy(ret, p, n);
		ret[n] = '\0';
	}
}

bool voice_exists(struct daemon *d, const char *name)
{
	const char *alias = barkd_voice_alias(name);

	if (strcmp(name, "none") == 0 ||
	    strcmp(name, voice_default(d)) == 0 ||
	    strcmp(name, studio_info(d->studio).name) == 0)
		return true;
	if (!voices_has(d->voices, name) &&
	    !(alias && voices_has(d->voices, alias)))
		return false;
	voices_use(d->voices);
	return true;
}

char *voice_for_language(struct daemon *d, const char *language)
{
	char have[4], *name = NULL;

	voice_language(have, voice_default(d));
	if (language_same(d->conf.model.voice ? have : d->conf.model.language,
		   language))
		return NULL;
	voices_use(d->voices);
	for (size_t i = 0; !name && i < voices_count(d->voices); i++) {
		voice_language(have, voices_name(d->voices, i));
		if (language_same(have, language))
			name = strdup(voices_name(d->voices, i));
	}
	return name;
}

void voice_missing(struct daemon *d, const char *voice)
{
	for (int i = 0; i < VOICES_MISSING_MAX; i++) {
		if (!d->missing[i]) {
			d->missing[i] = strdup(voice);
			log_warning("the voice \"%.100s\" is not to be had; another speaks",
				    voice);
			return;
		}
		if (strcmp(d->missing[i], voice) == 0)
			return;
	}
}

struct studio_request voice_request(const struct daemon *d, const char *text,
				      size_t n_text, const char *voice,
				      const char *language)
{
	const char *own = d->conf.model.language, *preset;
	struct studio_request request = {.text = text, .n_text = n_text};
	char its[4] = "";

	/* The model's own name stands for no preset. */
	if (voice && strcmp(voice, studio_info(d->studio).name) == 0)
		voice = "none";
	/* A preset's own language is known to the engine. */
	preset = voice ? voice : d->conf.model.voice;
	if (preset && strcmp(preset, "none") != 0)
		voice_language(its, preset);
	else if (!language)
		language = own;
	request.voice = voice;
	request.language = language;
	if (!supply_other_voice(d->supply))
		return request;
	language_of_text(request.must_speak, text, n_text,
			 language ? language
			 : *its	  ? its
				  : own);
	/* Of these the configuration and the voice say that it does. */
	if (language_same(request.must_speak, own) ||
	    language_same(request.must_speak, its))
		request.must_speak[0] = '\0';
	return request;
}
