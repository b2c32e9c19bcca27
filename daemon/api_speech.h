/* SPDX-License-Identifier: MIT */
/*
 * What /v1/audio/speech is asked: OpenAI's body (its API reference, "Create
 * speech"), with what barkd adds, or the same fields in a query; see
 * docs/api.md.
 */
#ifndef BARKD_API_SPEECH_H
#define BARKD_API_SPEECH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api_error.h"
#include "encoder.h"

/* Strings are owned; NULL: not asked for. */
struct speech_request {
	char *text;
	size_t n_text; /* bytes */
	char *model, *voice, *language;
	enum encoder_format format;
	double speed, pitch, volume; /* 1: not asked for */
	bool sse;   /* as Server-Sent Events */
	bool spiel; /* format is ENCODER_PCM, in frames with events */
	bool has_seed;
	bool fallback; /* a voice that is not there is no error */
	uint64_t seed;
};

/* -EINVAL or -ENOMEM with err filled; *ret is untouched then. */
int speech_request_parse(struct speech_request *ret, const char *body,
			 size_t n, struct api_error *err);
/* The same of a query; get() returns a field's text or NULL. */
int speech_request_query(struct speech_request *ret,
			 const char *(*get)(const void *data,
					    const char *name),
			 const void *data, struct api_error *err);
void speech_request_clear(struct speech_request *r);

/* Whether the voice is one of OpenAI's, which stand for the default one. */
bool speech_voice_is_openai(const char *name);
/* Whether the model is one of OpenAI's that speak, with a date behind its name
 * or without; any of them stands for the configured one. */
bool speech_model_is_openai(const char *name);

#endif
