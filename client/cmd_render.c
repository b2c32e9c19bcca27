/* SPDX-License-Identifier: MIT */
/* barkctl render: text to a sound file, without a daemon. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../plugin/sound_files.h"
#include "commands.h"
#include "normalize.h"
#include "options.h"
#include "out_file.h"
#include "speech.h"

#define READ_SAMPLES 4800

/* What is made: a file, or with `normalize` first a whole sound. */
struct output {
	const char *path;
	bool normalize;
	double lufs;
	float *pcm;
	size_t n, room;
};

static int cannot_write(const char *path, int r)
{
	return options_fail("cannot write %s: %s", path, strerror(-r));
}

/* Takes what is read; 0 or negative errno. */
static int take(struct output *o, struct sound_file *file, const float *pcm,
		size_t n)
{
	if (!o->normalize)
		return sound_file_write(file, pcm, n);
	if (o->room - o->n < n) {
		const size_t room = o->room ? o->room * 2 : 64 * READ_SAMPLES;
		float *more = realloc(o->pcm, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		o->pcm = more;
		o->room = room;
	}
	memcpy(o->pcm + o->n, pcm, n * sizeof(*pcm));
	o->n += n;
	return 0;
}

static int write_speech(struct bark_session *session, struct sound_file *file,
			struct output *o, unsigned rate)
{
	float pcm[READ_SAMPLES];
	struct bark_event event;
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = bark_session_read(session, pcm, READ_SAMPLES,
						-1)) > 0)
		r = take(o, file, pcm, (size_t)n);
	if (r < 0)
		return cannot_write(o->path, r);
	while (bark_session_event(session, &event))
		if (event.type == BARK_EVENT_ERROR)
			n = event.error;
	if (n < 0)
		return options_fail("the model stopped: %s",
				    strerror((int)-n));
	if (o->normalize)
		r = normalize(o->pcm, o->n, rate, o->lufs);
	if (r == 0 && o->normalize)
		r = sound_file_write(file, o->pcm, o->n);
	return r < 0 ? cannot_write(o->path, r) : EXIT_OK;
}

static int write_file(struct bark_session *session, struct output *o,
		      unsigned rate)
{
	struct sound_file *file = NULL;
	struct out_file out;
	int status, r;

	r = out_file_open(&out, o->path);
	if (r < 0)
		return cannot_write(o->path, r);
	r = sound_file_new(&file, out.fd, rate, sound_file_format(o->path),
			   false);
	if (r < 0)
		status = cannot_write(o->path, r);
	else
		status = write_speech(session, file, o, rate);
	r = sound_file_close(file);
	if (status == EXIT_OK && r < 0)
		status = cannot_write(o->path, r);
	if (status != EXIT_OK) {
		out_file_drop(&out);
		return status;
	}
	r = out_file_keep(&out);
	return r < 0 ? cannot_write(o->path, r) : EXIT_OK;
}

static int render(struct bark_model *model, struct bark_voice *voice,
		  const struct bark_session_options *opts,
		  const struct bark_engine_options *compute, const char *text,
		  size_t len, struct output *o)
{
	struct bark_engine *engine = NULL;
	struct bark_session *session = NULL;
	struct bark_error err = { "out of memory" };
	int status;

	if (bark_engine_new(&engine, compute) < 0 ||
	    bark_session_new(&session, engine, model, voice, opts, &err) < 0 ||
	    bark_session_start(session, text, len, &err) < 0)
		status = options_fail("%s", err.message);
	else
		status = write_file(session, o, bark_model_rate(model));
	bark_session_free(session);
	bark_engine_unref(engine);
	free(o->pcm);
	return status;
}

int cmd_render(int argc, char **argv)
{
	const char *model_name = NULL, *voice_name = NULL;
	struct output out = { .lufs = NAN };
	struct bark_session_options opts = { .ahead_ms = 10000 };
	struct bark_engine_options compute = { 0 };
	uint64_t seed = 0, threads = 0;
	int precision = -1, mode = -1, first, status;
	const struct option_def defs[] = {
		OPTION_STRING('m', "model", &model_name),
		OPTION_STRING('v', "voice", &voice_name),
		OPTION_STRING('l', "language", &opts.language),
		OPTION_STRING('o', "output", &out.path),
		OPTION_U64(0, "seed", &seed, NULL, 0, UINT64_MAX),
		OPTION_U64(0, "threads", &threads, NULL, 1, 256),
		OPTION_CHOICE(0, "precision", &precision, NULL,
			      speech_precisions),
		OPTION_CHOICE(0, "mode", &mode, NULL, speech_modes),
		OPTION_FLAG(0, "greedy", &opts.greedy),
		OPTION_FLAG(0, "keep-silence", &opts.keep_silence),
		OPTION_DOUBLE(0, "normalize", &out.lufs, -50, -5),
	};
	struct bark_model *model;
	struct bark_voice *voice;
	char *text;
	size_t len;

	status = options_parse(argc, argv, defs, ARRAY_LEN(defs), &first);
	if (status)
		return status;
	out.normalize = !isnan(out.lufs);
	if (!out.path)
		return options_usage("render", "-o FILE is missing");
	if (!sound_file_format(out.path))
		return options_usage("render", "'%s' does not end in .wav, .flac, .ogg, .opus or .mp3",
				     out.path);
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
		status = render(model, voice, &opts, &compute, text, len, &out);
		bark_voice_unref(voice);
		bark_model_unref(model);
	}
	free(text);
	return status;
}
