/* SPDX-License-Identifier: MIT */
/* Dimensions of suno's checkpoints, from the model_args they carry. */
#include <errno.h>

#include "config.h"
#include "error.h"

/* Leaves *ret where the file does not say. */
static int get_arg(const struct bark_tensors *set, const char *key,
		   unsigned *ret, struct bark_error *err)
{
	int64_t value;

	if (bark_tensors_arg(set, key, &value) < 0)
		return 0;
	if (value < 0 || value > BARK_MAX_VOCAB)
		return bark_fail(err, -EINVAL, "%s: model_args.%s is %lld, not "
				 "in 0..%d", bark_tensors_label(set), key,
				 (long long)value, BARK_MAX_VOCAB);
	*ret = (unsigned)value;
	return 0;
}

static int read_gpt(struct bark_gpt_config *gpt, const struct bark_tensors *set,
		    struct bark_error *err)
{
	unsigned vocab = 10048, bias = 1;
	int64_t value;
	int r;

	*gpt = (struct bark_gpt_config){
		.n_layer = 12, .n_head = 12, .width = 768, .block_size = 1024,
	};
	/* Checkpoints of before the two vocabularies have one size. */
	r = get_arg(set, "vocab_size", &vocab, err);
	gpt->n_in = gpt->n_out = vocab;
	if (r == 0)
		r = get_arg(set, "input_vocab_size", &gpt->n_in, err);
	if (r == 0)
		r = get_arg(set, "output_vocab_size", &gpt->n_out, err);
	if (r == 0)
		r = get_arg(set, "n_layer", &gpt->n_layer, err);
	if (r == 0)
		r = get_arg(set, "n_head", &gpt->n_head, err);
	if (r == 0)
		r = get_arg(set, "n_embd", &gpt->width, err);
	if (r == 0)
		r = get_arg(set, "block_size", &gpt->block_size, err);
	if (r == 0)
		r = get_arg(set, "bias", &bias, err);
	if (r < 0)
		return r;
	if (bark_tensors_arg(set, "n_embd", &value) < 0)
		return bark_fail(err, -EINVAL, "%s: no model_args.n_embd: not "
				 "a checkpoint of suno's",
				 bark_tensors_label(set));
	if (gpt->width > BARK_MAX_WIDTH)
		return bark_fail(err, -EINVAL, "%s: model_args.n_embd is %u, "
				 "over %d", bark_tensors_label(set),
				 gpt->width, BARK_MAX_WIDTH);
	gpt->bias = bias != 0;
	gpt->mlp_width = 4 * gpt->width;
	return 0;
}

int bark_config_suno(struct bark_config *ret, const struct bark_tensors *text,
		     const struct bark_tensors *coarse,
		     const struct bark_tensors *fine, struct bark_error *err)
{
	struct bark_config c;
	int r;

	bark_config_published(&c, false);
	r = read_gpt(&c.semantic.gpt, text, err);
	if (r == 0)
		r = read_gpt(&c.coarse.gpt, coarse, err);
	if (r == 0)
		r = read_gpt(&c.fine.gpt, fine, err);
	if (r == 0)
		r = get_arg(fine, "n_codes_total", &c.fine.n_total, err);
	if (r == 0)
		r = get_arg(fine, "n_codes_given", &c.fine.n_given, err);
	if (r == 0)
		r = bark_config_check(&c, err);
	if (r < 0)
		return r;
	*ret = c;
	return 0;
}
