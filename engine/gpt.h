/* SPDX-License-Identifier: MIT */
/*
 * Bark's transformer (pre-norm GPT-2; suno-ai/bark model.py, model_fine.py):
 * a causal one with a KV cache, and a non-causal one without.
 */
#ifndef BARK_GPT_H
#define BARK_GPT_H

#include "compute.h"

/* Rows that pass through the network's wide middle at once. */
#define BARK_GPT_CHUNK 128

/* Activations, shared by the stages of a session, which run in turn. */
struct bark_scratch {
	float *x;      /* [rows][width] residual stream */
	float *a;      /* [rows][width] normed input, then attention output */
	float *qkv;    /* [rows][3 * width] */
	float *keys, *values; /* [rows][width], heads apart */
	float *mlp;    /* [CHUNK][mlp_width] */
	float *scores; /* [threads][score_len] */
	size_t score_len;
	struct bark_rows_i8 rows; /* for int8 networks */
	float *storage;
};

/* One causal network's timeline. */
struct bark_kv {
	enum bk_dtype type; /* BK_F32 or BK_F16 */
	void *k, *v;      /* [layer][head][cap][head size] */
	size_t cap;       /* positions */
	size_t n;         /* positions held */
};

/* Room for `rows` rows of networks up to these sizes; int8: whether any of
 * them is. */
int bark_scratch_init(struct bark_scratch *s, const struct bark_gpt_config *const *nets,
		      size_t n_nets, size_t rows, size_t threads, bool int8);
void bark_scratch_clear(struct bark_scratch *s);

/* type: what bark_kv_type() says. */
int bark_kv_init(struct bark_kv *kv, const struct bark_gpt_config *config,
		 enum bk_dtype type, size_t cap);
void bark_kv_clear(struct bark_kv *kv);
/* f32 for f32 models; the others' caches are f16, half to keep and read. */
enum bk_dtype bark_kv_type(const struct bark_model *model);

/* Rows to append to a timeline. */
struct bark_lane {
	struct bark_kv *kv;
	size_t m; /* kv->n + m <= kv->cap */
};

/*
 * Appends rows of token embeddings to n timelines of one network, whose
 * weights are read once for all: s->x holds the lanes' rows one after another.
 * Adds position embeddings, runs the layers, extends each kv, and leaves the
 * final norm of the last lane's last row in s->x[0 .. width-1]; the last lane
 * has one row at least. The same bits as one lane after another. When
 * c->abandon says so, everything but kv->n may be left half done. Allocates
 * nothing.
 */
void bark_gpt_lanes(struct bark_compute *c, const struct bark_gpt_config *g,
		    const struct bark_gpt_weights *w,
		    const struct bark_lane *lanes, size_t n,
		    struct bark_scratch *s);

/* The same for one timeline. */
void bark_gpt_causal(struct bark_compute *c, const struct bark_gpt_config *g,
		     const struct bark_gpt_weights *w, struct bark_kv *kv,
		     struct bark_scratch *s, size_t m);

/*
 * Runs m rows of embeddings, s->x, each seeing all others; leaves the final
 * norm of rows first..m-1 in place, or anything when c->abandon says so.
 */
void bark_gpt_full(struct bark_compute *c, const struct bark_gpt_config *g,
		   const struct bark_gpt_weights *w, struct bark_scratch *s,
		   size_t m, size_t first);

#endif
