/* SPDX-License-Identifier: MIT */
/* The transformer and the codec: any split gives the bits of the whole. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "gpt.h"
#include "stages.h"
#include "tap.h"
#include "tiny.h"

static struct bark_compute compute;
static struct bark_model *model;

static float *random_rows(size_t n)
{
	float *x = malloc(n * sizeof(*x));
	uint32_t state = 12345;

	for (size_t i = 0; x && i < n; i++) {
		state = state * 1664525 + 1013904223;
		x[i] = (float)(state >> 8) / (1 << 24) - 0.5f;
	}
	return x;
}

/* The last row's output after rows fed in steps of `step`. */
static void run_causal(const float *rows, size_t m, size_t step, float *out)
{
	const struct bark_gpt_config *g = &model->config.semantic.gpt;
	const struct bark_gpt_config *nets[] = { g };
	struct bark_scratch s = { 0 };
	struct bark_kv kv = { 0 };

	if (bark_scratch_init(&s, nets, 1, m, bk_pool_threads(compute.pool),
			      model->int8) ||
	    bark_kv_init(&kv, g, bark_kv_type(model), m))
		abort();
	for (size_t i = 0; i < m; i += step) {
		size_t n = m - i < step ? m - i : step;

		memcpy(s.x, rows + i * g->width, n * g->width * sizeof(*s.x));
		bark_gpt_causal(&compute, g, &model->semantic, &kv, &s, n);
	}
	memcpy(out, s.x, g->width * sizeof(*out));
	bark_kv_clear(&kv);
	bark_scratch_clear(&s);
}

static void test_prefill(const char *name)
{
	size_t width = model->config.semantic.gpt.width, m = 150;
	float whole[256], part[256], *rows = random_rows(m * width);
	const size_t steps[] = { 1, 2, 7, 64, 149 };

	run_causal(rows, m, m, whole);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		run_causal(rows, m, steps[i], part);
		TAP_CHECK(name,
			  memcmp(whole, part, width * sizeof(*whole)) == 0);
	}
	free(rows);
	tap_ok(name);
}

/* Wide enough that every product is split. */
static void test_threads(const char *name, enum bark_precision precision)
{
	struct bk_pool *two = compute.pool;
	struct bark_model *narrow = model;
	struct bark_config config;
	float whole[256], part[256], *rows;

	tiny_config(&config);
	config.semantic.gpt.width = 192;
	config.semantic.gpt.mlp_width = 768;
	rows = random_rows(150 * 192);
	TAP_CHECK(name, !bark_model_random(&model, &config, precision, 4));
	run_causal(rows, 150, 150, whole);
	for (unsigned threads = 1; threads <= 5; threads += 2) {
		TAP_CHECK(name, !bk_pool_new(&compute.pool, threads, 0));
		run_causal(rows, 150, 150, part);
		TAP_CHECK(name, memcmp(whole, part, 192 * sizeof(*whole)) == 0);
		run_causal(rows, 150, 40, part);
		TAP_CHECK(name, memcmp(whole, part, 192 * sizeof(*whole)) == 0);
		bk_pool_free(compute.pool);
	}
	bark_model_unref(model);
	free(rows);
	compute.pool = two;
	model = narrow;
	tap_ok(name);
}

/* Two timelines: m rows to the one and then one row to the other. */
static void run_lanes(const float *rows, size_t m, bool together, float *out)
{
	const struct bark_gpt_config *g = &model->config.semantic.gpt;
	const struct bark_gpt_config *nets[] = { g };
	struct bark_scratch s = { 0 };
	struct bark_kv kv[2] = { 0 };
	struct bark_lane lanes[2] = { { &kv[0], m }, { &kv[1], 1 } };

	if (bark_scratch_init(&s, nets, 1, 40, bk_pool_threads(compute.pool),
			      model->int8))
		abort();
	for (int i = 0; i < 2; i++) {
		if (bark_kv_init(&kv[i], g, bark_kv_type(model), 100))
			abort();
		memcpy(s.x, rows + i * 777, 40 * g->width * sizeof(*s.x));
		bark_gpt_causal(&compute, g, &model->semantic, &kv[i], &s,
				i ? 40 : 23);
	}
	memcpy(s.x, rows, (m + 1) * g->width * sizeof(*s.x));
	if (together) {
		bark_gpt_lanes(&compute, g, &model->semantic, lanes, 2, &s);
	} else {
		bark_gpt_lanes(&compute, g, &model->semantic, lanes, 1, &s);
		memcpy(s.x, rows + m * g->width, g->width * sizeof(*s.x));
		bark_gpt_lanes(&compute, g, &model->semantic, lanes + 1, 1, &s);
	}
	memcpy(out, s.x, g->width * sizeof(*out));
	/* The other lane's keys and values show in what comes after. */
	memcpy(s.x, rows, g->width * sizeof(*s.x));
	bark_gpt_causal(&compute, g, &model->semantic, &kv[0], &s, 1);
	memcpy(out + g->width, s.x, g->width * sizeof(*out));
	bark_kv_clear(&kv[0]);
	bark_kv_clear(&kv[1]);
	bark_scratch_clear(&s);
}

static void test_lanes(const char *name)
{
	size_t width = model->config.semantic.gpt.width;
	float apart[512], together[512], *rows = random_rows(60 * width + 777);

	for (size_t m = 1; m <= 33; m += 8) {
		run_lanes(rows, m, false, apart);
		run_lanes(rows, m, true, together);
		TAP_CHECK(name, memcmp(apart, together,
				       2 * width * sizeof(*apart)) == 0);
	}
	free(rows);
	tap_ok(name);
}

static void test_other(const char *name, enum bark_precision precision)
{
	struct bark_model *f32 = model;

	TAP_CHECK(name, !bark_model_random(&model, &f32->config, precision, 3));
	test_prefill(name);
	test_lanes(name);
	bark_model_unref(model);
	model = f32;
}

/* What nobody wants is left at the next layer, and nothing is appended. */
static void test_abandoned(void)
{
	const char *name = "abandoned at the next layer";
	const struct bark_gpt_config *g = &model->config.semantic.gpt;
	const struct bark_gpt_config *nets[] = { g };
	struct bark_scratch s = { 0 };
	struct bark_kv kv = { 0 };
	atomic_bool abandon = true;
	double before = compute.work.operations;

	if (bark_scratch_init(&s, nets, 1, 8, bk_pool_threads(compute.pool),
			      model->int8) ||
	    bark_kv_init(&kv, g, bark_kv_type(model), 8))
		abort();
	compute.abandon = &abandon;
	bark_gpt_causal(&compute, g, &model->semantic, &kv, &s, 8);
	bark_gpt_full(&compute, g, &model->semantic, &s, 8, 0);
	compute.abandon = NULL;
	TAP_CHECK(name, kv.n == 0 && compute.work.operations == before);
	bark_kv_clear(&kv);
	bark_scratch_clear(&s);
	tap_ok(name);
}

/* Contexts built beside the window before, or only when they are needed. */
static void test_prepared(const char *name, enum bark_mode mode)
{
	static const int32_t ids[] = { 5, 9, 77, 123 };
	struct bark_timeline_options opts;
	struct bark_timeline t[2];
	size_t prepared = 0;

	bark_timeline_defaults(&opts, &model->config, mode);
	opts.no_eos = true;
	for (int i = 0; i < 2; i++) {
		TAP_CHECK(name, !bark_timeline_init(&t[i], &compute, model, NULL,
						    &opts));
		bark_timeline_begin(&t[i], ids, 4);
		t[i].segment = 1;
		while (bark_timeline_step(&t[i])) {
			if (i == 0)
				t[i].next_kv.n = 0;
			prepared += t[i].next_kv.n;
		}
	}
	TAP_CHECK(name, prepared > 0 && t[0].n_coarse == t[1].n_coarse);
	TAP_CHECK(name, !memcmp(t[0].coarse, t[1].coarse,
				t[0].n_coarse * sizeof(*t[0].coarse)));
	bark_timeline_clear(&t[0]);
	bark_timeline_clear(&t[1]);
	tap_ok(name);
}

static float *decode(const int32_t *codes, size_t n, size_t step, size_t first)
{
	size_t hop = model->config.codec.hop;
	unsigned books = model->config.fine.n_total;
	float *pcm = calloc(n * hop, sizeof(*pcm));
	struct bark_codec *codec;
	size_t at = 0;

	if (!pcm || bark_codec_new(&codec, &compute, model) < 0)
		abort();
	while (at < n) {
		size_t part = at == 0 ? first : step;

		part = part < n - at ? part : n - at;
		bark_codec_decode(codec, codes + at * books, part,
				  pcm + at * hop);
		at += part;
	}
	bark_codec_free(codec);
	return pcm;
}

static void test_codec(void)
{
	unsigned books = model->config.fine.n_total;
	size_t n = 90, bytes = n * model->config.codec.hop * sizeof(float);
	int32_t *codes = calloc(n * books, sizeof(*codes));
	struct bark_codec *codec;
	float *whole, *part, peak = 0;
	size_t least;

	for (size_t i = 0; i < n * books; i++)
		codes[i] = (int32_t)((i * 2654435761u >> 7) %
				     model->config.codebook_size);
	TAP_CHECK("codec splits", bark_codec_new(&codec, &compute, model) == 0);
	least = bark_codec_first_frames(codec);
	bark_codec_free(codec);
	TAP_CHECK("codec splits", least == 7);
	whole = decode(codes, n, n, n);
	for (size_t i = 0; i < n * model->config.codec.hop; i++)
		peak = fabsf(whole[i]) > peak ? fabsf(whole[i]) : peak;
	TAP_CHECK("codec splits", peak > 0 && isfinite(peak));
	for (size_t step = 1; step < 20; step += 3) {
		part = decode(codes, n, step, least + step % 4);
		TAP_CHECK("codec splits", memcmp(whole, part, bytes) == 0);
		free(part);
	}
	free(whole);
	free(codes);
	tap_ok("codec splits");
}

int main(void)
{
	struct bark_config config;

	bk_ops_init(&compute.ops, ~0u);
	tiny_config(&config);
	/* Two residual units, the second dilated. */
	config.codec.n_residual = 2;
	if (bk_pool_new(&compute.pool, 2, 0) < 0 ||
	    bark_model_random(&model, &config, BARK_PRECISION_F32, 3) < 0) {
		tap_not_ok("setup", "no model");
		return 1;
	}
	test_prefill("prefill and steps agree to the bit");
	test_other("prefill and steps agree with f16", BARK_PRECISION_F16);
	test_other("prefill and steps agree with int8", BARK_PRECISION_INT8);
	test_other("prefill and steps agree with q4", BARK_PRECISION_Q4);
	test_threads("any number of threads agrees", BARK_PRECISION_F32);
	test_threads("any number of threads agrees with int8",
		     BARK_PRECISION_INT8);
	test_threads("any number of threads agrees with q4", BARK_PRECISION_Q4);
	test_abandoned();
	test_lanes("two timelines at once, the same bits");
	test_prepared("contexts in advance, exact", BARK_MODE_EXACT);
	test_prepared("contexts in advance, low latency",
		      BARK_MODE_LOW_LATENCY);
	test_codec();
	bark_model_unref(model);
	bk_pool_free(compute.pool);
	return tap_failed;
}
