/* SPDX-License-Identifier: MIT */
#include "gpt.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows of one head that a thread takes at a time. */
#define ATTENTION_ROWS 32

int bark_scratch_init(struct bark_scratch *s, const struct bark_gpt_config *const *nets,
		      size_t n_nets, size_t rows, size_t threads, bool int8)
{
	size_t width = 0, mlp = 0, floats;

	for (size_t i = 0; i < n_nets; i++) {
		width = nets[i]->width > width ? nets[i]->width : width;
		mlp = nets[i]->mlp_width > mlp ? nets[i]->mlp_width : mlp;
	}
	s->score_len = (rows + 15) & ~(size_t)15;
	floats = rows * width * 7 + BARK_GPT_CHUNK * mlp +
		 threads * s->score_len;
	s->storage = calloc(floats, sizeof(float));
	if (!s->storage)
		return -ENOMEM;
	if (int8 && bark_rows_init(&s->rows, mlp > width ? mlp : width) < 0)
		return -ENOMEM;
	s->x = s->storage;
	s->a = s->x + rows * width;
	s->qkv = s->a + rows * width;
	s->keys = s->qkv + rows * width * 3;
	s->values = s->keys + rows * width;
	s->mlp = s->values + rows * width;
	s->scores = s->mlp + BARK_GPT_CHUNK * mlp;
	return 0;
}

void bark_scratch_clear(struct bark_scratch *s)
{
	free(s->storage);
	bark_rows_clear(&s->rows);
	memset(s, 0, sizeof(*s));
}

enum bk_dtype bark_kv_type(const struct bark_model *model)
{
	return model->int8 || model->type != BK_F32 ? BK_F16 : BK_F32;
}

int bark_kv_init(struct bark_kv *kv, const struct bark_gpt_config *config,
		 enum bk_dtype type, size_t cap)
{
	const size_t bytes = (size_t)config->n_layer * cap * config->width *
			     bk_dtype_size(type);

	kv->k = malloc(2 * bytes);
	if (!kv->k)
		return -ENOMEM;
	kv->v = (char *)kv->k + bytes;
	kv->type = type;
	kv->cap = cap;
	kv->n = 0;
	return 0;
}

void bark_kv_clear(struct bark_kv *kv)
{
	free(kv->k);
	memset(kv, 0, sizeof(*kv));
}

struct attention {
	const struct bk_ops *ops;
	float *out;
	const float *q;
	const void *k, *v;
	enum bk_dtype type; /* of k and v */
	float *scores;
	size_t ldo, ldq, ldkv, head_stride, score_len;
	size_t n_head, hd, n_past, first, m;
	int causal;
};

/* n rows of one head. */
static void attend_head(const struct attention *t, size_t row, size_t h,
			size_t n, size_t past, float scale, float *scores)
{
	float *out = t->out + row * t->ldo + h * t->hd;
	const float *q = t->q + row * t->ldq + h * t->hd;
	const size_t at = h * t->head_stride;

	if (t->type == BK_F16)
		t->ops->attention_f16(out, t->ldo, q, t->ldq,
				      (const uint16_t *)t->k + at,
				      (const uint16_t *)t->v + at, t->ldkv, n,
				      past, t->hd, t->causal, scale, scores);
	else
		t->ops->attention(out, t->ldo, q, t->ldq,
				  (const float *)t->k + at,
				  (const float *)t->v + at, t->ldkv, n, past,
				  t->hd, t->causal, scale, scores);
}

static void attention_part(void *arg, size_t part, size_t parts)
{
	const struct attention *t = arg;
	float *scores = t->scores + part * t->score_len;
	size_t rows = t->m - t->first;
	size_t blocks = (rows + ATTENTION_ROWS - 1) / ATTENTION_ROWS;
	float scale = 1.0f / sqrtf((float)t->hd);

	for (size_t job = part; job < blocks * t->n_head; job += parts) {
		size_t h = job % t->n_head;
		size_t row = t->first + job / t->n_head * ATTENTION_ROWS;
		size_t n = t->m - row < ATTENTION_ROWS ? t->m - row :
							 ATTENTION_ROWS;
		/* Non-causal rows see all m: pretend n_past completes them. */
		size_t past = t->causal ? t->n_past + row :
					  t->n_past + t->m - n;

		attend_head(t, row, h, n, past, scale, scores);
	}
}

static void attend(struct bark_compute *c, struct attention *t)
{
	size_t threads = bk_pool_threads(c->pool);
	size_t keys = t->n_past + t->m;

	t->ops = &c->ops;
	c->work.operations += 4.0 * (double)((t->m - t->first) * keys) *
			      (double)(t->hd * t->n_head);
	c->work.bytes += 2.0 * (double)(keys * t->hd * t->n_head) *
			 (double)bk_dtype_size(t->type);
	if (threads > 1 && (t->m - t->first) * keys * t->hd * t->n_head > 1u << 18)
		bk_pool_run(c->pool, attention_part, t, threads);
	else
		attention_part(t, 0, 1);
}

/* x[first..m-1] += out_proj(a), then the MLP, in place. */
static void finish_layer(struct bark_compute *c, const struct bark_gpt_config *g,
			 const struct bark_gpt_layer *l, struct bark_scratch *s,
			 size_t first, size_t m)
{
	size_t w = g->width;

	for (size_t r = first; r < m; r += BARK_GPT_CHUNK) {
		size_t n = m - r < BARK_GPT_CHUNK ? m - r : BARK_GPT_CHUNK;
		float *x = s->x + r * w, *a = s->a + r * w;
		/* The queries of these rows are done with. */
		float *t = s->qkv + r * w * 3;

		bark_linear(c, &s->rows, t, w, a, w, &l->out, n);
		c->ops.add(x, t, n * w);
		c->ops.layernorm(a, x, l->norm_2.gain, l->norm_2.bias, n, w,
				 1e-5f);
		bark_linear(c, &s->rows, s->mlp, g->mlp_width, a, w,
			    &l->in_proj, n);
		c->ops.gelu(s->mlp, n * g->mlp_width);
		bark_linear(c, &s->rows, t, w, s->mlp, g->mlp_width,
			    &l->out_proj, n);
		c->ops.add(x, t, n * w);
	}
}

static void add_positions(struct bark_compute *c, const struct bark_gpt_config *g,
			  const struct bark_gpt_weights *w, float *x,
			  size_t from, size_t m)
{
	c->ops.add(x, w->positions + from * g->width, m * g->width);
}

static void put_row(const struct bk_ops *ops, enum bk_dtype type, void *to,
		    size_t at, const float *from, size_t n)
{
	if (type == BK_F16)
		ops->f32_to_f16((uint16_t *)to + at, from, n);
	else
		memcpy((float *)to + at, from, n * sizeof(*from));
}

/* Copies the keys and values of the m rows at qkv behind what kv holds. */
static void append_kv(const struct bk_ops *ops, const struct bark_gpt_config *g,
		      struct bark_kv *kv, const float *qkv, size_t layer,
		      size_t m)
{
	size_t w = g->width, hd = w / g->n_head;
	size_t base = layer * kv->cap * w;

	for (size_t r = 0; r < m; r++) {
		const float *key = qkv + r * 3 * w + w, *value = key + w;

		for (size_t h = 0; h < g->n_head; h++) {
			size_t at = base + (h * kv->cap + kv->n + r) * hd;

			put_row(ops, kv->type, kv->k, at, key + h * hd, hd);
			put_row(ops, kv->type, kv->v, at, value + h * hd, hd);
		}
	}
}

/* Rows row..row + m - 1 of s are a lane's; those before `first` of them need
 * no output. */
static void attend_lane(struct bark_compute *c, const struct bark_gpt_config *g,
			struct bark_scratch *s, const struct bark_lane *lane,
			size_t layer, size_t row, size_t first)
{
	size_t width = g->width, hd = width / g->n_head;
	const struct bark_kv *kv = lane->kv;
	size_t before = layer * kv->cap * width * bk_dtype_size(kv->type);
	struct attention t = {
		.out = s->a + row * width, .ldo = width,
		.q = s->qkv + row * 3 * width, .ldq = 3 * width,
		.k = (const char *)kv->k + before,
		.v = (const char *)kv->v + before, .type = kv->type,
		.ldkv = hd, .head_stride = kv->cap * hd,
		.scores = s->scores, .score_len = s->score_len,
		.n_head = g->n_head, .hd = hd, .n_past = kv->n,
		.first = first, .m = lane->m, .causal = 1,
	};

	attend(c, &t);
}

void bark_gpt_lanes(struct bark_compute *c, const struct bark_gpt_config *g,
		    const struct bark_gpt_weights *w,
		    const struct bark_lane *lanes, size_t n,
		    struct bark_scratch *s)
{
	size_t width = g->width, m = 0;

	for (size_t i = 0; i < n; i++) {
		add_positions(c, g, w, s->x + m * width, lanes[i].kv->n,
			      lanes[i].m);
		m += lanes[i].m;
	}
	for (size_t i = 0; i < g->n_layer; i++) {
		const struct bark_gpt_layer *l = &w->layers[i];
		/* Of the last layer only the last row is ever looked at. */
		size_t first = i + 1 == g->n_layer ? m - 1 : 0, row = 0;

		if (bark_abandoned(c))
			return;
		c->ops.layernorm(s->a, s->x, l->norm_1.gain, l->norm_1.bias, m,
				 width, 1e-5f);
		if (first == 0) {
			bark_linear(c, &s->rows, s->qkv, 3 * width, s->a,
				    width, &l->att, m);
		} else {
			bark_linear_rows(c, &s->rows, s->qkv + width, 3 * width,
					 s->a, width, &l->att, width, 2 * width,
					 m);
			bark_linear_rows(c, &s->rows,
					 s->qkv + first * 3 * width, 3 * width,
					 s->a + first * width, width, &l->att,
					 0, width, 1);
		}
		for (size_t j = 0; j < n; row += lanes[j++].m) {
			append_kv(&c->ops, g, lanes[j].kv,
				  s->qkv + row * 3 * width, i, lanes[j].m);
			if (row + lanes[j].m > first)
				attend_lane(c, g, s, &lanes[j], i, row,
					    first > row ? first - row : 0);
		}
		finish_layer(c, g, l, s, first, m);
	}
	for (size_t i = 0; i < n; i++)
		lanes[i].kv->n += lanes[i].m;
	c->ops.layernorm(s->x, s->x + (m - 1) * width, w->norm.gain,
			 w->norm.bias, 1, width, 1e-5f);
}

void bark_gpt_causal(struct bark_compute *c, const struct bark_gpt_config *g,
		     const struct bark_gpt_weights *w, struct bark_kv *kv,
		     struct bark_scratch *s, size_t m)
{
	const struct bark_lane lane = { kv, m };

	bark_gpt_lanes(c, g, w, &lane, 1, s);
}

/* Keys and values of s->qkv, each head's together: in rows that are a power
 * of two or so apart they would share a few sets of the cache. */
static void gather_heads(const struct bark_gpt_config *g,
			 struct bark_scratch *s, size_t m)
{
	size_t w = g->width, hd = w / g->n_head;

	for (size_t r = 0; r < m; r++) {
		const float *key = s->qkv + r * 3 * w + w, *value = key + w;

		for (size_t h = 0; h < g->n_head; h++) {
			size_t at = (h * m + r) * hd;

			memcpy(s->keys + at, key + h * hd, hd * sizeof(*key));
			memcpy(s->values + at, value + h * hd,
			       hd * sizeof(*value));
		}
	}
}

void bark_gpt_full(struct bark_compute *c, const struct bark_gpt_config *g,
		   const struct bark_gpt_weights *w, struct bark_scratch *s,
		   size_t m, size_t first_wanted)
{
	size_t width = g->width, hd = width / g->n_head;

	add_positions(c, g, w, s->x, 0, m);
	for (size_t i = 0; i < g->n_layer; i++) {
		const struct bark_gpt_layer *l = &w->layers[i];
		size_t first = i + 1 == g->n_layer ? first_wanted : 0;
		struct attention t = {
			.out = s->a, .ldo = width,
			.q = s->qkv, .ldq = 3 * width,
			.k = s->keys, .v = s->values, .type = BK_F32,
			.ldkv = hd, .head_stride = m * hd,
			.scores = s->scores, .score_len = s->score_len,
			.n_head = g->n_head, .hd = hd, .n_past = 0,
			.first = first, .m = m, .causal = 0,
		};

		if (bark_abandoned(c))
			return;
		c->ops.layernorm(s->a, s->x, l->norm_1.gain, l->norm_1.bias, m,
				 width, 1e-5f);
		bark_linear(c, &s->rows, s->qkv, 3 * width, s->a, width,
			    &l->att, m);
		gather_heads(g, s, m);
		attend(c, &t);
		finish_layer(c, g, l, s, first, m);
	}
	c->ops.layernorm(s->x + first_wanted * width, s->x + first_wanted * width,
			 w->norm.gain, w->norm.bias, m - first_wanted, width,
			 1e-5f);
}
