/* SPDX-License-Identifier: MIT */
/* libFuzzer: the body of each request that has one, whatever its route. */
#include "api_speak.h"
#include "api_speech.h"
#include "fuzz.h"

static void speak(const char *body, size_t n)
{
	struct speak_request r;
	struct api_error err;

	if (speak_request_parse(&r, body, n, &err) < 0)
		return;
	fuzz_check(r.text && r.n_text == strlen(r.text) && r.n_text > 0);
	fuzz_check(r.n_text <= API_TEXT_MAX);
	fuzz_check(r.rate > 0 && r.pitch > 0 && r.volume >= 0);
	speak_request_clear(&r);
}

static void speech(const char *body, size_t n)
{
	struct speech_request r;
	struct api_error err;

	if (speech_request_parse(&r, body, n, &err) < 0)
		return;
	fuzz_check(r.text && r.n_text == strlen(r.text));
	fuzz_check(r.speed > 0);
	speech_request_clear(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *body = fuzz_string(data, size);
	struct api_error err;
	uint64_t id;

	speak(body, size);
	speech(body, size);
	stop_request_parse(&id, body, size, &err);
	empty_request_parse(body, size, &err);
	free(body);
	return 0;
}
