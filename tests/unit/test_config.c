/* SPDX-License-Identifier: MIT */
/* Dimensions: defaults, what files override, and contradictions. */
#include <math.h>

#include "config.h"
#include "hostile.h"
#include "tap.h"

static const char *root;

static int parse(struct bark_config *c, const char *config,
		 const char *generation, struct bark_error *err)
{
	*err = (struct bark_error){""};
	return bark_config_parse(c, config, strlen(config), generation,
				 generation ? strlen(generation) : 0, err);
}

/*
 * What suno/bark's files say where transformers' defaults differ. The rest of
 * the small model is the defaults.
 */
#define VOCABULARIES                                                        \
	"\"semantic_config\":{\"input_vocab_size\":129600%s},"              \
	"\"coarse_acoustics_config\":{\"input_vocab_size\":12096,"          \
	"\"output_vocab_size\":12096%s},"                                   \
	"\"fine_acoustics_config\":{\"input_vocab_size\":1056,"             \
	"\"output_vocab_size\":1056%s}"

/* The small model's config.json with more in its sections and at its end. */
static const char *config_with(const char *semantic, const char *coarse,
			       const char *fine, const char *more)
{
	static char text[4096];

	snprintf(text, sizeof(text), "{\"model_type\":\"bark\"," VOCABULARIES
		 "%s}", semantic, coarse, fine, more);
	return text;
}

static const char *plain_config(void)
{
	return config_with("", "", "", "");
}

static void test_defaults(void)
{
	static const char name[] = "defaults";
	struct bark_config c, p;
	struct bark_error err;

	TAP_CHECK(name, parse(&c, plain_config(), NULL, &err) == 0);
	bark_config_published(&p, false);
	TAP_CHECK(name, c.semantic.gpt.n_layer == 12 &&
		  c.semantic.gpt.n_head == 12 && c.semantic.gpt.width == 768 &&
		  c.semantic.gpt.mlp_width == 3072 && c.semantic.gpt.bias &&
		  c.semantic.gpt.n_in == 129600 &&
		  c.semantic.gpt.n_out == 10048);
	TAP_CHECK(name, !memcmp(&c.codec, &p.codec, sizeof(c.codec)));
	TAP_CHECK(name, c.fine.n_total == 8 && c.fine.n_given == 1 &&
		  c.fine.tied && c.fine.max_input == 1024 &&
		  c.fine.max_history == 512);
	/* The classes' own sampling: greedy. */
	TAP_CHECK(name, !c.semantic.sampling.do_sample &&
		  !c.coarse.sampling.do_sample && !c.fine.sampling.do_sample &&
		  c.semantic.sampling.temperature == 1 &&
		  c.semantic.sampling.top_k == 50 && c.semantic.min_eos_p == 0);
	TAP_CHECK(name, c.semantic.vocab == 10000 && c.semantic.eos == 10000 &&
		  c.semantic.pad == 10000 && c.semantic.text_offset == 10048 &&
		  c.semantic.text_pad == 129595 && c.semantic.infer == 129599 &&
		  c.semantic.max_input == 256 && c.semantic.max_new == 768 &&
		  c.semantic.rate == 49.9);
	TAP_CHECK(name, c.coarse.semantic_pad == 12048 &&
		  c.coarse.infer == 12050 && c.coarse.max_semantic == 256 &&
		  c.coarse.max_history == 630 && c.coarse.window == 60 &&
		  c.coarse.n_codebooks == 2 && c.coarse.rate == 75);
	tap_ok(name);
}

static void test_published(void)
{
	static const char name[] = "published dimensions";
	struct bark_config c;

	bark_config_published(&c, false);
	TAP_CHECK(name, bark_config_check(&c, NULL) == 0);
	TAP_CHECK(name, c.coarse.gpt.width == 768);
	bark_config_published(&c, true);
	TAP_CHECK(name, bark_config_check(&c, NULL) == 0);
	TAP_CHECK(name, c.fine.gpt.n_layer == 24 && c.fine.gpt.n_head == 16 &&
		  c.fine.gpt.mlp_width == 4096);
	tap_ok(name);
}

static void test_generation(void)
{
	static const char name[] = "generation_config.json";
	struct bark_config c;
	struct bark_error err;

	TAP_CHECK(name, parse(&c, plain_config(),
		"{\"semantic_config\":{\"do_sample\":true,\"temperature\":0.7,"
		"\"min_eos_p\":0.2,\"top_k\":20,\"top_p\":0.9,"
		"\"semantic_pad_token\":5,\"max_new_tokens\":700},"
		"\"coarse_acoustics_config\":{\"do_sample\":true,"
		"\"temperature\":null,\"top_k\":null,\"coarse_rate_hz\":75.0},"
		"\"fine_acoustics_config\":{\"temperature\":0.5},"
		"\"barkd_loudness\":-23,\"unknown\":[1,{}]}", &err) == 0);
	TAP_CHECK(name, c.semantic.sampling.do_sample &&
		  c.semantic.sampling.temperature == 0.7f &&
		  c.semantic.min_eos_p == 0.2f &&
		  c.semantic.sampling.top_k == 20 &&
		  c.semantic.sampling.top_p == 0.9f &&
		  c.semantic.pad == 10000 && c.semantic.max_new == 700);
	TAP_CHECK(name, c.coarse.sampling.do_sample &&
		  c.coarse.sampling.temperature == 1 &&
		  c.coarse.sampling.top_k == 50);
	TAP_CHECK(name, c.fine.sampling.do_sample &&
		  c.fine.sampling.temperature == 0.5f && c.loudness == -23);
	TAP_CHECK(name, parse(&c, plain_config(),
		"{\"fine_acoustics_config\":{\"temperature\":1.0}}",
		&err) == 0 && !c.fine.sampling.do_sample);
	TAP_CHECK(name, parse(&c, plain_config(),
		"{\"fine_acoustics_config\":{\"temperature\":null},"
		"\"barkd_loudness\":null}", &err) == 0 &&
		  !c.fine.sampling.do_sample && c.loudness == 0);
	tap_ok(name);
}

/* transformers 5 writes null for what nobody has set; it is the default. */
static void test_nulls(void)
{
	static const char name[] = "nulls";
	static const char text[] =
		"{\"sample_rate\":null,\"codebook_size\":null,"
		"\"barkd_spoken_text\":null,\"semantic_config\":{"
		"\"do_sample\":null,\"temperature\":null,\"top_k\":null,"
		"\"top_p\":null,\"max_new_tokens\":null,\"min_eos_p\":null,"
		"\"eos_token_id\":null,\"text_pad_token\":null,"
		"\"semantic_rate_hz\":null},\"coarse_acoustics_config\":{"
		"\"do_sample\":true,\"top_k\":null,\"max_coarse_history\":null,"
		"\"sliding_window_len\":null,\"coarse_rate_hz\":null},"
		"\"fine_acoustics_config\":{\"temperature\":null,"
		"\"max_fine_history_length\":null,\"n_fine_codebooks\":null}}";
	struct bark_config c, d;
	struct bark_error err;

	TAP_CHECK(name, parse(&d, plain_config(), NULL, &err) == 0);
	TAP_CHECK(name, parse(&c, plain_config(), text, &err) == 0);
	TAP_CHECK(name, c.coarse.sampling.do_sample);
	c.coarse.sampling.do_sample = false;
	TAP_CHECK(name, !memcmp(&c.semantic, &d.semantic, sizeof(c.semantic)));
	TAP_CHECK(name, !memcmp(&c.coarse, &d.coarse, sizeof(c.coarse)));
	TAP_CHECK(name, !memcmp(&c.fine, &d.fine, sizeof(c.fine)));
	TAP_CHECK(name, c.coarse.sampling.top_k == 50 &&
		  c.codec.rate == 24000 && c.codebook_size == 1024);
	tap_ok(name);
}

/* A whole file of that kind, where it is at hand. */
static void test_nulls_saved(void)
{
	static const char name[] = "nulls of a saved model";
	struct bark_config c;
	struct bark_error err;
	char path[4096], *text;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/../shared/faults/"
		 "generation_config-nulls.json", root);
	f = fopen(path, "re");
	if (!f) {
		tap_skip(name, "no such file");
		return;
	}
	text = calloc(1, 65536);
	TAP_CHECK(name, text);
	n = fread(text, 1, 65535, f);
	fclose(f);
	TAP_CHECK(name, n > 1000 && parse(&c, plain_config(), text, &err) == 0);
	TAP_CHECK(name, c.semantic.sampling.top_k == 50 &&
		  c.coarse.sampling.top_k == 50 &&
		  c.semantic.sampling.temperature == 1 &&
		  c.semantic.sampling.top_p == 1 &&
		  !c.semantic.sampling.do_sample && c.semantic.max_new == 768);
	free(text);
	tap_ok(name);
}

static void test_aliases(void)
{
	static const char name[] = "other names of dimensions";
	struct bark_config c;
	struct bark_error err;

	TAP_CHECK(name, parse(&c, config_with(",\"num_hidden_layers\":3,"
		"\"num_attention_heads\":4", "", "", ""), NULL, &err) == 0);
	TAP_CHECK(name, c.semantic.gpt.n_layer == 3 &&
		  c.semantic.gpt.n_head == 4 && c.coarse.gpt.n_layer == 12);
	tap_ok(name);
}

static void test_tiny(void)
{
	static const char name[] = "files that transformers wrote";
	struct bytes a = read_fixture(root, "tiny/config.json");
	struct bytes b = read_fixture(root, "tiny/generation_config.json");
	const struct bark_codec_config *codec;
	struct bark_config c;

	TAP_CHECK(name, !bark_config_parse(&c, (char *)a.p, a.n, (char *)b.p,
					   b.n, NULL));
	codec = &c.codec;
	TAP_CHECK(name, codec->rate == 1600 && codec->hop == 8 &&
		  codec->n_ratios == 2 && codec->ratios[0] == 4 &&
		  codec->n_residual == 2 && codec->kernel == 5 &&
		  codec->last_kernel == 3 && codec->dim == 6 &&
		  codec->n_codebooks == 4);
	TAP_CHECK(name, c.semantic.sampling.do_sample &&
		  c.semantic.sampling.top_k == 50 && c.codebook_size == 8 &&
		  c.semantic.pad == 10 && !c.coarse.gpt.bias);
	clear_bytes(&a);
	clear_bytes(&b);
	tap_ok(name);
}

static void test_contradictions(void)
{
	static const char name[] = "contradictions";
	static const struct {
		const char *semantic, *coarse, *fine, *more, *generation;
		const char *why; /* in the message */
		int error;
	} cases[] = {
		{",\"hidden_size\":770", "", "", "", NULL,
		 "semantic_config.hidden_size is 770", -EINVAL},
		{",\"hidden_size\":1073741824", "", "", "", NULL,
		 "semantic_config.hidden_size", -EINVAL},
		{",\"num_layers\":65", "", "", "", NULL,
		 "semantic_config.num_layers", -EINVAL},
		{",\"num_layers\":0", "", "", "", NULL,
		 "semantic_config.num_layers", -EINVAL},
		{",\"num_layers\":-1", "", "", "", NULL,
		 "semantic_config.num_layers is not", -EINVAL},
		{",\"num_layers\":12.5", "", "", "", NULL,
		 "semantic_config.num_layers is not", -EINVAL},
		{",\"bias\":1", "", "", "", NULL,
		 "semantic_config.bias is not", -EINVAL},
		{",\"block_size\":1000", "", "", "", NULL, "max_new_tokens",
		 -EINVAL},
		{",\"block_size\":null", "", "", "", NULL,
		 "semantic_config.block_size", -EINVAL},
		{",\"model_type\":\"gpt2\"", "", "", "", NULL,
		 "semantic_config.model_type", -ENOTSUP},
		{"", ",\"num_heads\":7", "", "", NULL,
		 "coarse_acoustics_config.hidden_size", -EINVAL},
		{"", "", ",\"n_codes_total\":20", "", NULL,
		 "n_fine_codebooks", -EINVAL},
		{"", "", ",\"n_codes_given\":0", "", NULL, "n_codes_given",
		 -EINVAL},
		{"", "", ",\"n_codes_given\":3", "", NULL, "n_codes_given",
		 -EINVAL},
		{"", "", ",\"vocab_size\":1024", "", NULL,
		 "fine input_vocab_size", -EINVAL},
		{"", "", ",\"vocab_size\":2000", "", NULL,
		 "fine output_vocab_size", -EINVAL},
		{"", "", "", ",\"codec_config\":{\"model_type\":\"dac\"}",
		 NULL, "codec_config.model_type", -ENOTSUP},
		{"", "", "", ",\"codec_config\":[]", NULL,
		 "codec_config is not an object", -EINVAL},
		{"", "", "", ",\"codec_config\":{\"codebook_dim\":64}", NULL,
		 "codebook_dim", -EINVAL},
		{"", "", "", ",\"codec_config\":{\"norm_type\":"
		 "\"time_group_norm\"}", NULL, "norm_type", -ENOTSUP},
		{"", "", "", ",\"codec_config\":{\"pad_mode\":\"replicate\"}",
		 NULL, "pad_mode", -ENOTSUP},
		{"", "", "", ",\"codec_config\":{\"use_causal_conv\":false}",
		 NULL, "use_causal_conv", -ENOTSUP},
		{"", "", "", ",\"codec_config\":{\"audio_channels\":2}", NULL,
		 "audio_channels", -ENOTSUP},
		{"", "", "", ",\"codec_config\":{\"upsampling_ratios\":"
		 "[8,5,4]}", NULL, "coarse_rate_hz", -EINVAL},
		{"", "", "", ",\"codec_config\":{\"upsampling_ratios\":"
		 "[8,5,4,0]}", NULL, "upsampling_ratios", -EINVAL},
		{"", "", "", ",\"codec_config\":{\"upsampling_ratios\":"
		 "[64,64,64,64,64,64,64,64]}", NULL, "upsampling_ratios",
		 -EINVAL},
		{"", "", "", ",\"codec_config\":{\"upsampling_ratios\":[]}",
		 NULL, "upsampling_ratios", -EINVAL},
		{"", "", "", ",\"codec_config\":{\"target_bandwidths\":[3]}",
		 NULL, "number of codebooks", -EINVAL},
		{"", "", "", ",\"codec_config\":{\"target_bandwidths\":[]}",
		 NULL, "target_bandwidths", -EINVAL},
		{"", "", "", ",\"codec_config\":{\"num_filters\":4096}", NULL,
		 "num_filters", -EINVAL},
		{"", "", "", ",\"codec_config\":{\"num_lstm_layers\":0}", NULL,
		 "num_lstm_layers", -EINVAL},
		{"", "", "", "", "{\"sample_rate\":48000}", "sample_rate",
		 -EINVAL},
		{"", "", "", "", "{\"codebook_size\":2048}",
		 "coarse input_vocab_size", -EINVAL},
		{"", "", "", "", "{\"codebook_size\":0}", "codebook_size",
		 -EINVAL},
		{"", "", "", "", "{\"semantic_config\":{\"eos_token_id\":"
		 "[10000]}}", "eos_token_id", -EINVAL},
		{"", "", "", "", "{\"semantic_config\":{\"eos_token_id\":"
		 "20000}}", "eos_token_id", -EINVAL},
		{"", "", "", "", "{\"semantic_config\":{\"temperature\":0}}",
		 "temperature", -EINVAL},
		{"", "", "", "", "{\"semantic_config\":{\"min_eos_p\":1.5}}",
		 "min_eos_p", -EINVAL},
		{"", "", "", "", "{\"semantic_config\":{\"semantic_rate_hz\":"
		 "0}}", "semantic_rate_hz", -EINVAL},
		{"", "", "", "", "{\"semantic_config\":{\"text_pad_token\":"
		 "129600}}", "text_pad_token", -EINVAL},
		{"", "", "", "", "{\"coarse_acoustics_config\":{"
		 "\"max_coarse_history\":1000}}", "max_coarse_history",
		 -EINVAL},
		{"", "", "", "", "{\"coarse_acoustics_config\":{"
		 "\"sliding_window_len\":61}}", "sliding_window_len",
		 -EINVAL},
		{"", "", "", "", "{\"coarse_acoustics_config\":{"
		 "\"n_coarse_codebooks\":0}}", "n_coarse_codebooks", -EINVAL},
		{"", "", "", "", "{\"fine_acoustics_config\":{"
		 "\"max_fine_input_length\":2048}}", "max_fine_input_length",
		 -EINVAL},
		{"", "", "", "", "{\"fine_acoustics_config\":3}",
		 "fine_acoustics_config is not", -EINVAL},
		{"", "", "", "", "{\"barkd_loudness\":-51}", "barkd_loudness",
		 -EINVAL},
		{"", "", "", "", "{\"barkd_loudness\":\"loud\"}",
		 "barkd_loudness", -EINVAL},
		{"", "", "", "", "[]", "not a JSON object", -EINVAL},
		{"", "", "", "", "{\"a\":1,\"a\":2}", "duplicate", -EINVAL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *config = config_with(cases[i].semantic,
						 cases[i].coarse,
						 cases[i].fine, cases[i].more);
		struct bark_config c;
		struct bark_error err;
		int r = parse(&c, config, cases[i].generation, &err);

		if (r != cases[i].error || !strstr(err.message, cases[i].why)) {
			tap_not_ok(name, "%zu (%s) gave %d: %s", i,
				   cases[i].why, r, err.message);
			return;
		}
	}
	tap_ok(name);
}

static void test_model_type(void)
{
	static const char name[] = "model_type";
	struct bark_config c;
	struct bark_error err;

	TAP_CHECK(name, parse(&c, "{\"model_type\":\"llama\"}", NULL, &err) ==
		  -ENOTSUP && strstr(err.message, "llama"));
	TAP_CHECK(name, parse(&c, "{}", NULL, &err) == -ENOTSUP);
	TAP_CHECK(name, parse(&c, "{\"model_type\":3}", NULL, &err) ==
		  -ENOTSUP);
	tap_ok(name);
}

static int try_config(const unsigned char *data, size_t n, void *arg)
{
	const struct bytes *generation = arg;
	struct bark_config c;

	return bark_config_parse(&c, (const char *)data, n,
				 (const char *)generation->p, generation->n,
				 NULL);
}

static void test_damage(void)
{
	static const char name[] = "damaged files";
	const char *text = config_with("", "", "",
		",\"codec_config\":{\"upsampling_ratios\":[8,5,4,2],"
		"\"target_bandwidths\":[1.5,24.0],\"codebook_dim\":null}");
	struct bytes b = {0}, generation = {0};

	put_string(&b, text);
	put_string(&generation, "{\"sample_rate\":24000}");
	TAP_CHECK(name, try_config(b.p, b.n, &generation) == 0);
	TAP_CHECK(name, damage(&b, 20000, try_config, &generation) == 0);
	clear_bytes(&b);
	clear_bytes(&generation);
	tap_ok(name);
}

int main(int argc, char **argv)
{
	root = argc > 1 ? argv[1] : ".";
	test_defaults();
	test_published();
	test_generation();
	test_nulls();
	test_nulls_saved();
	test_aliases();
	test_tiny();
	test_contradictions();
	test_model_type();
	test_damage();
	return tap_failed;
}
