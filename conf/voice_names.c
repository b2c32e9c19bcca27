/* SPDX-License-Identifier: MIT */
#include "voice_names.h"

#include <stddef.h>
#include <string.h>

/* Of suno's presets those in English, by suno's own list ("Speaker library"),
 * and the voices of the model that comes with barkd. */
const char *voice_gender(const char *name)
{
	static const char speaker[] = "en_speaker_";
	const char *slash = strrchr(name, '/');
	const char *p = slash ? slash + 1 : name;

	if (strcmp(p, "slt") == 0)
		return "female";
	if (strcmp(p, "awb") == 0 || strcmp(p, "rms") == 0)
		return "male";
	if (strncmp(p, speaker, strlen(speaker)) != 0)
		return NULL;
	p += strlen(speaker);
	if (*p < '0' || *p > '9' || p[1])
		return NULL;
	return *p == '9' ? "female" : "male";
}
