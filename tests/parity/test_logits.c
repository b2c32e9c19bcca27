/* SPDX-License-Identifier: MIT */
/*
 * The networks' logits against those transformers computed (the committed
 * fixtures), for the kernels of every level that the CPU has: relative to the
 * largest logit they differ by at most 1e-4.
 * Arguments: the fixtures' folder.
 */
#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages.h"
#include "tap.h"

#define MOST_RELATIVE 1e-4

struct check {
	const char *dir;      /* of the case */
	struct bark_timeline t;
	double worst;         /* relative */
	size_t compared;      /* files */
};

/* Reads a one-dimensional float32 .npy; NULL where there is none. */
static float *read_floats(const char *path, size_t *ret_n)
{
	unsigned char head[10];
	FILE *f = fopen(path, "rb");
	float *data = NULL;
	long begin, end;

	if (!f)
		return NULL;
	if (fread(head, 1, sizeof(head), f) == sizeof(head)) {
		begin = 10 + (long)head[8] + 256L * head[9];
		fseek(f, 0, SEEK_END);
		end = ftell(f);
		*ret_n = (size_t)(end - begin) / sizeof(*data);
		data = malloc((size_t)(end - begin));
		fseek(f, begin, SEEK_SET);
		if (fread(data, sizeof(*data), *ret_n, f) != *ret_n) {
			free(data);
			data = NULL;
		}
	}
	fclose(f);
	return data;
}

/* got[0..n-1] against elements first... of the file, if it is there. */
static void compare(struct check *c, const char *name, const float *got,
		    size_t first, size_t n)
{
	char path[4096];
	float *want, most = 0, apart = 0;
	size_t total;

	snprintf(path, sizeof(path), "%s/%s", c->dir, name);
	want = read_floats(path, &total);
	if (!want)
		return;
	if (first + n > total) {
		c->worst = INFINITY;
		n = 0;
	}
	for (size_t i = 0; i < n; i++) {
		most = fmaxf(most, fabsf(want[first + i]));
		apart = fmaxf(apart, fabsf(want[first + i] - got[i]));
	}
	/* NaN must not pass for small. */
	if (!(apart / most <= c->worst))
		c->worst = apart / most;
	c->compared++;
	free(want);
}

static void run_stages(struct check *c)
{
	const struct bark_config *m = &c->t.model->config;
	struct bark_timeline *t = &c->t;
	unsigned window = 0;
	char name[64];

	for (unsigned i = 0; bark_semantic_ready(t); i++) {
		bark_semantic_step(t);
		snprintf(name, sizeof(name), "logits_semantic_%u.npy", i);
		compare(c, name, t->logits, 0, m->semantic.vocab);
	}
	while (bark_coarse_ready(t)) {
		size_t i = t->n_coarse;

		bark_coarse_step(t);
		snprintf(name, sizeof(name), "logits_coarse_%zu.npy", i);
		compare(c, name, t->logits,
			m->semantic.vocab +
				i % m->coarse.n_codebooks * m->codebook_size,
			m->codebook_size);
	}
	while (bark_fine_ready(t)) {
		unsigned book = t->fine_book ? t->fine_book :
					       m->coarse.n_codebooks;
		size_t rows;

		bark_fine_step(t);
		/* Of a pass the last block of rows is still held. */
		rows = t->fine_rows - (t->fine_fill - t->fine_start);
		snprintf(name, sizeof(name), "logits_fine_%u_%u_%zu.npy",
			 window, book, t->fine_rows - 1);
		compare(c, name,
			t->logits + (rows - 1) % BARK_FINE_LOGIT_ROWS *
					    m->codebook_size,
			0, m->codebook_size);
		window += t->fine_book == 0;
	}
}

static int open_voice(struct bark_voice **ret, const struct bark_model *model,
		      const char *models_dir, const char *name)
{
	char path[4096];

	*ret = NULL;
	if (!name)
		return 0;
	snprintf(path, sizeof(path), "%s/voices/%s.npz", models_dir, name);
	return bark_voice_open(ret, model, path, NULL);
}

static void check_case(const char *model_dir, const char *case_name,
		       struct bark_compute *compute)
{
	char dir[2048], path[4096], title[256];
	struct bark_model_options f32 = { .precision = BARK_PRECISION_F32 };
	struct check c = { .dir = dir };
	struct bark_timeline_options opts;
	struct bark_model *model = NULL;
	struct bark_voice *voice = NULL;
	const char *text;
	json_t *spec, *max;
	int32_t ids[512];
	size_t n;

	snprintf(dir, sizeof(dir), "%s/%s", model_dir, case_name);
	snprintf(path, sizeof(path), "%s/case.json", dir);
	spec = json_load_file(path, 0, NULL);
	if (!spec)
		return;
	snprintf(title, sizeof(title), "logits of %s/%s, %s",
		 strrchr(model_dir, '/') + 1, case_name, compute->ops.name);
	snprintf(path, sizeof(path), "%s/model", model_dir);
	max = json_object_get(spec, "max");
	text = json_string_value(json_object_get(spec, "text"));
	TAP_CHECK(title, bark_model_open(&model, path, &f32, NULL) == 0);
	TAP_CHECK(title, open_voice(&voice, model, model_dir,
				    json_string_value(json_object_get(
					    spec, "voice"))) == 0);
	bark_timeline_defaults(&opts, &model->config, BARK_MODE_EXACT);
	opts.no_eos = json_is_integer(max);
	opts.max_semantic = (unsigned)json_integer_value(max);
	TAP_CHECK(title, bark_timeline_init(&c.t, compute, model, voice,
					    &opts) == 0);
	c.t.sampler.greedy = 1;
	TAP_CHECK(title, bark_tokenizer_encode(model->tokenizer, text,
					       strlen(text), ids, 512, &n) == 0);
	bark_timeline_begin(&c.t, ids, n);
	run_stages(&c);
	bark_timeline_clear(&c.t);
	bark_voice_unref(voice);
	bark_model_unref(model);
	json_decref(spec);
	printf("# %s: %.1e apart\n", title, c.worst);
	/* First, middle and last of two stages, and two passes of the third. */
	if (c.compared < 8)
		tap_not_ok(title, "only %zu files compared", c.compared);
	else if (!(c.worst <= MOST_RELATIVE))
		tap_not_ok(title, "they differ by %.2e", c.worst);
	else
		tap_ok(title);
}

static int visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static void check_model(const char *fixtures, const char *name,
			struct bark_compute *compute)
{
	struct dirent **cases;
	char dir[1024];
	int n;

	snprintf(dir, sizeof(dir), "%s/%s", fixtures, name);
	n = scandir(dir, &cases, visible, alphasort);
	for (int i = 0; i < n; i++) {
		check_case(dir, cases[i]->d_name, compute);
		free(cases[i]);
	}
	if (n >= 0)
		free(cases);
}

int main(int argc, char **argv)
{
	unsigned levels = bk_cpu_levels();

	for (unsigned level = 0; argc == 2 && level < BK_LEVELS; level++) {
		struct bark_compute compute = { 0 };

		if (!(levels & 1u << level))
			continue;
		bk_ops_init(&compute.ops, (2u << level) - 1);
		if (bk_pool_new(&compute.pool, 2, 0) < 0)
			return 1;
		check_model(argv[1], "small", &compute);
		check_model(argv[1], "windows", &compute);
		bk_pool_free(compute.pool);
	}
	return argc == 2 ? tap_failed : 2;
}
