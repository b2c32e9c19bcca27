/* SPDX-License-Identifier: MIT */
#include "voices.h"

#include <stdlib.h>
#include <string.h>

#define ATTRIBUTION "name", "barkd", "url", "https://github.com/suno-ai/bark"

static json_t *voice_of(const json_t *v)
{
	const char *name = json_string_value(json_object_get(v, "name"));
	const char *language =
		json_string_value(json_object_get(v, "language"));

	return name ? json_pack("{s:s, s:s, s:{s:s, s:s}, s:b, s:n, s:[s],"
				" s:n}",
				"name", name, "description", name,
				"attribution", ATTRIBUTION, "installed", 1,
				"version", "languages",
				language ? language : "en", "speakers")
		    : NULL;
}

json_t *voices_info(struct barkd_client *client)
{
	json_t *voices = json_array(), *all = NULL, *v;
	char *text = NULL;
	size_t i;

	if (barkd_client_get(client, "/v1/voices", &text) == 0)
		all = json_loads(text, 0, NULL);
	free(text);
	json_array_foreach(all, i, v) {
		json_t *voice = voice_of(v);

		if (voice)
			json_array_append_new(voices, voice);
	}
	json_decref(all);
	return json_pack("{s:[{s:s, s:s, s:{s:s, s:s}, s:b, s:s, s:o, s:b}],"
			 " s:[], s:[], s:[], s:[], s:[], s:[]}",
			 "tts", "name", "barkd", "description",
			 "Bark, computed by barkd", "attribution", ATTRIBUTION,
			 "installed", 1, "version", BARKD_VERSION, "voices",
			 voices, "supports_synthesize_streaming", 1, "asr",
			 "handle", "intent", "wake", "mic", "snd");
}
