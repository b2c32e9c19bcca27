/* SPDX-License-Identifier: MIT */
/* int8 and q4 models are close to f32. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages.h"
#include "tap.h"
#include "tiny.h"

static const char *root;
static struct bark_compute compute;
static const int32_t ids[] = {5, 9, 7, 12, 4, 8};

struct score {
	size_t steps;
	size_t same;  /* steps in which both take the same token */
	size_t near;  /* or one that f32 finds half as probable, or more */
	double error; /* of the logits, root mean square, sum of the steps */
};

/* b's difference from a, relative to a. */
static double apart(const float *a, const float *b, size_t n)
{
	double all = 0, error = 0;

	for (size_t i = 0; i < n; i++) {
		double d = (double)a[i] - (double)b[i];

		all += (double)a[i] * (double)a[i];
		error += d * d;
	}
	return sqrt(error / all);
}

static void score_logits(struct score *s, const struct bark_timeline *a,
			 const struct bark_timeline *b, size_t n)
{
	size_t best = compute.ops.argmax(a->logits, n);
	size_t taken = compute.ops.argmax(b->logits, n);

	s->steps++;
	s->same += best == taken;
	s->near += a->logits[best] - a->logits[taken] < logf(2);
	s->error += apart(a->logits, b->logits, n);
}

/* Steps b beside a, which is greedy, and gives it a's tokens each time. */
static void run_beside(struct bark_timeline *a, struct bark_timeline *b,
		       struct score scores[3])
{
	const struct bark_config *m = &a->model->config;
	unsigned books = m->fine.n_total;

	while (bark_semantic_ready(a)) {
		bark_semantic_step(a);
		bark_semantic_step(b);
		score_logits(&scores[0], a, b, m->semantic.vocab);
		memcpy(b->semantic, a->semantic,
		       (a->semantic_base + a->n_semantic) *
			       sizeof(*a->semantic));
	}
	while (bark_coarse_ready(a)) {
		bark_coarse_step(a);
		bark_coarse_step(b);
		score_logits(&scores[1], a, b, m->codebook_size);
		memcpy(b->coarse, a->coarse,
		       (a->coarse_base + a->n_coarse) * sizeof(*a->coarse));
	}
	memcpy(b->fine, a->fine, a->n_frames * books * sizeof(*a->fine));
	while (bark_fine_ready(a)) {
		unsigned book = a->fine_book ? a->fine_book :
					       m->coarse.n_codebooks;

		bark_fine_step(a);
		bark_fine_step(b);
		for (size_t i = 0; i < a->n_frames; i++) {
			scores[2].steps++;
			scores[2].same += a->fine[i * books + book] ==
					  b->fine[i * books + book];
			b->fine[i * books + book] = a->fine[i * books + book];
		}
	}
}

/* Compares another precision with f32, fed with the same tokens all along. */
static bool compare(const struct bark_model *f32,
		    const struct bark_model *other,
		    const int32_t *text, size_t n, unsigned max_semantic,
		    struct score scores[3])
{
	struct bark_timeline_options opts;
	struct bark_timeline a, b;
	bool complete;

	bark_timeline_defaults(&opts, &f32->config, BARK_MODE_EXACT);
	opts.no_eos = true;
	opts.max_semantic = max_semantic;
	if (bark_timeline_init(&a, &compute, f32, NULL, &opts) < 0)
		return false;
	if (bark_timeline_init(&b, &compute, other, NULL, &opts) < 0) {
		bark_timeline_clear(&a);
		return false;
	}
	a.sampler.greedy = b.sampler.greedy = true;
	bark_timeline_begin(&a, text, n);
	bark_timeline_begin(&b, text, n);
	run_beside(&a, &b, scores);
	complete = bark_fine_done(&a) && bark_fine_done(&b);
	bark_timeline_clear(&a);
	bark_timeline_clear(&b);
	return complete;
}

static void test_random(const char *name, enum bark_precision precision,
			double most)
{
	struct bark_model *f32 = NULL, *other = NULL;
	struct score s[3] = {0};
	struct bark_config c;

	tiny_config(&c);
	TAP_CHECK(name, !bark_model_random(&f32, &c, BARK_PRECISION_F32, 5));
	TAP_CHECK(name, !bark_model_random(&other, &c, precision, 5));
	TAP_CHECK(name, bark_model_precision(other) == precision);
	TAP_CHECK(name, compare(f32, other, ids, 6, 100, s));
	TAP_CHECK(name, s[0].steps == 100 && s[1].steps >= 200);
	for (size_t i = 0; i < 2; i++) {
		double mean = s[i].error / (double)s[i].steps;

		printf("# %zu of %zu, %.4f apart\n", s[i].same, s[i].steps,
		       mean);
		TAP_CHECK(name, mean > 0 && mean < most);
	}
	bark_model_unref(f32);
	bark_model_unref(other);
	tap_ok(name);
}

/* What a precision keeps of a stage on the embedded voice, at least. */
struct least {
	unsigned same, near; /* of 100 tokens */
	double apart;        /* of the logits, at most */
};

static void test_voice(const char *name, enum bark_precision precision,
		       const struct least least[3])
{
	static const char text[] = "The weather is fine today, and nobody is "
				   "at home.";
	struct bark_model_options opts = {.precision = BARK_PRECISION_F32};
	struct bark_model *f32 = NULL, *other = NULL;
	struct score s[3] = {0};
	int32_t words[64];
	char path[4096];
	size_t n;

	snprintf(path, sizeof(path), "%s/voices/slt", root);
	TAP_CHECK(name, !bark_model_open(&f32, path, &opts, NULL));
	opts.precision = precision;
	TAP_CHECK(name, !bark_model_open(&other, path, &opts, NULL));
	TAP_CHECK(name, !bark_tokenizer_encode(f32->tokenizer, text,
					       strlen(text), words, 64, &n));
	TAP_CHECK(name, compare(f32, other, words, n, 100, s));
	for (size_t i = 0; i < 3; i++) {
		double mean = s[i].error / (double)s[i].steps;

		printf("# %zu same, %zu near of %zu, %.4f apart\n", s[i].same,
		       s[i].near, s[i].steps, mean);
		TAP_CHECK(name, s[i].steps >= 100 && mean < least[i].apart);
		TAP_CHECK(name, s[i].same * 100 >=
					s[i].steps * least[i].same);
		TAP_CHECK(name, s[i].near * 100 >=
					s[i].steps * least[i].near);
	}
	bark_model_unref(f32);
	bark_model_unref(other);
	tap_ok(name);
}

int main(int argc, char **argv)
{
	/* Of the fine stage only the codes are compared. */
	static const struct least int8[3] = {
		{80, 95, 0.15}, {95, 99, 0.03}, {80, 0, 1},
	};
	static const struct least q4[3] = {
		{75, 85, 0.4}, {80, 90, 0.2}, {80, 0, 1},
	};

	root = argc > 1 ? argv[1] : ".";
	bk_ops_init(&compute.ops, ~0u);
	if (bk_pool_new(&compute.pool, 2, 0) < 0)
		return 1;
	test_random("int8 logits of random weights are near f32",
		    BARK_PRECISION_INT8, 0.02);
	test_random("q4 logits of random weights are near f32",
		    BARK_PRECISION_Q4, 0.1);
	test_voice("int8 takes f32's tokens, or near ones",
		   BARK_PRECISION_INT8, int8);
	test_voice("q4 mostly takes f32's tokens, or near ones",
		   BARK_PRECISION_Q4, q4);
	bk_pool_free(compute.pool);
	return tap_failed;
}
