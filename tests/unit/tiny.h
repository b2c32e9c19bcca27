/* SPDX-License-Identifier: MIT */
/* A model small enough for tests, with every feature of the large one. */
#ifndef TESTS_TINY_H
#define TESTS_TINY_H

#include "model.h"

__attribute__((unused)) static void tiny_config(struct bark_config *c)
{
	struct bark_gpt_config gpt = {
		.n_layer = 2, .n_head = 2, .width = 32, .block_size = 160,
		.n_in = 400, .n_out = 120, .bias = true, .mlp_width = 128,
	};

	bark_config_published(c, false);
	c->codebook_size = 64;
	c->semantic.gpt = gpt;
	c->semantic.vocab = 100;
	c->semantic.eos = c->semantic.pad = 100;
	c->semantic.text_offset = 110;
	c->semantic.text_pad = 390;
	c->semantic.infer = 391;
	c->semantic.max_input = 16;
	c->semantic.max_new = 100;
	c->coarse.gpt = gpt;
	c->coarse.gpt.n_in = c->coarse.gpt.n_out = 240;
	c->coarse.semantic_pad = 230;
	c->coarse.infer = 231;
	c->coarse.max_semantic = 32;
	c->coarse.max_history = 60;
	c->coarse.window = 30;
	c->fine.gpt = gpt;
	c->fine.gpt.n_in = c->fine.gpt.n_out = 65;
	c->fine.max_history = 32;
	c->fine.max_input = 64;
	c->codec.codebook_size = 64;
	c->codec.dim = 16;
	c->codec.n_filters = 4;
}

#endif
