/* SPDX-License-Identifier: MIT */
/*
 * config.json and generation_config.json. A table for each of transformers'
 * classes names the keys that matter here; all others are ignored. The values
 * before reading are the classes' own defaults.
 */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "config.h"
#include "error.h"
#include "files/json.h"

enum kind {
	UINT,  /* unsigned */
	FLOAT, /* float */
	REAL,  /* double */
	FLAG,  /* bool */
};

struct key {
	const char *name;
	enum kind kind;
	bool null; /* means the default, as absence does; else an error */
	size_t offset;
};

/* A section of a file, for the messages. */
struct section {
	const json_t *values; /* NULL: absent, all defaults */
	const char *file, *name;
};

/* What the codec's section says beside the dimensions that are kept. */
struct codec_extra {
	struct bark_codec_config dims;
	unsigned codebook_dim, channels;
	double trim_right, bandwidth;
	bool causal;
};

#define GPT(field) offsetof(struct bark_gpt_config, field)
static const struct key gpt_keys[] = {
	{"num_layers", UINT, false, GPT(n_layer)},
	{"num_heads", UINT, false, GPT(n_head)},
	{"hidden_size", UINT, false, GPT(width)},
	{"block_size", UINT, false, GPT(block_size)},
	{"input_vocab_size", UINT, false, GPT(n_in)},
	{"output_vocab_size", UINT, false, GPT(n_out)},
	{"bias", FLAG, false, GPT(bias)},
	/* BarkSubModelConfig.attribute_map: other names of the same. */
	{"num_hidden_layers", UINT, false, GPT(n_layer)},
	{"num_attention_heads", UINT, false, GPT(n_head)},
	{"window_size", UINT, false, GPT(block_size)},
	{"vocab_size", UINT, false, GPT(n_in)},
};

#define FINE(field) offsetof(struct bark_fine_config, field)
static const struct key fine_keys[] = {
	{"n_codes_total", UINT, false, FINE(n_total)},
	{"n_codes_given", UINT, false, FINE(n_given)},
	{"tie_word_embeddings", FLAG, false, FINE(tied)},
};

#define CODEC(field) offsetof(struct codec_extra, dims.field)
#define EXTRA(field) offsetof(struct codec_extra, field)
static const struct key codec_keys[] = {
	{"sampling_rate", UINT, false, CODEC(rate)},
	{"codebook_size", UINT, false, CODEC(codebook_size)},
	{"hidden_size", UINT, false, CODEC(dim)},
	{"num_filters", UINT, false, CODEC(n_filters)},
	{"num_residual_layers", UINT, false, CODEC(n_residual)},
	{"kernel_size", UINT, false, CODEC(kernel)},
	{"last_kernel_size", UINT, false, CODEC(last_kernel)},
	{"residual_kernel_size", UINT, false, CODEC(residual_kernel)},
	{"dilation_growth_rate", UINT, false, CODEC(dilation_growth)},
	{"compress", UINT, false, CODEC(compress)},
	{"num_lstm_layers", UINT, false, CODEC(n_lstm)},
	{"use_conv_shortcut", FLAG, false, CODEC(conv_shortcut)},
	{"codebook_dim", UINT, true, EXTRA(codebook_dim)},
	{"audio_channels", UINT, false, EXTRA(channels)},
	{"trim_right_ratio", REAL, false, EXTRA(trim_right)},
	{"use_causal_conv", FLAG, false, EXTRA(causal)},
};

#define SAMPLING(field) offsetof(struct bark_sampling, field)
static const struct key sampling_keys[] = {
	{"do_sample", FLAG, true, SAMPLING(do_sample)},
	{"temperature", FLOAT, true, SAMPLING(temperature)},
	{"top_k", UINT, true, SAMPLING(top_k)},
	{"top_p", FLOAT, true, SAMPLING(top_p)},
};

#define SEMANTIC(field) offsetof(struct bark_semantic_config, field)
static const struct key semantic_keys[] = {
	{"eos_token_id", UINT, true, SEMANTIC(eos)},
	{"max_new_tokens", UINT, true, SEMANTIC(max_new)},
	{"text_encoding_offset", UINT, true, SEMANTIC(text_offset)},
	{"text_pad_token", UINT, true, SEMANTIC(text_pad)},
	{"semantic_infer_token", UINT, true, SEMANTIC(infer)},
	{"semantic_vocab_size", UINT, true, SEMANTIC(vocab)},
	{"max_input_semantic_length", UINT, true, SEMANTIC(max_input)},
	{"semantic_rate_hz", REAL, true, SEMANTIC(rate)},
	{"min_eos_p", FLOAT, true, SEMANTIC(min_eos_p)},
};

#define COARSE(field) offsetof(struct bark_coarse_config, field)
static const struct key coarse_keys[] = {
	{"coarse_semantic_pad_token", UINT, true, COARSE(semantic_pad)},
	{"coarse_infer_token", UINT, true, COARSE(infer)},
	{"coarse_rate_hz", REAL, true, COARSE(rate)},
	{"n_coarse_codebooks", UINT, true, COARSE(n_codebooks)},
	{"max_coarse_input_length", UINT, true, COARSE(max_semantic)},
	{"max_coarse_history", UINT, true, COARSE(max_history)},
	{"sliding_window_len", UINT, true, COARSE(window)},
};

struct fine_generation {
	float temperature;
	unsigned max_history, max_input, n_codebooks;
};

#define FINE_GEN(field) offsetof(struct fine_generation, field)
static const struct key fine_generation_keys[] = {
	{"temperature", FLOAT, true, FINE_GEN(temperature)},
	{"max_fine_history_length", UINT, true, FINE_GEN(max_history)},
	{"max_fine_input_length", UINT, true, FINE_GEN(max_input)},
	{"n_fine_codebooks", UINT, true, FINE_GEN(n_codebooks)},
};

struct generation {
	unsigned rate, codebook_size;
	bool carry_voice, spoken_text;
	float loudness;
};

static const struct key generation_keys[] = {
	{"sample_rate", UINT, true, offsetof(struct generation, rate)},
	{"codebook_size", UINT, true,
	 offsetof(struct generation, codebook_size)},
	/* barkd's own: false for a model trained without histories. */
	{"barkd_carry_voice", FLAG, true,
	 offsetof(struct generation, carry_voice)},
	/* barkd's own: true for a model that learnt words alone. */
	{"barkd_spoken_text", FLAG, true,
	 offsetof(struct generation, spoken_text)},
	/* barkd's own: LUFS to level the sound to; by default it is not. */
	{"barkd_loudness", FLOAT, true, offsetof(struct generation, loudness)},
};

static int read_key(void *base, const struct key *key,
		    const struct section *from, struct bark_error *err)
{
	static const char *const wanted[] = {
		[UINT] = "a whole number of at least 0",
		[FLOAT] = "a number", [REAL] = "a number",
		[FLAG] = "true or false",
	};
	const json_t *v = json_object_get(from->values, key->name);
	void *at = (char *)base + key->offset;
	double number = json_number_value(v);
	bool ok;

	if (!v || (json_is_null(v) && key->null))
		return 0;
	if (key->kind == UINT) {
		ok = json_is_integer(v) && number >= 0 && number <= INT_MAX;
	} else if (key->kind == FLAG) {
		number = json_is_true(v);
		ok = json_is_boolean(v);
	} else {
		ok = json_is_number(v);
	}
	if (!ok)
		return bark_fail(err, -EINVAL, "%s: %s.%s is not %s",
				 from->file, from->name, key->name,
				 wanted[key->kind]);
	switch (key->kind) {
	case UINT:
		*(unsigned *)at = (unsigned)number;
		break;
	case FLOAT:
		*(float *)at = (float)number;
		break;
	case REAL:
		*(double *)at = number;
		break;
	case FLAG:
		*(bool *)at = number != 0;
		break;
	}
	return 0;
}

static int read_keys(void *base, const struct key *keys, size_t n,
		     const struct section *from, struct bark_error *err)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = read_key(base, &keys[i], from, err);
	return r;
}

#define READ(base, keys, from, err) \
	read_keys(base, keys, sizeof(keys) / sizeof((keys)[0]), from, err)

/* A member object; absent or null: NULL. type: its model_type, if it says. */
static int get_section(struct section *ret, const json_t *root,
		       const char *file, const char *name, const char *type,
		       struct bark_error *err)
{
	const json_t *values = json_object_get(root, name), *said;

	*ret = (struct section){NULL, file, name};
	if (!values || json_is_null(values))
		return 0;
	if (!json_is_object(values))
		return bark_fail(err, -EINVAL, "%s: %s is not an object", file,
				 name);
	ret->values = values;
	said = json_object_get(values, "model_type");
	if (!type || !said || json_is_null(said))
		return 0;
	if (!json_is_string(said) || strcmp(json_string_value(said), type))
		return bark_fail(err, -ENOTSUP, "%s: %s.model_type is not %s",
				 file, name, type);
	return 0;
}

static int read_gpt(struct bark_gpt_config *gpt, const struct section *from,
		    struct bark_error *err)
{
	*gpt = (struct bark_gpt_config){
		.n_layer = 12, .n_head = 12, .width = 768, .block_size = 1024,
		.n_in = 10048, .n_out = 10048, .bias = true,
	};
	int r = READ(gpt, gpt_keys, from, err);

	if (r == 0 && gpt->width > BARK_MAX_WIDTH)
		r = bark_fail(err, -EINVAL, "%s: %s.hidden_size is %u, over %d",
			      from->file, from->name, gpt->width,
			      BARK_MAX_WIDTH);
	if (r == 0)
		gpt->mlp_width = 4 * gpt->width;
	return r;
}

static int read_ratios(struct bark_codec_config *c, const struct section *from,
		       struct bark_error *err)
{
	const json_t *list = json_object_get(from->values, "upsampling_ratios");
	const json_t *v;
	size_t i;

	if (!list)
		return 0;
	/* The size of what is no list is 0. */
	if (json_array_size(list) < 1 ||
	    json_array_size(list) > BARK_MAX_RATIOS)
		return bark_fail(err, -EINVAL, "%s: %s.upsampling_ratios is "
				 "not a list of 1 to %d", from->file,
				 from->name, BARK_MAX_RATIOS);
	c->n_ratios = (unsigned)json_array_size(list);
	c->hop = 1;
	json_array_foreach(list, i, v) {
		json_int_t ratio = json_integer_value(v);

		if (ratio < 1 || ratio > 64)
			return bark_fail(err, -EINVAL, "%s: "
					 "%s.upsampling_ratios: not in 1..64",
					 from->file, from->name);
		c->ratios[i] = (unsigned)ratio;
		if (__builtin_mul_overflow(c->hop, c->ratios[i], &c->hop))
			return bark_fail(err, -EINVAL, "%s: "
					 "%s.upsampling_ratios overflow",
					 from->file, from->name);
	}
	return 0;
}

/* The last target bandwidth says how many codebooks were trained. */
static int count_codebooks(struct codec_extra *x, const struct section *from,
			   struct bark_error *err)
{
	const json_t *list = json_object_get(from->values, "target_bandwidths");
	struct bark_codec_config *c = &x->dims;
	double frames, bits, n;

	if (list) {
		size_t len = json_array_size(list);
		const json_t *last = len ? json_array_get(list, len - 1) : NULL;

		if (!json_is_number(last))
			return bark_fail(err, -EINVAL, "%s: "
					 "%s.target_bandwidths is not a list "
					 "of numbers", from->file, from->name);
		x->bandwidth = json_number_value(last);
	}
	if (c->codebook_size < 2 || c->rate < 1)
		return bark_fail(err, -EINVAL, "%s: %s: codebook_size is %u, "
				 "sampling_rate %u", from->file, from->name,
				 c->codebook_size, c->rate);
	frames = ceil(c->rate / (double)c->hop);
	bits = ceil(log2(c->codebook_size));
	n = floor(1000 * x->bandwidth / (frames * bits));
	if (!(n >= 1))
		return bark_fail(err, -EINVAL, "%s: %s.target_bandwidths leave "
				 "no codebook", from->file, from->name);
	c->n_codebooks = n < BARK_MAX_CODEBOOKS ? (unsigned)n
						: BARK_MAX_CODEBOOKS;
	return 0;
}

/* "" where the key is absent, NULL where it is not a string. */
static const char *get_word(const struct section *from, const char *key)
{
	const json_t *v = json_object_get(from->values, key);

	return v ? json_string_value(v) : "";
}

static int read_codec(struct bark_codec_config *codec,
		      const struct section *from, struct bark_error *err)
{
	struct codec_extra x = {
		.channels = 1, .trim_right = 1, .bandwidth = 24,
		.causal = true,
	};
	const char *norm, *pad;
	struct bark_config base;
	int r;

	bark_config_published(&base, false);
	x.dims = base.codec;
	r = READ(&x, codec_keys, from, err);
	if (r == 0)
		r = read_ratios(&x.dims, from, err);
	if (r == 0)
		r = count_codebooks(&x, from, err);
	if (r < 0)
		return r;
	if (!x.codebook_dim)
		x.codebook_dim = x.dims.dim;
	if (x.codebook_dim != x.dims.dim)
		return bark_fail(err, -EINVAL, "%s: %s.codebook_dim is %u, but "
				 "hidden_size is %u", from->file, from->name,
				 x.codebook_dim, x.dims.dim);
	norm = get_word(from, "norm_type");
	pad = get_word(from, "pad_mode");
	if (!norm || (*norm && strcmp(norm, "weight_norm")))
		return bark_fail(err, -ENOTSUP, "%s: %s.norm_type is not "
				 "weight_norm", from->file, from->name);
	if (!pad || (*pad && strcmp(pad, "reflect") && strcmp(pad, "constant")))
		return bark_fail(err, -ENOTSUP, "%s: %s.pad_mode is neither "
				 "reflect nor constant", from->file,
				 from->name);
	x.dims.pad_reflect = strcmp(pad, "constant") != 0;
	if (!x.causal || x.trim_right != 1)
		return bark_fail(err, -ENOTSUP, "%s: %s: use_causal_conv must "
				 "be true, trim_right_ratio 1", from->file,
				 from->name);
	if (x.channels != 1)
		return bark_fail(err, -ENOTSUP, "%s: %s.audio_channels is %u, "
				 "not 1", from->file, from->name, x.channels);
	*codec = x.dims;
	return 0;
}

static int read_config(struct bark_config *c, const json_t *root,
		       struct bark_error *err)
{
	static const char file[] = "config.json";
	const char *type = json_string_value(json_object_get(root,
							     "model_type"));
	struct section semantic, coarse, fine, codec;
	int r;

	if (!type || strcmp(type, "bark"))
		return bark_fail(err, -ENOTSUP, "%s: model_type is %s, not "
				 "bark", file, type ? type : "absent");
	r = get_section(&semantic, root, file, "semantic_config", "semantic",
			err);
	if (r == 0)
		r = get_section(&coarse, root, file, "coarse_acoustics_config",
				"coarse_acoustics", err);
	if (r == 0)
		r = get_section(&fine, root, file, "fine_acoustics_config",
				"fine_acoustics", err);
	if (r == 0)
		r = get_section(&codec, root, file, "codec_config", "encodec",
				err);
	if (r == 0)
		r = read_gpt(&c->semantic.gpt, &semantic, err);
	if (r == 0)
		r = read_gpt(&c->coarse.gpt, &coarse, err);
	if (r == 0)
		r = read_gpt(&c->fine.gpt, &fine, err);
	if (r == 0)
		r = READ(&c->fine, fine_keys, &fine, err);
	if (r == 0)
		r = read_codec(&c->codec, &codec, err);
	return r;
}

static int read_generation_semantic(struct bark_semantic_config *s,
				    const struct section *from,
				    struct bark_error *err)
{
	int r;

	/* GenerationConfig's defaults, which Bark's classes inherit. */
	s->sampling = (struct bark_sampling){false, 1.0f, 50, 1.0f};
	s->min_eos_p = 0;
	r = READ(&s->sampling, sampling_keys, from, err);
	if (r == 0)
		r = READ(s, semantic_keys, from, err);
	/* The class takes the end token for padding, whatever the file has. */
	s->pad = s->eos;
	return r;
}

static int read_generation_coarse(struct bark_coarse_config *c,
				  const struct section *from,
				  struct bark_error *err)
{
	int r;

	c->sampling = (struct bark_sampling){false, 1.0f, 50, 1.0f};
	r = READ(&c->sampling, sampling_keys, from, err);
	return r < 0 ? r : READ(c, coarse_keys, from, err);
}

static int read_generation_fine(struct bark_config *c,
				const struct section *from,
				struct bark_error *err)
{
	struct fine_generation g = {1.0f, 512, 1024, 8};
	int r;

	r = READ(&g, fine_generation_keys, from, err);
	if (r < 0)
		return r;
	if (g.n_codebooks != c->fine.n_total)
		return bark_fail(err, -EINVAL, "%s: %s.n_fine_codebooks is %u, "
				 "but n_codes_total is %u in config.json",
				 from->file, from->name, g.n_codebooks,
				 c->fine.n_total);
	c->fine.max_history = g.max_history;
	c->fine.max_input = g.max_input;
	/* transformers takes the likeliest code at a temperature of 1. */
	c->fine.sampling = (struct bark_sampling){
		g.temperature != 1.0f, g.temperature, 0, 1.0f,
	};
	return 0;
}

/* root NULL: the file is absent, the classes' defaults hold. */
static int read_generation(struct bark_config *c, const json_t *root,
			   struct bark_error *err)
{
	static const char file[] = "generation_config.json";
	struct generation g = {.rate = c->codec.rate, .codebook_size = 1024,
			       .carry_voice = c->carry_voice,
			       .spoken_text = c->spoken_text,
			       .loudness = c->loudness};
	const struct section top = {root, file, "bark"};
	struct section semantic, coarse, fine;
	int r;

	r = READ(&g, generation_keys, &top, err);
	if (r == 0)
		r = get_section(&semantic, root, file, "semantic_config", NULL,
				err);
	if (r == 0)
		r = get_section(&coarse, root, file, "coarse_acoustics_config",
				NULL, err);
	if (r == 0)
		r = get_section(&fine, root, file, "fine_acoustics_config",
				NULL, err);
	if (r == 0)
		r = read_generation_semantic(&c->semantic, &semantic, err);
	if (r == 0)
		r = read_generation_coarse(&c->coarse, &coarse, err);
	if (r == 0)
		r = read_generation_fine(c, &fine, err);
	if (r < 0)
		return r;
	if (g.rate != c->codec.rate)
		return bark_fail(err, -EINVAL, "%s: sample_rate is %u, but "
				 "codec_config.sampling_rate is %u", file,
				 g.rate, c->codec.rate);
	c->codebook_size = g.codebook_size;
	c->carry_voice = g.carry_voice;
	c->spoken_text = g.spoken_text;
	c->loudness = g.loudness;
	return 0;
}

static int read_file(json_t **ret, const char *dir, const char *name,
		     struct bark_error *err)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    (int)sizeof(path))
		return bark_fail(err, -ENAMETOOLONG, "%s: the directory's name "
				 "is too long", name);
	return bark_json_read(ret, path, err);
}

bool bark_config_is_foreign(const char *dir)
{
	const char *type;
	json_t *root;
	bool is;

	if (read_file(&root, dir, "config.json", NULL) < 0)
		return false;
	type = json_string_value(json_object_get(root, "model_type"));
	is = !type || strcmp(type, "bark");
	json_decref(root);
	return is;
}

/* Takes both objects; generation may be NULL. */
static int read_both(struct bark_config *ret, json_t *model,
		     json_t *generation, struct bark_error *err)
{
	struct bark_config c;
	int r;

	bark_config_published(&c, false);
	r = read_config(&c, model, err);
	if (r == 0)
		r = read_generation(&c, generation, err);
	if (r == 0)
		r = bark_config_check(&c, err);
	json_decref(generation);
	json_decref(model);
	if (r < 0)
		return r;
	/* More codebooks than the fine net fills are never looked up. */
	c.codec.n_codebooks = c.fine.n_total;
	*ret = c;
	return 0;
}

int bark_config_transformers(struct bark_config *ret, const char *dir,
			     struct bark_error *err)
{
	json_t *model, *generation = NULL;
	int r;

	r = read_file(&model, dir, "config.json", err);
	if (r < 0)
		return r;
	r = read_file(&generation, dir, "generation_config.json", err);
	if (r < 0 && r != -ENOENT) {
		json_decref(model);
		return r;
	}
	return read_both(ret, model, generation, err);
}

int bark_config_parse(struct bark_config *ret, const char *config, size_t n,
		      const char *generation, size_t n_generation,
		      struct bark_error *err)
{
	json_t *model, *second = NULL;
	int r;

	r = bark_json_parse(&model, config, n, "config.json", err);
	if (r == 0 && generation) {
		r = bark_json_parse(&second, generation, n_generation,
				    "generation_config.json", err);
		if (r < 0)
			json_decref(model);
	}
	return r < 0 ? r : read_both(ret, model, second, err);
}
