/* SPDX-License-Identifier: MIT */
/*
 * Filling a model with weights. One walk over the layout of model.h asks a
 * source for every array; sources are files and random numbers. The walk is
 * done twice: first with an arena that only counts (and with every name and
 * shape checked), then with the memory that was counted.
 */
#ifndef BARK_WEIGHTS_H
#define BARK_WEIGHTS_H

#include "../kernels/pool.h"
#include "model.h"
#include "files/tensors.h"

/* --- memory --- */

struct bark_arena {
	unsigned char *base; /* NULL: counting only */
	size_t used, size;
};

/* 64-byte aligned; NULL while counting. Sizes are bounded by the limits of
 * model.h and cannot overflow. */
void *bark_arena_take(struct bark_arena *arena, size_t bytes);
/* Gives base the memory that was counted in used. Error: -ENOMEM. */
int bark_arena_commit(struct bark_arena *arena);
void bark_arena_clear(struct bark_arena *arena);

/* --- sources --- */

enum bark_part {
	BARK_PART_SEMANTIC,
	BARK_PART_COARSE,
	BARK_PART_FINE,
	BARK_PART_CODEC,
	BARK_PARTS,
};

/* suno's: each net is large or small by itself, as it is for suno's own code. */
extern const char *const bark_suno_files[BARK_PARTS][2];

enum bark_weight {
	BARK_WEIGHT_GAIN,      /* about 1 */
	BARK_WEIGHT_BIAS,      /* about 0 */
	BARK_WEIGHT_POSITIONS, /* embeddings added to the tables' */
	BARK_WEIGHT_RECURRENT, /* LSTM matrices */
	BARK_WEIGHT_CODEBOOK,
};

/*
 * Each function sets *ret to memory that lives as long as the model. Names
 * are the file's. Errors: -EINVAL (err names the tensor), -ENOTSUP.
 */
struct bark_weight_source {
	struct bark_arena arena;
	enum bk_dtype type; /* of tables, and of Linears unless int8 */
	bool int8;          /* Linears are quantised */
	bool q4;            /* and most of them to 4 bits */
	struct bk_pool *pool; /* for quantising; NULL unless int8 */

	/* Before a part's first array. */
	void (*begin)(struct bark_weight_source *s, enum bark_part part);
	bool (*has)(struct bark_weight_source *s, const char *name);
	/* f32 of shape [rows][columns], or [rows] where columns is 0. */
	int (*floats)(struct bark_weight_source *s, const float **ret,
		      enum bark_weight kind, const char *name, size_t rows,
		      size_t columns);
	/* a + b, both [n]. */
	int (*sum)(struct bark_weight_source *s, const float **ret,
		   const char *a, const char *b, size_t n);
	/* [n][k] in the source's type. */
	int (*matrix)(struct bark_weight_source *s, const void **ret,
		      const char *name, size_t n, size_t k);
	/* A Linear's [n][k], quantised; for sources with int8 set. */
	int (*quantized)(struct bark_weight_source *s, struct bk_i8 *ret,
			 const char *name, size_t n, size_t k);
	/* The same in 4 bits; for sources with q4 set. */
	int (*quantized_q4)(struct bark_weight_source *s, struct bk_q4 *ret,
			    const char *name, size_t n, size_t k);
	/*
	 * A convolution's weight, stored [c_out][c_in][kernel], as
	 * [c_out][kernel][c_in]; or a transposed one's, stored
	 * [c_in][c_out][kernel], as [kernel][c_out][c_in]. `name` is the
	 * module's: the source finds out how its weight is kept.
	 */
	int (*conv)(struct bark_weight_source *s, const float **ret,
		    const char *name, size_t c_out, size_t c_in, size_t kernel,
		    bool transposed);
	struct bark_error *err;
};

/* --- the walk --- */

struct bark_names; /* how a layout names its tensors */
extern const struct bark_names bark_names_transformers, bark_names_suno;

/*
 * Allocates what holds the pointers (the layers; the model's release frees
 * them with bark_weights_clear) and fills it twice, as above. The source's
 * arena is the caller's to keep or clear.
 */
int bark_weights_load(struct bark_model *model, struct bark_weight_source *s,
		      const struct bark_names *names);
/* One walk over a model that is loaded: `ret` arrives as the model has it. */
int bark_weights_walk(struct bark_model *model, struct bark_weight_source *s,
		      const struct bark_names *names);
void bark_weights_clear(struct bark_model *model);

/* --- files --- */

struct bark_file_source {
	struct bark_weight_source base;
	struct bk_ops ops;
	struct bark_tensors *sets[BARK_PARTS]; /* may be the same one */
	enum bark_part part;                   /* the current one */
	bool kept[BARK_PARTS]; /* the model points into this set's maps */
	size_t n_kept;         /* bytes of them */
};

/* sets stay the caller's and must outlive the model where kept says. */
void bark_file_source_init(struct bark_file_source *src,
			   struct bark_tensors *const sets[BARK_PARTS],
			   enum bk_dtype type, const struct bk_ops *ops,
			   struct bark_error *err);

/* Of what bark_model_save() wrote; BARK_PRECISION_DEFAULT: the set is not from
 * it. */
enum bark_precision bark_gguf_precision(const struct bark_tensors *set);

/*
 * All weights in place from a file of bark_model_save(); the set must outlive
 * the model. Errors: -EINVAL (err names the tensor or key), -ENOTSUP, -ENOMEM.
 */
int bark_weights_gguf(struct bark_model *model, const struct bark_tensors *set,
		      struct bark_error *err);

#endif
