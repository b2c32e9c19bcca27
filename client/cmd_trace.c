/* SPDX-License-Identifier: MIT */
/* barkctl trace: every stage's result as numpy files, for comparisons. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "codec.h"
#include "commands.h"
#include "npz.h"
#include "options.h"
#include "speech.h"
#include "stages.h"

struct trace {
	struct bark_compute compute;
	struct bark_model *model;
	struct bark_timeline timeline;
	const char *dir;
	const char *semantic, *coarse, *fine; /* replacements or NULL */
	char path[4096];
};

static const char *in_dir(struct trace *t, const char *name)
{
	snprintf(t->path, sizeof(t->path), "%s/%s", t->dir, name);
	return t->path;
}

static int save(struct trace *t, const char *name, const int32_t *data,
		size_t rows, size_t n)
{
	size_t dims[2] = { rows ? rows : n, n };
	int r = bark_npy_write_i32(in_dir(t, name), data, rows ? 2 : 1, dims);

	return r < 0 ? options_fail("cannot write %s: %s", t->path,
				    strerror(-r)) : EXIT_OK;
}

static int load(struct bark_ints *ret, const char *path, unsigned n_dims,
		size_t rows)
{
	struct bark_error err = { "" };

	if (bark_npy_read(ret, path, &err) < 0)
		return options_fail("%s", err.message);
	if (ret->n_dims == n_dims && (n_dims == 1 || ret->dims[0] == rows))
		return EXIT_OK;
	bark_ints_clear(ret);
	return options_fail("%s does not have the stage's shape", path);
}

/* Frames' codes books first, as the files keep them. */
static int save_frames(struct trace *t, const char *name, unsigned books)
{
	const struct bark_timeline *l = &t->timeline;
	unsigned total = t->model->config.fine.n_total;
	size_t n = l->n_frames;
	int32_t *codes = calloc(n * books + 1, sizeof(*codes));
	int status;

	if (!codes)
		return options_fail("out of memory");
	for (size_t i = 0; i < n; i++)
		for (unsigned b = 0; b < books; b++)
			codes[b * n + i] =
				l->fine[(l->fine_base + i) * total + b];
	status = save(t, name, codes, books, n);
	free(codes);
	return status;
}

static int trace_text(struct trace *t, const char *text)
{
	size_t most = t->model->config.semantic.max_input, n;
	int32_t *ids = calloc(most, sizeof(*ids));
	int status = EXIT_OK;

	if (!ids)
		return options_fail("out of memory");
	if (!t->model->tokenizer)
		status = options_fail("the model has neither vocab.txt nor tokenizer.json");
	else if (bark_tokenizer_encode(t->model->tokenizer, text, strlen(text),
				       ids, most, &n) < 0)
		status = options_fail("the text cannot be tokenised");
	if (status == EXIT_OK) {
		n = n < most ? n : most;
		bark_timeline_begin(&t->timeline, ids, n);
		status = save(t, "text_ids.npy", ids, 0, n);
	}
	free(ids);
	return status;
}

static int trace_semantic(struct trace *t)
{
	struct bark_timeline *l = &t->timeline;
	struct bark_ints given;
	int r;

	if (t->semantic) {
		r = load(&given, t->semantic, 1, 0);
		if (r)
			return r;
		r = bark_timeline_set_semantic(l, given.data, given.dims[0]);
		bark_ints_clear(&given);
		if (r < 0)
			return options_fail("%s has tokens the model cannot take",
					    t->semantic);
	}
	while (bark_semantic_ready(l))
		bark_semantic_step(l);
	return save(t, "semantic.npy", l->semantic + l->semantic_base, 0,
		    l->n_semantic);
}

static int trace_coarse(struct trace *t)
{
	struct bark_timeline *l = &t->timeline;
	unsigned books = t->model->config.coarse.n_codebooks;
	struct bark_ints given;
	int r;

	if (t->coarse) {
		r = load(&given, t->coarse, 2, books);
		if (r)
			return r;
		r = bark_timeline_set_coarse(l, given.data, given.dims[1]);
		bark_ints_clear(&given);
		if (r < 0)
			return options_fail("%s has codes the model cannot take",
					    t->coarse);
	}
	while (bark_coarse_ready(l))
		bark_coarse_step(l);
	return save_frames(t, "coarse.npy", books);
}

static int trace_fine(struct trace *t)
{
	struct bark_timeline *l = &t->timeline;
	unsigned books = t->model->config.fine.n_total;
	struct bark_ints given;
	int r;

	if (t->fine) {
		r = load(&given, t->fine, 2, books);
		if (r)
			return r;
		r = bark_timeline_set_fine(l, given.data, given.dims[1]);
		bark_ints_clear(&given);
		if (r < 0)
			return options_fail("%s has codes the model cannot take",
					    t->fine);
	}
	while (bark_fine_ready(l))
		bark_fine_step(l);
	return save_frames(t, "fine.npy", books);
}

static int trace_audio(struct trace *t)
{
	const struct bark_config *m = &t->model->config;
	const struct bark_timeline *l = &t->timeline;
	size_t n = l->n_fine * m->codec.hop;
	struct bark_codec *codec;
	float *pcm = calloc(n + 1, sizeof(*pcm));
	int r;

	if (!pcm || bark_codec_new(&codec, &t->compute, t->model) < 0) {
		free(pcm);
		return options_fail("out of memory");
	}
	bark_codec_decode(codec, l->fine + l->fine_base * m->fine.n_total,
			  l->n_fine, pcm);
	bark_codec_free(codec);
	r = bark_npy_write_f32(in_dir(t, "audio.npy"), pcm, n);
	free(pcm);
	return r < 0 ? options_fail("cannot write %s: %s", t->path,
				    strerror(-r)) : EXIT_OK;
}

static int run_stages(struct trace *t, const char *text)
{
	int status;

	if (mkdir(t->dir, 0777) < 0 && errno != EEXIST)
		return options_fail("cannot make %s: %s", t->dir,
				    strerror(errno));
	status = trace_text(t, text);
	if (status == EXIT_OK)
		status = trace_semantic(t);
	if (status == EXIT_OK)
		status = trace_coarse(t);
	if (status == EXIT_OK)
		status = trace_fine(t);
	return status == EXIT_OK ? trace_audio(t) : status;
}

int cmd_trace(int argc, char **argv)
{
	const char *model_name = NULL, *voice_name = NULL, *text = NULL;
	uint64_t seed = 0, max_semantic = 0, threads = 0;
	int precision = -1, mode = -1, first, status;
	bool greedy = false, no_eos = false;
	struct trace t = { 0 };
	const struct option_def defs[] = {
		OPTION_STRING('m', "model", &model_name),
		OPTION_STRING('v', "voice", &voice_name),
		OPTION_STRING('o', "output", &t.dir),
		OPTION_STRING(0, "text", &text),
		OPTION_STRING(0, "semantic", &t.semantic),
		OPTION_STRING(0, "coarse", &t.coarse),
		OPTION_STRING(0, "fine", &t.fine),
		OPTION_U64(0, "seed", &seed, NULL, 0, UINT64_MAX),
		OPTION_U64(0, "max-semantic", &max_semantic, NULL, 1, 8192),
		OPTION_U64(0, "threads", &threads, NULL, 1, 256),
		OPTION_FLAG(0, "greedy", &greedy),
		OPTION_FLAG(0, "no-eos", &no_eos),
		OPTION_CHOICE(0, "precision", &precision, NULL,
			      speech_precisions),
		OPTION_CHOICE(0, "mode", &mode, NULL, speech_modes),
	};
	struct bark_timeline_options opts;
	struct bark_voice *voice;
	const struct bark_config *m;

	status = options_parse(argc, argv, defs, ARRAY_LEN(defs), &first);
	if (status)
		return status;
	if (!text || !t.dir || !model_name || first < argc)
		return options_usage("trace", "-m DIR, --text TEXT and -o DIR are needed");
	status = speech_open(&t.model, &voice, model_name, voice_name,
			     precision, BARK_PRECISION_F32);
	if (status)
		return status;
	m = &t.model->config;
	bark_timeline_defaults(&opts, m, speech_mode(mode, BARK_MODE_EXACT));
	opts.no_eos = no_eos;
	opts.max_semantic = (unsigned)max_semantic;
	bk_ops_init(&t.compute.ops, ~0u);
	if (bk_pool_new(&t.compute.pool, (unsigned)threads, 0) < 0 ||
	    bark_timeline_init(&t.timeline, &t.compute, t.model, voice,
			       &opts) < 0) {
		status = options_fail("out of memory, or the model's windows do not fit its blocks");
	} else {
		t.timeline.sampler.seed = seed;
		t.timeline.sampler.greedy = greedy;
		status = run_stages(&t, text);
		bark_timeline_clear(&t.timeline);
	}
	bk_pool_free(t.compute.pool);
	bark_voice_unref(voice);
	bark_model_unref(t.model);
	return status;
}
