/* SPDX-License-Identifier: MIT */
#include "api_speech.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api_fields.h"
#include "conf.h"

#define SPEED_MIN 0.25
#define SPEED_MAX 4.0

static const char *const formats[] = {"mp3", "opus", "aac", "flac", "wav",
				      "pcm", "spiel", NULL};

bool speech_voice_is_openai(const char *name)
{
	static const char *const names[] = {
		"alloy", "ash", "ballad", "cedar", "coral", "echo", "fable",
		"marin", "nova", "onyx", "sage", "shimmer", "verse",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* A name, or an object that has it as its id. */
static int get_voice(json_t *root, char **ret, struct api_error *err)
{
	json_t *v = api_get(root, "voice");

	if (json_is_object(v))
		return api_get_string(v, "id", API_NAME_MAX, ret, err);
	return api_get_string(root, "voice", API_NAME_MAX, ret, err);
}

/* One word of a list; *ret is its place. */
static int get_word(json_t *root, const char *name, const char *const *words,
		    int *ret, struct api_error *err)
{
	json_t *v = api_get(root, name);
	char all[64] = "";

	if (!v)
		return 0;
	if (!json_is_string(v))
		return api_wrong_type(err, name, "a string");
	for (int i = 0; words[i]; i++) {
		if (strcmp(words[i], json_string_value(v)) == 0) {
			*ret = i;
			return 0;
		}
		strcat(strcat(all, i ? ", " : ""), words[i]);
	}
	return api_error_set(err, 400, name, "invalid_value",
			     "%s must be one of %s", name, all);
}

static int get_format(json_t *root, enum encoder_format *ret, bool *ret_spiel,
		      struct api_error *err)
{
	int format = ENCODER_MP3;
	int r = get_word(root, "response_format", formats, &format, err);

	if (r < 0)
		return r;
	/* The list is in the formats' order, but for the last. */
	*ret_spiel = format == ENCODER_N_FORMATS;
	if (*ret_spiel)
		format = ENCODER_PCM;
	*ret = (enum encoder_format)format;
	if (!encoder_has(*ret))
		return api_error_set(err, 400, "response_format",
				     "unsupported_format",
				     "this barkd was built without %s",
				     formats[format]);
	return 0;
}

int speech_request_parse(struct speech_request *ret, const char *body,
			 size_t n, struct api_error *err)
{
	static const char *const streams[] = {"audio", "sse", NULL};
	struct speech_request q = {.speed = 1, .pitch = 1, .volume = 1};
	int stream = 0, r;
	json_t *root;

	/* Fields that are not known are other services', and left alone. */
	r = api_object(&root, body, n, false, err);
	if (r < 0)
		return r;
	r = api_get_text(root, "input", &q.text, err);
	if (r == 0)
		r = api_get_string(root, "model", API_NAME_MAX, &q.model, err);
	if (r == 0)
		r = get_voice(root, &q.voice, err);
	if (r == 0)
		r = get_format(root, &q.format, &q.spiel, err);
	if (r == 0)
		r = get_word(root, "stream_format", streams, &stream, err);
	if (r == 0)
		r = api_get_number(root, "speed", SPEED_MIN, SPEED_MAX,
				   &q.speed, err);
	if (r == 0)
		r = api_get_number(root, "pitch", CONF_PITCH_MIN,
				   CONF_PITCH_MAX, &q.pitch, err);
	if (r == 0)
		r = api_get_number(root, "volume", 0, CONF_VOLUME_MAX,
				   &q.volume, err);
	if (r == 0)
		r = api_get_string(root, "language", API_NAME_MAX, &q.language,
				   err);
	if (r == 0)
		r = api_get_integer(root, "seed", &q.has_seed, &q.seed, err);
	json_decref(root);
	if (r < 0) {
		speech_request_clear(&q);
		return r;
	}
	q.n_text = strlen(q.text);
	q.sse = stream == 1;
	*ret = q;
	return 0;
}

void speech_request_clear(struct speech_request *r)
{
	if (!r)
		return;
	free(r->text);
	free(r->model);
	free(r->voice);
	free(r->language);
	r->text = r->model = r->voice = r->language = NULL;
}
