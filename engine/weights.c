/* SPDX-License-Identifier: MIT */
/* The walk over a model's layout, and how two kinds of files name it. */
#include "weights.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "error.h"

#define MAX_NAME 160

struct bark_names {
	const char *prefix[3]; /* by bark_part */
	/* tables, layer, heads, quantizer and codec_layer take an index. */
	const char *table, *tables, *positions, *layer;
	const char *norm_1, *norm_2, *att, *out, *in_proj, *out_proj;
	const char *norm, *head, *heads;
	const char *quantizer, *codebook, *codec_layer;
	/* Wrapped once more in encodec's own file than in transformers'. */
	const char *conv, *upconv, *lstm;
};

const struct bark_names bark_names_transformers = {
	.prefix = {"semantic.", "coarse_acoustics.", "fine_acoustics."},
	.table = "input_embeds_layer",
	.tables = "input_embeds_layers",
	.positions = "position_embeds_layer",
	.layer = "layers",
	.norm_1 = "layernorm_1",
	.norm_2 = "layernorm_2",
	.att = "attn.att_proj",
	.out = "attn.out_proj",
	.in_proj = "mlp.in_proj",
	.out_proj = "mlp.out_proj",
	.norm = "layernorm_final",
	.head = "lm_head",
	.heads = "lm_heads",
	.quantizer = "codec_model.quantizer.layers",
	.codebook = "codebook.embed",
	.codec_layer = "codec_model.decoder.layers",
	.conv = ".conv",
	.upconv = ".conv",
	.lstm = ".lstm",
};

const struct bark_names bark_names_suno = {
	.prefix = {"", "", ""},
	.table = "transformer.wte",
	.tables = "transformer.wtes",
	.positions = "transformer.wpe",
	.layer = "transformer.h",
	.norm_1 = "ln_1",
	.norm_2 = "ln_2",
	.att = "attn.c_attn",
	.out = "attn.c_proj",
	.in_proj = "mlp.c_fc",
	.out_proj = "mlp.c_proj",
	.norm = "transformer.ln_f",
	.head = "lm_head",
	.heads = "lm_heads",
	.quantizer = "quantizer.vq.layers",
	.codebook = "_codebook.embed",
	.codec_layer = "decoder.model",
	.conv = ".conv.conv",
	.upconv = ".convtr.convtr",
	.lstm = ".lstm",
};

/* --- memory --- */

void *bark_arena_take(struct bark_arena *arena, size_t bytes)
{
	unsigned char *p = arena->base ? arena->base + arena->used : NULL;

	arena->used += (bytes + 63) & ~(size_t)63;
	return p;
}

int bark_arena_commit(struct bark_arena *arena)
{
	void *base;

	arena->size = arena->used;
	arena->used = 0;
	if (arena->size == 0)
		return 0;
	base = mmap(NULL, arena->size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return -ENOMEM;
	/* Weights are streamed through at every step: spare the TLB. */
	madvise(base, arena->size, MADV_HUGEPAGE);
	arena->base = base;
	return 0;
}

void bark_arena_clear(struct bark_arena *arena)
{
	if (arena->base)
		munmap(arena->base, arena->size);
	*arena = (struct bark_arena){0};
}

/* --- GPTs --- */

/* What the functions below share. */
struct walk {
	struct bark_weight_source *s;
	const struct bark_names *names;
	char name[MAX_NAME]; /* the array asked for last */
};

__attribute__((format(printf, 2, 3))) static const char *
name_it(struct walk *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->name, sizeof(w->name), fmt, ap);
	va_end(ap);
	return w->name;
}

static int extra_bias(struct walk *w)
{
	return bark_fail(w->s->err, -EINVAL, "%s is there, but the "
			 "configuration says bias is false", w->name);
}

/* How little a quantised model may leave of a Linear (docs/performance.md has
 * the measurements). */
enum least {
	LEAST_4_BITS, /* within the networks */
	LEAST_8_BITS, /* heads */
	LEAST_HALF,   /* the coarse head: a step reads few of its rows */
};

/* What w->name names, into ret. */
static int walk_weight(struct walk *w, struct bark_linear *ret,
		       enum least least, size_t n, size_t k)
{
	struct bark_weight_source *s = w->s;

	ret->type = s->type;
	ret->n = (unsigned)n;
	ret->k = (unsigned)k;
	if (!s->int8 || least == LEAST_HALF)
		return s->matrix(s, &ret->w, w->name, n, k);
	if (s->q4 && least == LEAST_4_BITS)
		return s->quantized_q4(s, &ret->q4, w->name, n, k);
	return s->quantized(s, &ret->i8, w->name, n, k);
}

static int walk_linear(struct walk *w, struct bark_linear *ret,
		       enum least least, const char *prefix, const char *stem,
		       size_t n, size_t k, bool bias)
{
	int r;

	name_it(w, "%s%s.weight", prefix, stem);
	r = walk_weight(w, ret, least, n, k);
	if (r < 0)
		return r;
	name_it(w, "%s%s.bias", prefix, stem);
	if (bias)
		return w->s->floats(w->s, &ret->bias, BARK_WEIGHT_BIAS,
				    w->name, n, 0);
	return w->s->has(w->s, w->name) ? extra_bias(w) : 0;
}

static int walk_norm(struct walk *w, struct bark_norm *ret, const char *prefix,
		     const char *stem, size_t n, bool bias)
{
	int r;

	r = w->s->floats(w->s, &ret->gain, BARK_WEIGHT_GAIN,
			 name_it(w, "%s%s.weight", prefix, stem), n, 0);
	if (r < 0)
		return r;
	name_it(w, "%s%s.bias", prefix, stem);
	if (bias)
		return w->s->floats(w->s, &ret->bias, BARK_WEIGHT_BIAS,
				    w->name, n, 0);
	return w->s->has(w->s, w->name) ? extra_bias(w) : 0;
}

static int walk_layer(struct walk *w, struct bark_gpt_layer *l,
		      const struct bark_gpt_config *c, const char *prefix,
		      bool norm_bias)
{
	const struct bark_names *n = w->names;
	const size_t d = c->width, m = c->mlp_width;
	int r;

	r = walk_norm(w, &l->norm_1, prefix, n->norm_1, d, norm_bias);
	if (r == 0)
		r = walk_linear(w, &l->att, LEAST_4_BITS, prefix, n->att,
				3 * d, d, c->bias);
	if (r == 0)
		r = walk_linear(w, &l->out, LEAST_4_BITS, prefix, n->out, d, d,
				c->bias);
	if (r == 0)
		r = walk_norm(w, &l->norm_2, prefix, n->norm_2, d, norm_bias);
	if (r == 0)
		r = walk_linear(w, &l->in_proj, LEAST_4_BITS, prefix,
				n->in_proj, m, d, c->bias);
	if (r == 0)
		r = walk_linear(w, &l->out_proj, LEAST_4_BITS, prefix,
				n->out_proj, d, m, c->bias);
	return r;
}

/* Positions, layers and the last norm: what all three nets have. */
static int walk_body(struct walk *w, struct bark_gpt_weights *g,
		     const struct bark_gpt_config *c, const char *part,
		     bool norm_bias)
{
	const struct bark_names *n = w->names;
	char prefix[MAX_NAME / 2];
	int r;

	g->type = w->s->type;
	r = w->s->floats(w->s, &g->positions, BARK_WEIGHT_POSITIONS,
			 name_it(w, "%s%s.weight", part, n->positions),
			 c->block_size, c->width);
	for (unsigned i = 0; i < c->n_layer && r == 0; i++) {
		snprintf(prefix, sizeof(prefix), "%s%s.%u.", part, n->layer,
			 i);
		r = walk_layer(w, &g->layers[i], c, prefix, norm_bias);
	}
	if (r == 0)
		r = walk_norm(w, &g->norm, part, n->norm, c->width, norm_bias);
	return r;
}

static int walk_causal(struct walk *w, struct bark_gpt_weights *g,
		       const struct bark_gpt_config *c, enum bark_part part)
{
	const char *prefix = w->names->prefix[part];
	int r;

	w->s->begin(w->s, part);
	r = w->s->matrix(w->s, &g->tables[0],
			 name_it(w, "%s%s.weight", prefix, w->names->table),
			 c->n_in, c->width);
	if (r == 0)
		r = walk_body(w, g, c, prefix, c->bias);
	if (r == 0)
		r = walk_linear(w, &g->heads[0],
				part == BARK_PART_COARSE ? LEAST_HALF :
							   LEAST_8_BITS,
				prefix, w->names->head, c->n_out, c->width,
				false);
	return r;
}

/* A tied table may be in the file under its head's name alone. */
static void name_fine_table(struct walk *w, const struct bark_fine_config *c,
			    unsigned i)
{
	const char *part = w->names->prefix[BARK_PART_FINE];
	bool tied = c->tied && i > 0 && i <= c->n_total - c->n_given;

	name_it(w, "%s%s.%u.weight", part, w->names->tables, i);
	if (tied && !w->s->has(w->s, w->name)) {
		name_it(w, "%s%s.%u.weight", part, w->names->heads, i - 1);
		if (!w->s->has(w->s, w->name))
			name_it(w, "%s%s.%u.weight", part, w->names->tables,
				i);
	}
}

/* A tied head is its table, or, where it is quantised, made from it. */
static int walk_tied_head(struct walk *w, struct bark_gpt_weights *g,
			  const struct bark_fine_config *c, unsigned i)
{
	if (w->s->int8) {
		name_fine_table(w, c, i + 1);
		return walk_weight(w, &g->heads[i], LEAST_8_BITS, c->gpt.n_out,
				   c->gpt.width);
	}
	g->heads[i] = (struct bark_linear){
		.w = g->tables[i + 1], .type = w->s->type,
		.n = c->gpt.n_out, .k = c->gpt.width,
	};
	return 0;
}

static int walk_fine(struct walk *w, struct bark_gpt_weights *g,
		     const struct bark_fine_config *c)
{
	const char *part = w->names->prefix[BARK_PART_FINE];
	char stem[MAX_NAME / 2];
	int r = 0;

	w->s->begin(w->s, BARK_PART_FINE);
	for (unsigned i = 0; i < c->n_total && r == 0; i++) {
		name_fine_table(w, c, i);
		r = w->s->matrix(w->s, &g->tables[i], w->name, c->gpt.n_in,
				 c->gpt.width);
	}
	/* The fine net's norms have biases whatever the configuration. */
	if (r == 0)
		r = walk_body(w, g, &c->gpt, part, true);
	for (unsigned i = 0; i < c->n_total - c->n_given && r == 0; i++) {
		if (c->tied) {
			r = walk_tied_head(w, g, c, i);
			continue;
		}
		snprintf(stem, sizeof(stem), "%s.%u", w->names->heads, i);
		r = walk_linear(w, &g->heads[i], LEAST_8_BITS, part, stem,
				c->gpt.n_out, c->gpt.width, false);
	}
	return r;
}

/* --- codec --- */

static int walk_conv(struct walk *w, struct bark_conv *ret, const char *module,
		     unsigned c_out, unsigned c_in, unsigned kernel,
		     unsigned dilation)
{
	int r;

	ret->c_in = c_in;
	ret->c_out = c_out;
	ret->kernel = kernel;
	ret->dilation = dilation;
	name_it(w, "%s%s", module, w->names->conv);
	r = w->s->conv(w->s, &ret->w, w->name, c_out, c_in, kernel, false);
	if (r < 0)
		return r;
	name_it(w, "%s%s.bias", module, w->names->conv);
	return w->s->floats(w->s, &ret->bias, BARK_WEIGHT_BIAS, w->name, c_out,
			    0);
}

static int walk_upconv(struct walk *w, struct bark_upconv *ret,
		       const char *module, unsigned c_out, unsigned c_in,
		       unsigned stride)
{
	int r;

	ret->c_in = c_in;
	ret->c_out = c_out;
	ret->kernel = 2 * stride;
	ret->stride = stride;
	name_it(w, "%s%s", module, w->names->upconv);
	r = w->s->conv(w->s, &ret->w, w->name, c_out, c_in, 2 * stride, true);
	if (r < 0)
		return r;
	name_it(w, "%s%s.bias", module, w->names->upconv);
	return w->s->floats(w->s, &ret->bias, BARK_WEIGHT_BIAS, w->name, c_out,
			    0);
}

static int walk_lstm(struct walk *w, struct bark_lstm_layer *l,
		     const char *module, unsigned index, size_t n)
{
	char a[MAX_NAME], b[MAX_NAME];
	int r;

	snprintf(a, sizeof(a), "%s%s.weight_ih_l%u", module, w->names->lstm,
		 index);
	snprintf(b, sizeof(b), "%s%s.weight_hh_l%u", module, w->names->lstm,
		 index);
	r = w->s->floats(w->s, &l->w_ih, BARK_WEIGHT_RECURRENT, a, 4 * n, n);
	if (r == 0)
		r = w->s->floats(w->s, &l->w_hh, BARK_WEIGHT_RECURRENT, b,
				 4 * n, n);
	if (r < 0)
		return r;
	snprintf(a, sizeof(a), "%s%s.bias_ih_l%u", module, w->names->lstm,
		 index);
	snprintf(b, sizeof(b), "%s%s.bias_hh_l%u", module, w->names->lstm,
		 index);
	return w->s->sum(w->s, &l->bias, a, b, 4 * n);
}

static int walk_resunit(struct walk *w, struct bark_resunit *u,
			const char *module, const struct bark_codec_config *c,
			unsigned width, unsigned dilation)
{
	const unsigned inner = width / c->compress;
	char sub[MAX_NAME / 2];
	int r;

	snprintf(sub, sizeof(sub), "%s.block.1", module);
	r = walk_conv(w, &u->conv_1, sub, inner, width, c->residual_kernel,
		      dilation);
	if (r < 0)
		return r;
	snprintf(sub, sizeof(sub), "%s.block.3", module);
	r = walk_conv(w, &u->conv_2, sub, width, inner, 1, 1);
	if (r < 0 || !c->conv_shortcut)
		return r;
	snprintf(sub, sizeof(sub), "%s.shortcut", module);
	return walk_conv(w, &u->shortcut, sub, width, width, 1, 1);
}

#define MAX_MODULE (MAX_NAME / 4)

static void module_name(const struct walk *w, char buf[MAX_MODULE],
			unsigned index)
{
	snprintf(buf, MAX_MODULE, "%s.%u", w->names->codec_layer, index);
}

/*
 * The decoder is a list of modules: a convolution, the LSTM, then for each
 * ratio ELU, transposed convolution and residual units, then ELU and the last
 * convolution. ELUs take a number as well.
 */
static int walk_decoder(struct walk *w, struct bark_codec_weights *v,
			const struct bark_codec_config *c)
{
	unsigned width = c->n_filters << c->n_ratios, index = 0;
	char module[MAX_MODULE];
	int r;

	v->lstm_width = width;
	module_name(w, module, index++);
	r = walk_conv(w, &v->first, module, width, c->dim, c->kernel, 1);
	module_name(w, module, index++);
	for (unsigned i = 0; i < c->n_lstm && r == 0; i++)
		r = walk_lstm(w, &v->lstm[i], module, i, width);
	for (unsigned i = 0; i < c->n_ratios && r == 0; i++) {
		unsigned dilation = 1;

		index++;
		module_name(w, module, index++);
		r = walk_upconv(w, &v->up[i], module, width / 2, width,
				c->ratios[i]);
		width /= 2;
		for (unsigned j = 0; j < c->n_residual && r == 0; j++) {
			module_name(w, module, index++);
			r = walk_resunit(w, &v->res[i][j], module, c, width,
					 dilation);
			dilation *= c->dilation_growth;
		}
	}
	if (r < 0)
		return r;
	index++;
	module_name(w, module, index);
	return walk_conv(w, &v->last, module, 1, c->n_filters, c->last_kernel,
			 1);
}

static int walk_codec(struct walk *w, struct bark_codec_weights *v,
		      const struct bark_codec_config *c)
{
	int r = 0;

	w->s->begin(w->s, BARK_PART_CODEC);
	for (unsigned i = 0; i < c->n_codebooks && r == 0; i++)
		r = w->s->floats(w->s, &v->codebooks[i], BARK_WEIGHT_CODEBOOK,
				 name_it(w, "%s.%u.%s", w->names->quantizer, i,
					 w->names->codebook),
				 c->codebook_size, c->dim);
	return r < 0 ? r : walk_decoder(w, v, c);
}

/* --- all --- */

int bark_weights_walk(struct bark_model *m, struct bark_weight_source *s,
		      const struct bark_names *names)
{
	struct walk w = {.s = s, .names = names};
	const struct bark_config *c = &m->config;
	int r;

	r = walk_causal(&w, &m->semantic, &c->semantic.gpt,
			BARK_PART_SEMANTIC);
	if (r == 0)
		r = walk_causal(&w, &m->coarse, &c->coarse.gpt,
				BARK_PART_COARSE);
	if (r == 0)
		r = walk_fine(&w, &m->fine, &c->fine);
	if (r == 0)
		r = walk_codec(&w, &m->codec, &c->codec);
	return r;
}

static struct bark_gpt_layer *new_layers(const struct bark_gpt_config *c)
{
	return calloc(c->n_layer, sizeof(struct bark_gpt_layer));
}

int bark_weights_load(struct bark_model *model, struct bark_weight_source *s,
		      const struct bark_names *names)
{
	int r;

	model->type = s->type;
	model->int8 = s->int8;
	model->q4 = s->q4;
	model->semantic.layers = new_layers(&model->config.semantic.gpt);
	model->coarse.layers = new_layers(&model->config.coarse.gpt);
	model->fine.layers = new_layers(&model->config.fine.gpt);
	if (!model->semantic.layers || !model->coarse.layers ||
	    !model->fine.layers)
		return bark_fail(s->err, -ENOMEM, "out of memory");
	r = bark_weights_walk(model, s, names);
	if (r < 0)
		return r;
	r = bark_arena_commit(&s->arena);
	if (r < 0)
		return bark_fail(s->err, r, "no memory for %zu MiB of weights",
				 s->arena.size >> 20);
	return bark_weights_walk(model, s, names);
}

void bark_weights_clear(struct bark_model *model)
{
	free(model->semantic.layers);
	free(model->coarse.layers);
	free(model->fine.layers);
	model->semantic.layers = NULL;
	model->coarse.layers = NULL;
	model->fine.layers = NULL;
}
