/* SPDX-License-Identifier: MIT */
/* barkctl bench: how long each stage takes, on a model or on random weights. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench_parts.h"
#include "codec.h"
#include "commands.h"
#include "model.h"
#include "options.h"
#include "peaks.h"
#include "session.h"
#include "speech.h"

/* About a sentence of text. */
#define TEXT_IDS 24

enum { SEMANTIC, COARSE, FINE, CODEC, STAGES };

static const struct {
	const char *name, *unit;
} stages[STAGES] = {
	[SEMANTIC] = { "semantic", "tokens" },
	[COARSE] = { "coarse", "tokens" },
	[FINE] = { "fine", "frames" },
	[CODEC] = { "codec", "frames" },
};

struct stage {
	double seconds;
	size_t units;
	struct bark_work work;
};

struct bench {
	struct bark_model *model;
	struct bark_voice *voice;
	bool random; /* weights */
	enum bark_mode mode;
	unsigned threads, n_semantic;
	double load, first_audio, audio;
	struct stage stages[STAGES];
	double peak_mb; /* of memory, before the machine was measured */
	struct bench_figure parts[BENCH_PARTS];
	struct peaks peaks;
	const char *kernels;
	unsigned used_threads;
};

static void fill_ids(const struct bark_model *m, int32_t *ids, size_t n)
{
	size_t words = m->config.semantic.gpt.n_in - m->config.semantic.text_offset;

	for (size_t i = 0; i < n; i++)
		ids[i] = (int32_t)((i * 7919 + 101) % (words / 2));
}

struct lap {
	const struct bark_compute *compute;
	double at;
	struct bark_work work;
};

static void begin(struct lap *lap, const struct bark_compute *compute)
{
	*lap = (struct lap){ .compute = compute, .at = bark_now(),
			     .work = compute->work };
}

/* What came since begin() or the last end(). */
static void end(struct lap *lap, struct stage *ret, size_t units)
{
	const struct bark_work *now = &lap->compute->work;

	*ret = (struct stage){
		.seconds = bark_now() - lap->at,
		.units = units,
		.work = { now->operations - lap->work.operations,
			  now->bytes - lap->work.bytes },
	};
	begin(lap, lap->compute);
}

/* The stages one after another, each timed alone. */
static int run_stages(struct bench *b)
{
	const struct bark_config *m = &b->model->config;
	struct bark_compute compute = { 0 };
	struct bark_timeline_options opts;
	struct bark_timeline t;
	struct bark_codec *codec = NULL;
	int32_t ids[TEXT_IDS];
	float *pcm = NULL;
	struct lap lap;
	int r;

	bk_ops_init(&compute.ops, ~0u);
	b->kernels = compute.ops.name;
	r = bk_pool_new(&compute.pool, b->threads, 0);
	if (r < 0)
		return r;
	b->used_threads = bk_pool_threads(compute.pool);
	bark_timeline_defaults(&opts, m, b->mode);
	opts.no_eos = true;
	opts.max_semantic = b->n_semantic;
	r = bark_timeline_init(&t, &compute, b->model, b->voice, &opts);
	if (r < 0) {
		bk_pool_free(compute.pool);
		return r;
	}
	fill_ids(b->model, ids, TEXT_IDS);
	bark_timeline_begin(&t, ids, TEXT_IDS);

	begin(&lap, &compute);
	while (bark_semantic_ready(&t))
		bark_semantic_step(&t);
	end(&lap, &b->stages[SEMANTIC], t.n_semantic);
	while (bark_coarse_ready(&t))
		bark_coarse_step(&t);
	end(&lap, &b->stages[COARSE], t.n_coarse);
	while (bark_fine_ready(&t))
		bark_fine_step(&t);
	end(&lap, &b->stages[FINE], t.n_fine);

	b->audio = (double)t.n_fine * m->codec.hop / m->codec.rate;
	pcm = malloc((t.n_fine * m->codec.hop + 1) * sizeof(*pcm));
	r = pcm ? bark_codec_new(&codec, &compute, b->model) : -ENOMEM;
	if (r == 0) {
		begin(&lap, &compute);
		bark_codec_decode(codec,
				  t.fine + t.fine_base * m->fine.n_total,
				  t.n_fine, pcm);
		end(&lap, &b->stages[CODEC], t.n_fine);
	}
	bark_codec_free(codec);
	free(pcm);
	bark_timeline_clear(&t);
	bk_pool_free(compute.pool);
	return r;
}

/* What a listener waits for what he can hear, the model being warm. */
static int run_first_audio(struct bench *b)
{
	struct bark_session_options opts = {
		.mode = b->mode,
		/* Random weights make no speech that could begin. */
		.keep_silence = b->random,
	};
	struct bark_engine_options compute = { .threads = b->threads };
	struct bark_session *s = NULL;
	struct bark_engine *engine;
	int32_t ids[TEXT_IDS];
	float sample;
	int r;

	r = bark_engine_new(&engine, &compute);
	if (r < 0)
		return r;
	r = bark_session_new(&s, engine, b->model, b->voice, &opts, NULL);
	if (r == 0) {
		/* Random weights seldom end by themselves. */
		if (b->n_semantic < s->timeline.semantic_cap)
			s->timeline.semantic_cap = b->n_semantic;
		fill_ids(b->model, ids, TEXT_IDS);
		r = bark_session_start_ids(s, ids, TEXT_IDS);
	}
	if (r == 0) {
		bark_session_read(s, &sample, 1, -1);
		b->first_audio = bark_session_first_audio(s);
	}
	bark_session_free(s);
	bark_engine_unref(engine);
	return r;
}

static double peak_mb(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (double)use.ru_maxrss / 1024;
}

static const struct {
	const char *name, *key;
} parts[BENCH_PARTS] = {
	[PART_SEMANTIC_STEP] = { "semantic step behind", "semantic_step" },
	[PART_COARSE_STEP] = { "coarse step behind", "coarse_step" },
	[PART_COARSE_PREFILL] = { "coarse prefill of", "coarse_prefill" },
	[PART_FINE_WINDOW] = { "fine window of", "fine_window" },
};

static int run_parts(struct bench *b)
{
	struct bark_compute compute = { 0 };
	int r;

	bk_ops_init(&compute.ops, ~0u);
	r = bk_pool_new(&compute.pool, b->threads, 0);
	if (r == 0)
		r = bench_parts(b->parts, &compute, b->model);
	if (r == 0)
		r = peaks_measure(&b->peaks, &compute, b->model->int8);
	bk_pool_free(compute.pool);
	return r;
}

static void print_row(const char *what, double seconds)
{
	printf("%-12s %9.3f s\n", what, seconds);
}

/* What was reached, and how much of the machine's that is. */
static void print_rates(const struct bench *b, double seconds,
			const struct bark_work *work)
{
	const double bytes = work->bytes / seconds;
	const double operations = work->operations / seconds;

	printf(" %7.1f GB/s %4.0f%% %7.1f GOP/s %4.0f%%\n", bytes * 1e-9,
	       100 * bytes / b->peaks.bytes, operations * 1e-9,
	       100 * operations / b->peaks.operations);
}

static void print_stage(const struct bench *b, unsigned i)
{
	const struct stage *s = &b->stages[i];

	printf("%-12s %9.3f s %6zu %s %9.3f ms each %7.3f s/s", stages[i].name,
	       s->seconds, s->units, stages[i].unit,
	       s->seconds * 1e3 / (double)(s->units ? s->units : 1),
	       s->seconds / b->audio);
	print_rates(b, s->seconds, &s->work);
}

static void print_part(const struct bench *b, unsigned i)
{
	const struct bench_figure *f = &b->parts[i];

	printf("%-20s %5zu %29.3f ms             ", parts[i].name, f->rows,
	       f->seconds * 1e3);
	print_rates(b, f->seconds, &f->work);
}

static void print_table(const struct bench *b)
{
	double all = 0;

	printf("kernels %s, %u threads: %.1f GB/s read from memory, %.1f GOP/s of %s in the cache\n",
	       b->kernels, b->used_threads, b->peaks.bytes * 1e-9,
	       b->peaks.operations * 1e-9, b->model->int8 ? "int8" : "f32");
	print_row("load", b->load);
	for (unsigned i = 0; i < STAGES; i++) {
		print_stage(b, i);
		all += b->stages[i].seconds;
	}
	printf("%-12s %9.3f s %39.3f s/s\n", "all", all, all / b->audio);
	for (unsigned i = 0; i < BENCH_PARTS; i++)
		print_part(b, i);
	print_row("first audio", b->first_audio);
	print_row("audio", b->audio);
	printf("%-12s %9.1f MB\n", "peak memory", b->peak_mb);
}

static int set_stage(json_t *root, const char *name, const char *key, double v)
{
	char full[32];

	snprintf(full, sizeof(full), "%s_%s", name, key);
	return json_object_set_new(root, full, json_real(v));
}

static int print_json(const struct bench *b)
{
	json_t *root = json_pack(
		"{s:s, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:I}",
		"kernels", b->kernels, "threads", (int)b->used_threads,
		"load_s", b->load, "first_audio_s", b->first_audio, "audio_s",
		b->audio, "peak_mb", b->peak_mb, "memory_gb_per_s",
		b->peaks.bytes * 1e-9, "cache_gop_per_s",
		b->peaks.operations * 1e-9, "semantic_tokens",
		(json_int_t)b->stages[SEMANTIC].units, "coarse_tokens",
		(json_int_t)b->stages[COARSE].units, "frames",
		(json_int_t)b->stages[FINE].units);
	int r = root ? 0 : -1;

	for (unsigned i = 0; i < STAGES && r == 0; i++) {
		const struct stage *s = &b->stages[i];

		r = set_stage(root, stages[i].name, "s", s->seconds);
		if (r == 0)
			r = set_stage(root, stages[i].name, "gb_per_s",
				      s->work.bytes / s->seconds * 1e-9);
		if (r == 0)
			r = set_stage(root, stages[i].name, "gop_per_s",
				      s->work.operations / s->seconds * 1e-9);
	}
	for (unsigned i = 0; i < BENCH_PARTS && r == 0; i++)
		r = set_stage(root, parts[i].key, "s", b->parts[i].seconds);
	if (r == 0)
		r = json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	json_decref(root);
	putchar('\n');
	return r < 0 ? options_fail("out of memory") : EXIT_OK;
}

static int open_random(struct bench *b, bool large, int precision)
{
	struct bark_config config;

	bark_config_published(&config, large);
	return bark_model_random(&b->model, &config,
				 speech_precision(precision,
						  BARK_PRECISION_DEFAULT),
				 1) < 0 ?
		       options_fail("out of memory") : EXIT_OK;
}

int cmd_bench(int argc, char **argv)
{
	static const char *const shapes[] = { "small", "large", NULL };
	const char *model_name = NULL, *voice_name = NULL;
	uint64_t threads = 0, n_semantic = 200;
	int precision = -1, mode = -1, shape = -1, first, status, r;
	bool json = false;
	struct bench b = { 0 };
	const struct option_def defs[] = {
		OPTION_STRING('m', "model", &model_name),
		OPTION_STRING('v', "voice", &voice_name),
		OPTION_CHOICE(0, "shape", &shape, NULL, shapes),
		OPTION_U64(0, "threads", &threads, NULL, 1, 256),
		OPTION_U64(0, "semantic-tokens", &n_semantic, NULL, 1, 8192),
		OPTION_CHOICE(0, "precision", &precision, NULL,
			      speech_precisions),
		OPTION_CHOICE(0, "mode", &mode, NULL, speech_modes),
		OPTION_FLAG(0, "json", &json),
	};
	double at = bark_now();

	status = options_parse(argc, argv, defs, ARRAY_LEN(defs), &first);
	if (status)
		return status;
	if (first < argc || (model_name && shape >= 0))
		return options_usage("bench", "either -m or --shape, and no other arguments");
	if (shape >= 0) {
		status = open_random(&b, shape == 1, precision);
		if (status == EXIT_OK && voice_name &&
		    bark_voice_open(&b.voice, b.model, voice_name, NULL) < 0) {
			bark_model_unref(b.model);
			status = options_fail("cannot open the voice %s",
					      voice_name);
		}
	} else {
		status = speech_open(&b.model, &b.voice, model_name, voice_name,
				     precision, BARK_PRECISION_DEFAULT);
	}
	if (status)
		return status;
	b.random = shape >= 0;
	b.load = bark_now() - at;
	b.mode = speech_mode(mode, BARK_MODE_LOW_LATENCY);
	b.threads = (unsigned)threads;
	b.n_semantic = (unsigned)n_semantic;
	r = run_stages(&b);
	if (r == 0)
		r = run_first_audio(&b);
	b.peak_mb = peak_mb();
	if (r == 0)
		r = run_parts(&b);
	bark_voice_unref(b.voice);
	bark_model_unref(b.model);
	if (r < 0)
		return options_fail("%s", r == -EINVAL ?
				    "the model's windows do not fit its blocks" :
				    strerror(-r));
	if (json)
		return print_json(&b);
	print_table(&b);
	return EXIT_OK;
}
