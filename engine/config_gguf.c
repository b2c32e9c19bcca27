/* SPDX-License-Identifier: MIT */
/* A model's dimensions as keys of its GGUF file. */
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "config.h"
#include "error.h"

enum kind { UNSIGNED, BOOL, FLOAT, DOUBLE };

struct field {
	const char *key;
	size_t offset; /* in struct bark_config */
	enum kind kind;
};

#define FIELD(kind, name) \
	{"bark." #name, offsetof(struct bark_config, name), kind}
#define GPT(part)                            \
	FIELD(UNSIGNED, part.gpt.n_layer),   \
	FIELD(UNSIGNED, part.gpt.n_head),    \
	FIELD(UNSIGNED, part.gpt.width),     \
	FIELD(UNSIGNED, part.gpt.block_size),\
	FIELD(UNSIGNED, part.gpt.n_in),      \
	FIELD(UNSIGNED, part.gpt.n_out),     \
	FIELD(BOOL, part.gpt.bias),          \
	FIELD(UNSIGNED, part.gpt.mlp_width), \
	FIELD(BOOL, part.sampling.do_sample),    \
	FIELD(FLOAT, part.sampling.temperature), \
	FIELD(UNSIGNED, part.sampling.top_k),    \
	FIELD(FLOAT, part.sampling.top_p)
#define RATIO(i) FIELD(UNSIGNED, codec.ratios[i])

static const struct field fields[] = {
	GPT(semantic),
	FIELD(UNSIGNED, semantic.vocab),
	FIELD(UNSIGNED, semantic.eos),
	FIELD(UNSIGNED, semantic.pad),
	FIELD(UNSIGNED, semantic.text_offset),
	FIELD(UNSIGNED, semantic.text_pad),
	FIELD(UNSIGNED, semantic.infer),
	FIELD(UNSIGNED, semantic.max_input),
	FIELD(UNSIGNED, semantic.max_new),
	FIELD(FLOAT, semantic.min_eos_p),
	FIELD(DOUBLE, semantic.rate),
	GPT(coarse),
	FIELD(UNSIGNED, coarse.semantic_pad),
	FIELD(UNSIGNED, coarse.infer),
	FIELD(UNSIGNED, coarse.max_semantic),
	FIELD(UNSIGNED, coarse.max_history),
	FIELD(UNSIGNED, coarse.window),
	FIELD(UNSIGNED, coarse.n_codebooks),
	FIELD(DOUBLE, coarse.rate),
	GPT(fine),
	FIELD(UNSIGNED, fine.n_total),
	FIELD(UNSIGNED, fine.n_given),
	FIELD(BOOL, fine.tied),
	FIELD(UNSIGNED, fine.max_history),
	FIELD(UNSIGNED, fine.max_input),
	FIELD(UNSIGNED, codec.rate),
	FIELD(UNSIGNED, codec.n_codebooks),
	FIELD(UNSIGNED, codec.codebook_size),
	FIELD(UNSIGNED, codec.dim),
	FIELD(UNSIGNED, codec.n_filters),
	FIELD(UNSIGNED, codec.n_ratios),
	RATIO(0), RATIO(1), RATIO(2), RATIO(3),
	RATIO(4), RATIO(5), RATIO(6), RATIO(7),
	FIELD(UNSIGNED, codec.n_residual),
	FIELD(UNSIGNED, codec.kernel),
	FIELD(UNSIGNED, codec.last_kernel),
	FIELD(UNSIGNED, codec.residual_kernel),
	FIELD(UNSIGNED, codec.dilation_growth),
	FIELD(UNSIGNED, codec.compress),
	FIELD(UNSIGNED, codec.n_lstm),
	FIELD(BOOL, codec.conv_shortcut),
	FIELD(BOOL, codec.pad_reflect),
	FIELD(UNSIGNED, codec.hop),
	FIELD(UNSIGNED, codebook_size),
	FIELD(BOOL, carry_voice),
	FIELD(BOOL, spoken_text),
	FIELD(FLOAT, loudness),
};

#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

static bool read_whole(const struct bark_tensors *set, const char *key,
		       int64_t max, int64_t *ret)
{
	return bark_tensors_arg(set, key, ret) == 0 && *ret >= 0 && *ret <= max;
}

static bool read_field(const struct bark_tensors *set, const struct field *f,
		       void *at)
{
	int64_t whole = 0;
	double real = 0;

	switch (f->kind) {
	case UNSIGNED:
		if (!read_whole(set, f->key, UINT32_MAX, &whole))
			return false;
		*(unsigned *)at = (unsigned)whole;
		return true;
	case BOOL:
		if (!read_whole(set, f->key, 1, &whole))
			return false;
		*(bool *)at = whole == 1;
		return true;
	case FLOAT:
		if (bark_tensors_number(set, f->key, &real) < 0 ||
		    !(fabs(real) <= 1e30))
			return false;
		*(float *)at = (float)real;
		return true;
	case DOUBLE:
		return bark_tensors_number(set, f->key, at) == 0;
	}
	return false;
}

int bark_config_gguf(struct bark_config *ret, const struct bark_tensors *set,
		     struct bark_error *err)
{
	struct bark_config config = {0};

	for (size_t i = 0; i < N_FIELDS; i++)
		if (!read_field(set, &fields[i],
				(char *)&config + fields[i].offset))
			return bark_fail(err, -EINVAL, "%s: the key %s is not "
					 "there or out of range",
					 bark_tensors_label(set),
					 fields[i].key);
	*ret = config;
	return bark_config_check(ret, err);
}

void bark_config_put_gguf(const struct bark_config *config,
			  struct bark_gguf_writer *w)
{
	for (size_t i = 0; i < N_FIELDS; i++) {
		const struct field *f = &fields[i];
		const void *at = (const char *)config + f->offset;

		switch (f->kind) {
		case UNSIGNED:
			bark_gguf_put_u32(w, f->key, *(const unsigned *)at);
			break;
		case BOOL:
			bark_gguf_put_bool(w, f->key, *(const bool *)at);
			break;
		case FLOAT:
			bark_gguf_put_f64(w, f->key,
					  (double)*(const float *)at);
			break;
		case DOUBLE:
			bark_gguf_put_f64(w, f->key, *(const double *)at);
			break;
		}
	}
}
