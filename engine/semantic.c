/* SPDX-License-Identifier: MIT */
/*
 * Text to semantic tokens. Text and history are added at the same positions
 * (suno's merge_context), so nothing of the prefix can be kept with a voice.
 */
#include "stages.h"

bool bark_semantic_ready(const struct bark_timeline *t)
{
	return !t->semantic_done;
}

static void embed_prefix(struct bark_timeline *t)
{
	const struct bark_semantic_config *g = &t->model->config.semantic;
	const struct bark_gpt_weights *w = &t->model->semantic;
	size_t width = g->gpt.width, n_history = 0;
	const int32_t *history = NULL;
	float *row = t->scratch.a;

	if (t->voice) {
		n_history = t->voice->n_semantic < g->max_input ?
				    t->voice->n_semantic :
				    g->max_input;
		history = t->voice->semantic + t->voice->n_semantic - n_history;
	}
	for (size_t i = 0; i < g->max_input; i++) {
		float *x = t->scratch.x + i * width;
		size_t text = i < t->n_text ?
				      (size_t)t->text[i] + g->text_offset :
				      g->text_pad;
		size_t past = i < n_history ? (size_t)history[i] : g->pad;

		bark_table_row(t->compute, x, w->tables[0], w->type, text,
			       width);
		bark_table_row(t->compute, row, w->tables[0], w->type, past,
			       width);
		t->compute->ops.add(x, row, width);
	}
	bark_table_row(t->compute, t->scratch.x + g->max_input * width,
		       w->tables[0], w->type, g->infer, width);
}

/* Logits of the tokens, then of the end; true if the end is to be taken. */
static bool logits_end(struct bark_timeline *t)
{
	const struct bark_semantic_config *g = &t->model->config.semantic;
	const struct bark_linear *head = &t->model->semantic.heads[0];
	size_t width = g->gpt.width;

	bark_linear_rows(t->compute, &t->scratch.rows, t->logits, g->vocab,
			 t->scratch.x, width, head, 0, g->vocab, 1);
	if (t->opts.no_eos)
		return false;
	bark_linear_rows(t->compute, &t->scratch.rows, t->logits + g->vocab, 1,
			 t->scratch.x, width, head, g->eos, 1, 1);
	/* transformers compares before the temperature, suno after it. */
	return t->opts.min_eos_p > 0 &&
	       bark_probability(&t->compute->ops, t->logits,
				g->vocab + 1, g->vocab) >
		       t->opts.min_eos_p;
}

void bark_semantic_step(struct bark_timeline *t)
{
	const struct bark_semantic_config *g = &t->model->config.semantic;
	const struct bark_gpt_weights *w = &t->model->semantic;
	size_t token;

	if (!t->semantic_begun) {
		t->semantic_kv.n = 0;
		embed_prefix(t);
		bark_gpt_causal(t->compute, &g->gpt, w, &t->semantic_kv,
				&t->scratch, g->max_input + 1);
		t->semantic_begun = true;
	} else {
		int32_t last = t->semantic[t->semantic_base + t->n_semantic - 1];

		bark_table_row(t->compute, t->scratch.x, w->tables[0], w->type,
			       (size_t)last, g->gpt.width);
		bark_gpt_causal(t->compute, &g->gpt, w, &t->semantic_kv,
				&t->scratch, 1);
	}
	if (logits_end(t)) {
		t->semantic_done = true;
		return;
	}
	token = bark_sample(&t->sampler, t->logits,
			    g->vocab + (t->opts.no_eos ? 0 : 1),
			    &t->opts.semantic, t->segment,
			    BARK_STAGE_SEMANTIC, (uint32_t)t->n_semantic);
	if (token == g->vocab) {
		t->semantic_done = true;
		return;
	}
	t->semantic[t->semantic_base + t->n_semantic++] = (int32_t)token;
	if (t->n_semantic == t->semantic_cap ||
	    t->semantic_kv.n == t->semantic_kv.cap)
		t->semantic_done = true;
}
