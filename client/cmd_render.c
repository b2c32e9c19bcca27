/* SPDX-License-Identifier: MIT */
/* barkctl render: text to a sound file, without a daemon. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../plugin/sound_files.h"
#include "commands.h"
#include "options.h"
#include "speech.h"

#define READ_SAMPLES 4800

static int write_speech(struct bark_session *session, SNDFILE *file,
			const char *path)
{
	float pcm[READ_SAMPLES];
	struct bark_event event;
	ssize_t n;

	while ((n = bark_session_read(session, pcm, READ_SAMPLES, -1)) > 0)
		if (sf_write_float(file, pcm, n) != n)
			return options_fail("cannot write %s: %s", path,
					    sf_strerror(file));
	while (bark_session_event(session, &event))
		if (event.type == BARK_EVENT_ERROR)
			n = event.error;
	return n < 0 ? options_fail("the model stopped: %s",
				    strerror((int)-n)) : EXIT_OK;
}

static int render(struct bark_model *model, struct bark_voice *voice,
		  const struct bark_session_options *opts,
		  const struct bark_engine_options *compute, const char *text,
		  size_t len, const char *path)
{
	SF_INFO info = { .samplerate = (int)bark_model_rate(model),
			 .channels = 1, .format = sound_file_format(path) };
	struct bark_engine *engine = NULL;
	struct bark_session *session = NULL;
	struct bark_error err = { "out of memory" };
	SNDFILE *file = NULL;
	int status;

	if (bark_engine_new(&engine, compute) < 0 ||
	    bark_session_new(&session, engine, model, voice, opts, &err) < 0 ||
	    bark_session_start(session, text, len, &err) < 0) {
		status = options_fail("%s", err.message);
	} else if (!(file = sf_open(path, SFM_WRITE, &info))) {
		status = options_fail("cannot write %s: %s", path,
				      sf_strerror(NULL));
	} else {
		/* Loud sounds are cut, not wrapped round. */
		sf_command(file, SFC_SET_CLIPPING, NULL, SF_TRUE);
		status = write_speech(session, file, path);
		if (sf_close(file) != 0 && status == EXIT_OK)
			status = options_fail("cannot write %s", path);
	}
	bark_session_free(session);
	bark_engine_unref(engine);
	return status;
}

int cmd_render(int argc, char **argv)
{
	const char *model_name = NULL, *voice_name = NULL, *path = NULL;
	struct bark_session_options opts = { .ahead_ms = 10000 };
	struct bark_engine_options compute = { 0 };
	uint64_t seed = 0, threads = 0;
	int precision = -1, mode = -1, first, status;
	const struct option_def defs[] = {
		OPTION_STRING('m', "model", &model_name),
		OPTION_STRING('v', "voice", &voice_name),
		OPTION_STRING('l', "language", &opts.language),
		OPTION_STRING('o', "output", &path),
		OPTION_U64(0, "seed", &seed, NULL, 0, UINT64_MAX),
		OPTION_U64(0, "threads", &threads, NULL, 1, 256),
		OPTION_CHOICE(0, "precision", &precision, NULL,
			      speech_precisions),
		OPTION_CHOICE(0, "mode", &mode, NULL, speech_modes),
		OPTION_FLAG(0, "greedy", &opts.greedy),
		OPTION_FLAG(0, "keep-silence", &opts.keep_silence),
	};
	struct bark_model *model;
	struct bark_voice *voice;
	char *text;
	size_t len;

	status = options_parse(argc, argv, defs, ARRAY_LEN(defs), &first);
	if (status)
		return status;
	if (!path)
		return options_usage("render", "-o FILE is missing");
	if (!sound_file_format(path))
		return options_usage("render", "'%s' does not end in .wav, .flac, .ogg, .opus or .mp3",
				     path);
	status = options_text(&text, &len, "render", argc - first, argv + first,
			      true);
	if (status)
		return status;
	status = speech_open(&model, &voice, model_name, voice_name,
			     precision, BARK_PRECISION_DEFAULT);
	if (status == EXIT_OK) {
		opts.mode = speech_mode(mode, BARK_MODE_EXACT);
		opts.seed = seed;
		compute.threads = (unsigned)threads;
		status = render(model, voice, &opts, &compute, text, len, path);
		bark_voice_unref(voice);
		bark_model_unref(model);
	}
	free(text);
	return status;
}
