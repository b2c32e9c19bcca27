/* SPDX-License-Identifier: MIT */
#include "api_speech.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api_fields.h"
#include "conf.h"


enum field_kind { FIELD_STRING, FIELD_NUMBER, FIELD_INTEGER };

/* Those of a query. */
static const struct {
	const char *name;
	enum field_kind kind;
} fields[] = {
	{"input", FIELD_STRING},	   {"model", FIELD_STRING},
	{"voice", FIELD_STRING},	   {"language", FIELD_STRING},
	{"response_format", FIELD_STRING}, {"stream_format", FIELD_STRING},
	{"speed", FIELD_NUMBER},	   {"pitch", FIELD_NUMBER},
	{"volume", FIELD_NUMBER},	   {"seed", FIELD_INTEGER},
};

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

/* "-2025-12-15" and "-1106", as OpenAI's models are dated. */
static bool is_date(const char *s)
{
	static const char *const shapes[] = {"-dddd-dd-dd", "-dddd"};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		const char *p = s, *shape = shapes[i];

		while (*shape && (*shape == 'd' ? isdigit((unsigned char)*p)
						: *p == *shape))
			p++, shape++;
		if (!*shape && !*p)
			return true;
	}
	return false;
}

bool speech_model_is_openai(const char *name)
{
	static const char *const names[] = {"tts-1", "tts-1-hd",
					    "gpt-4o-mini-tts"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = strlen(names[i]);

		if (strncmp(names[i], name, n) == 0 &&
		    (!name[n] || is_date(name + n)))
			return true;
	}
	return false;
}

/* The voice may be an object that has the name as its id. */
static int get_voice(json_t *root, struct speech_request *q,
		     struct api_error *err)
{
	json_t *v = api_get(root, "voice");
	int r = api_get_bool(root, "fallback", &q->fallback, err);

	if (r == 0 && json_is_object(v)) {
		r = api_get_string(v, "id", API_NAME_MAX, &q->voice, err);
		json_object_del(root, "voice");
	}
	return r < 0 ? r
		     : api_get_voice(root, q->fallback, &q->voice,
				     &q->language, err);
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
	const char *formats[ENCODER_N_FORMATS + 2] = {
		[ENCODER_N_FORMATS] = "spiel",
	};
	int format = ENCODER_MP3, r;

	for (int i = 0; i < ENCODER_N_FORMATS; i++)
		formats[i] = encoder_name((enum encoder_format)i);
	r = get_word(root, "response_format", formats, &format, err);
	if (r < 0)
		return r;
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

/* Fields that are not known are other services', and left alone. Takes root. */
static int take(struct speech_request *ret, json_t *root,
		struct api_error *err)
{
	static const char *const streams[] = {"audio", "sse", NULL};
	struct speech_request q = {.speed = 1, .pitch = 1, .volume = 1};
	int stream = 0, r;

	r = api_get_text(root, "input", &q.text, err);
	if (r == 0)
		r = api_get_string(root, "model", API_NAME_MAX, &q.model, err);
	if (r == 0)
		r = get_voice(root, &q, err);
	if (r == 0)
		r = get_format(root, &q.format, &q.spiel, err);
	if (r == 0)
		r = get_word(root, "stream_format", streams, &stream, err);
	if (r == 0)
		r = api_get_number(root, "speed", CONF_RATE_MIN,
				   CONF_SPEED_MAX,
				   &q.speed, err);
	if (r == 0)
		r = api_get_number(root, "pitch", CONF_PITCH_MIN,
				   CONF_PITCH_MAX, &q.pitch, err);
	if (r == 0)
		r = api_get_number(root, "volume", 0, CONF_VOLUME_MAX,
				   &q.volume, err);
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

int speech_request_parse(struct speech_request *ret, const char *body,
			 size_t n, struct api_error *err)
{
	json_t *root;
	int r = api_object(&root, body, n, false, err);

	return r < 0 ? r : take(ret, root, err);
}

/* A number is one where it stands alone; else it stays a string, of the wrong
 * type. */
static json_t *as_json(const char *text, enum field_kind kind)
{
	char *end;
	double v;

	if (kind == FIELD_INTEGER && *text &&
	    !text[strspn(text, "0123456789")] && strlen(text) < 20)
		return json_integer((json_int_t)strtoull(text, NULL, 10));
	if (kind == FIELD_NUMBER && *text && !strpbrk(text, " xXpPiInN")) {
		v = strtod(text, &end);
		if (!*end && isfinite(v))
			return json_real(v);
	}
	return json_string(text);
}

int speech_request_query(struct speech_request *ret,
			 const char *(*get)(const void *data,
					    const char *name),
			 const void *data, struct api_error *err)
{
	json_t *root = json_object();

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		const char *text = get(data, fields[i].name);
		json_t *v = text ? as_json(text, fields[i].kind) : NULL;

		if (text && !v) {
			json_decref(root);
			return api_error_set(err, 400, fields[i].name,
					     "invalid_value",
					     "%s is not UTF-8",
					     fields[i].name);
		}
		if (v && json_object_set_new(root, fields[i].name, v) < 0) {
			json_decref(root);
			return api_no_memory(err);
		}
	}
	return root ? take(ret, root, err) : api_no_memory(err);
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
