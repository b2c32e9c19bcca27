/* SPDX-License-Identifier: MIT */
/* The published dimensions, and what dimensions must agree on. */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "error.h"

#define MAX_RATE 384000
#define MAX_TOKENS (1u << 20)

static const struct bark_config published = {
	.semantic = {
		.gpt = {.block_size = 1024, .n_in = 129600, .n_out = 10048},
		.sampling = {.do_sample = true, .temperature = 0.7f,
			     .top_p = 1.0f},
		.vocab = 10000,
		.eos = 10000,
		.pad = 10000,
		.text_offset = 10048,
		.text_pad = 129595,
		.infer = 129599,
		.max_input = 256,
		.max_new = 768,
		.min_eos_p = 0.2f,
		.rate = 49.9,
	},
	.coarse = {
		.gpt = {.block_size = 1024, .n_in = 12096, .n_out = 12096},
		.sampling = {.do_sample = true, .temperature = 0.7f,
			     .top_p = 1.0f},
		.semantic_pad = 12048,
		.infer = 12050,
		.max_semantic = 256,
		.max_history = 630,
		.window = 60,
		.n_codebooks = 2,
		.rate = 75.0,
	},
	.fine = {
		.gpt = {.block_size = 1024, .n_in = 1056, .n_out = 1056},
		.sampling = {.do_sample = true, .temperature = 0.5f,
			     .top_p = 1.0f},
		.n_total = 8,
		.n_given = 1,
		.tied = true,
		.max_history = 512,
		.max_input = 1024,
	},
	.codec = {
		.rate = 24000,
		.n_codebooks = 8,
		.codebook_size = 1024,
		.dim = 128,
		.n_filters = 32,
		.n_ratios = 4,
		.ratios = {8, 5, 4, 2},
		.n_residual = 1,
		.kernel = 7,
		.last_kernel = 7,
		.residual_kernel = 3,
		.dilation_growth = 2,
		.compress = 2,
		.n_lstm = 2,
		.conv_shortcut = true,
		.pad_reflect = true,
		.hop = 320,
	},
	.codebook_size = 1024,
	.carry_voice = true,
};

void bark_config_published(struct bark_config *ret, bool large)
{
	struct bark_gpt_config *gpts[] = {
		&ret->semantic.gpt, &ret->coarse.gpt, &ret->fine.gpt,
	};

	*ret = published;
	for (size_t i = 0; i < 3; i++) {
		gpts[i]->n_layer = large ? 24 : 12;
		gpts[i]->n_head = large ? 16 : 12;
		gpts[i]->width = large ? 1024 : 768;
		gpts[i]->mlp_width = 4 * gpts[i]->width;
	}
}

static int check_range(const char *key, double value, double min, double max,
		       struct bark_error *err)
{
	if (value >= min && value <= max)
		return 0;
	return bark_fail(err, -EINVAL, "%s is %.10g, not in %.10g..%.10g", key,
			 value, min, max);
}

/* Each is a range that a value must lie in; the first miss is reported. */
struct rule {
	const char *key;
	double value, min, max;
};

static int check_rules(const struct rule *rules, size_t n,
		       struct bark_error *err)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = check_range(rules[i].key, rules[i].value, rules[i].min,
				rules[i].max, err);
	return r;
}

#define CHECK(rules, err) \
	check_rules(rules, sizeof(rules) / sizeof((rules)[0]), err)

static int check_gpt(const struct bark_gpt_config *g, const char *part,
		     struct bark_error *err)
{
	const struct {
		const char *key;
		unsigned value, max;
	} sizes[] = {
		{"num_layers", g->n_layer, BARK_MAX_LAYERS},
		{"num_heads", g->n_head, BARK_MAX_WIDTH},
		{"hidden_size", g->width, BARK_MAX_WIDTH},
		{"block_size", g->block_size, BARK_MAX_BLOCK},
		{"input_vocab_size", g->n_in, BARK_MAX_VOCAB},
		{"output_vocab_size", g->n_out, BARK_MAX_VOCAB},
		{"the MLP's width", g->mlp_width, 4 * BARK_MAX_WIDTH},
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (sizes[i].value < 1 || sizes[i].value > sizes[i].max)
			return bark_fail(err, -EINVAL,
					 "%s.%s is %u, not in 1..%u", part,
					 sizes[i].key, sizes[i].value,
					 sizes[i].max);
	if (g->width % g->n_head)
		return bark_fail(err, -EINVAL, "%s.hidden_size is %u, not a "
				 "multiple of num_heads (%u)", part, g->width,
				 g->n_head);
	return 0;
}

static int check_sampling(const struct bark_sampling *s, const char *part,
			  struct bark_error *err)
{
	if (!(s->temperature > 0) || !isfinite(s->temperature))
		return bark_fail(err, -EINVAL, "%s.temperature is %g, not "
				 "above 0", part, (double)s->temperature);
	if (!(s->top_p > 0) || s->top_p > 1)
		return bark_fail(err, -EINVAL, "%s.top_p is %g, not in 0..1",
				 part, (double)s->top_p);
	return 0;
}

static int check_semantic(const struct bark_semantic_config *s,
			  struct bark_error *err)
{
	const double last_in = s->gpt.n_in - 1.0;
	const double last_out = s->gpt.n_out - 1.0;
	const struct rule rules[] = {
		{"semantic_vocab_size", s->vocab, 1, last_out},
		{"the semantic eos_token_id", s->eos, s->vocab,
		 fmin(last_in, last_out)},
		{"the semantic pad token", s->pad, s->eos, s->eos},
		{"text_encoding_offset", s->text_offset, 0, last_in},
		{"text_pad_token", s->text_pad, 0, last_in},
		{"semantic_infer_token", s->infer, 0, last_in},
		{"max_input_semantic_length", s->max_input, 1,
		 s->gpt.block_size - 1.0},
		/* The last token made is not fed back. */
		{"the semantic max_new_tokens", s->max_new, 1,
		 (double)s->gpt.block_size - s->max_input},
		{"min_eos_p", s->min_eos_p, 0, 1},
		{"semantic_rate_hz", s->rate, 1, 1000},
	};
	int r;

	r = check_gpt(&s->gpt, "semantic_config", err);
	if (r == 0)
		r = CHECK(rules, err);
	if (r == 0)
		r = check_sampling(&s->sampling, "semantic_config", err);
	return r;
}

static int check_coarse(const struct bark_config *config,
			struct bark_error *err)
{
	const struct bark_coarse_config *c = &config->coarse;
	const double codes = config->semantic.vocab +
			     (double)c->n_codebooks * config->codebook_size;
	const struct rule rules[] = {
		{"n_coarse_codebooks", c->n_codebooks, 1,
		 BARK_MAX_CODEBOOKS - 1},
		{"the coarse input_vocab_size", c->gpt.n_in, codes,
		 BARK_MAX_VOCAB},
		{"the coarse output_vocab_size", c->gpt.n_out, codes,
		 BARK_MAX_VOCAB},
		{"coarse_semantic_pad_token", c->semantic_pad, 0,
		 c->gpt.n_in - 1.0},
		{"coarse_infer_token", c->infer, 0, c->gpt.n_in - 1.0},
		{"max_coarse_input_length", c->max_semantic, 1,
		 c->gpt.block_size - 1.0},
		{"max_coarse_history", c->max_history, 1, MAX_TOKENS},
		{"sliding_window_len", c->window, 1, MAX_TOKENS},
		/* Positions of a window; the last token is not fed back. */
		{"max_coarse_input_length + max_coarse_history + "
		 "sliding_window_len",
		 (double)c->max_semantic + c->max_history + c->window, 1,
		 c->gpt.block_size},
		{"coarse_rate_hz", c->rate, 1, 1000},
	};
	int r;

	r = check_gpt(&c->gpt, "coarse_acoustics_config", err);
	if (r == 0)
		r = CHECK(rules, err);
	if (r == 0 && c->window % c->n_codebooks)
		r = bark_fail(err, -EINVAL, "sliding_window_len is %u, not a "
			      "multiple of n_coarse_codebooks (%u)", c->window,
			      c->n_codebooks);
	if (r == 0)
		r = check_sampling(&c->sampling, "coarse_acoustics_config",
				   err);
	return r;
}

static int check_fine(const struct bark_config *config, struct bark_error *err)
{
	const struct bark_fine_config *f = &config->fine;
	const struct rule rules[] = {
		{"n_codes_total", f->n_total, config->coarse.n_codebooks + 1.0,
		 BARK_MAX_CODEBOOKS},
		{"n_codes_given", f->n_given, 1, config->coarse.n_codebooks},
		/* One row more than codes: "unknown". */
		{"the fine input_vocab_size", f->gpt.n_in,
		 config->codebook_size + 1.0, BARK_MAX_VOCAB},
		{"the fine output_vocab_size", f->gpt.n_out,
		 config->codebook_size, BARK_MAX_VOCAB},
		{"max_fine_input_length", f->max_input, 2, f->gpt.block_size},
		{"max_fine_history_length", f->max_history, 1,
		 f->max_input - 1.0},
	};
	int r;

	r = check_gpt(&f->gpt, "fine_acoustics_config", err);
	if (r == 0)
		r = CHECK(rules, err);
	if (r == 0 && f->tied && f->gpt.n_in != f->gpt.n_out)
		r = bark_fail(err, -EINVAL, "the fine output_vocab_size is "
			      "%u, but its heads are tied to tables of %u "
			      "rows", f->gpt.n_out, f->gpt.n_in);
	if (r == 0)
		r = check_sampling(&f->sampling, "fine_acoustics_config", err);
	return r;
}

static int check_codec(const struct bark_config *config,
		       struct bark_error *err)
{
	const struct bark_codec_config *c = &config->codec;
	const struct rule rules[] = {
		{"sampling_rate", c->rate, 1000, MAX_RATE},
		{"the codec's number of codebooks", c->n_codebooks,
		 config->fine.n_total, BARK_MAX_CODEBOOKS},
		{"the codec's codebook_size", c->codebook_size,
		 config->codebook_size, BARK_MAX_VOCAB},
		{"the codec's hidden_size", c->dim, 1, BARK_MAX_WIDTH},
		{"num_filters", c->n_filters, 1, BARK_MAX_WIDTH},
		{"the number of upsampling_ratios", c->n_ratios, 1,
		 BARK_MAX_RATIOS},
		{"num_residual_layers", c->n_residual, 0, 4},
		{"kernel_size", c->kernel, 1, 64},
		{"last_kernel_size", c->last_kernel, 1, 64},
		{"residual_kernel_size", c->residual_kernel, 1, 64},
		{"dilation_growth_rate", c->dilation_growth, 1, 16},
		{"compress", c->compress, 1, c->n_filters},
		{"num_lstm_layers", c->n_lstm, 1, BARK_MAX_LSTM},
	};
	uint64_t hop = 1;
	int r;

	r = CHECK(rules, err);
	if (r < 0)
		return r;
	if ((uint64_t)c->n_filters << c->n_ratios > BARK_MAX_WIDTH)
		return bark_fail(err, -EINVAL, "num_filters is %u, too wide "
				 "for %u upsampling_ratios", c->n_filters,
				 c->n_ratios);
	for (unsigned i = 0; i < c->n_ratios; i++) {
		if (c->ratios[i] < 1 || c->ratios[i] > 64)
			return bark_fail(err, -EINVAL, "upsampling_ratios "
					 "holds %u, not in 1..64",
					 c->ratios[i]);
		hop *= c->ratios[i];
	}
	if (hop != c->hop || hop > c->rate)
		return bark_fail(err, -EINVAL, "upsampling_ratios give %llu "
				 "samples a frame where %u are expected",
				 (unsigned long long)hop, c->hop);
	if (fabs(c->rate / (double)hop - config->coarse.rate) > 0.5)
		return bark_fail(err, -EINVAL, "coarse_rate_hz is %g, but the "
				 "codec makes %g frames a second",
				 config->coarse.rate, c->rate / (double)hop);
	return 0;
}

int bark_config_check(const struct bark_config *config, struct bark_error *err)
{
	int r;

	r = check_range("codebook_size", config->codebook_size, 1, 65536, err);
	if (r == 0)
		r = check_semantic(&config->semantic, err);
	if (r == 0)
		r = check_coarse(config, err);
	if (r == 0)
		r = check_fine(config, err);
	if (r == 0)
		r = check_codec(config, err);
	if (r == 0 && config->loudness != 0)
		r = check_range("barkd_loudness", (double)config->loudness,
				-50, -8, err);
	return r;
}
