/* SPDX-License-Identifier: MIT */
/*
 * A loaded model: the dimensions of every stage and its weights, immutable
 * after bark_model_open(). Only the engine's own files include this.
 */
#ifndef BARK_MODEL_H
#define BARK_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../kernels/kernels.h"
#include "../kernels/quant.h"
#include "bark.h"
#include "tokenizer.h"

/* Limits on what a file may ask for; the published large model has 24
 * layers, 1024 wide, 129,600 rows. */
#define BARK_MAX_LAYERS 64
#define BARK_MAX_WIDTH 4096
#define BARK_MAX_BLOCK 8192
#define BARK_MAX_VOCAB (1 << 20)
#define BARK_MAX_CODEBOOKS 16
#define BARK_MAX_RATIOS 8
#define BARK_MAX_LSTM 4

/* --- dimensions --- */

struct bark_gpt_config {
	unsigned n_layer, n_head, width; /* width % n_head == 0 */
	unsigned block_size;             /* positions */
	unsigned n_in, n_out;            /* rows of tables and heads */
	bool bias;                       /* Linear biases, causal nets' norms */
	unsigned mlp_width;              /* 4 * width in all published models */
};

struct bark_sampling {
	bool do_sample;    /* false: the model's files ask for greedy */
	float temperature; /* > 0 */
	unsigned top_k;    /* 0: all */
	float top_p;       /* 1: all */
};

struct bark_semantic_config {
	struct bark_gpt_config gpt;
	struct bark_sampling sampling;
	unsigned vocab;        /* semantic tokens: ids 0..vocab-1 (10,000) */
	unsigned eos, pad;     /* (10,000, 10,000) */
	unsigned text_offset;  /* added to text ids (10,048) */
	unsigned text_pad;     /* 129,595 */
	unsigned infer;        /* 129,599 */
	unsigned max_input;    /* text and history positions (256) */
	unsigned max_new;      /* tokens (768) */
	float min_eos_p;       /* 0: no such rule */
	double rate;           /* tokens a second (49.9) */
};

struct bark_coarse_config {
	struct bark_gpt_config gpt;
	struct bark_sampling sampling;
	unsigned semantic_pad; /* 12,048 */
	unsigned infer;        /* 12,050 */
	unsigned max_semantic; /* semantic positions of a window (256) */
	unsigned max_history;  /* coarse tokens (630) */
	unsigned window;       /* tokens made before a rebuild (60) */
	unsigned n_codebooks;  /* 2 */
	double rate;           /* frames a second (75) */
};

struct bark_fine_config {
	struct bark_gpt_config gpt;
	struct bark_sampling sampling; /* transformers: 1.0 means greedy */
	unsigned n_total;       /* codebooks (8) */
	unsigned n_given;       /* heads start at this codebook (1) */
	bool tied;              /* heads[i] is tables[i + 1] */
	unsigned max_history;   /* frames (512) */
	unsigned max_input;     /* frames of a window (1,024) */
};

struct bark_codec_config {
	unsigned rate;           /* samples a second (24,000) */
	unsigned n_codebooks;    /* codebooks with weights, >= fine.n_total */
	unsigned codebook_size;  /* 1,024 */
	unsigned dim;            /* codebook vectors (128) */
	unsigned n_filters;      /* 32 */
	unsigned n_ratios, ratios[BARK_MAX_RATIOS]; /* 8 5 4 2 */
	unsigned n_residual;     /* residual units an up-sampling (1) */
	unsigned kernel, last_kernel, residual_kernel; /* 7, 7, 3 */
	unsigned dilation_growth; /* 2 */
	unsigned compress;       /* 2 */
	unsigned n_lstm;         /* 2 */
	bool conv_shortcut;      /* true: 1x1 convolution; false: identity */
	bool pad_reflect;        /* true: reflect; false: zeros */
	unsigned hop;            /* product of ratios (320) */
};

struct bark_config {
	struct bark_semantic_config semantic;
	struct bark_coarse_config coarse;
	struct bark_fine_config fine;
	struct bark_codec_config codec;
	unsigned codebook_size; /* coarse and fine codes (1,024) */
	/* Without a voice, later segments continue the first one's (true but
	 * for models that were trained without histories). */
	bool carry_voice;
	bool spoken_text; /* texts are written out first (spoken.h) */
	float loudness;   /* LUFS, what sound is levelled to; 0: as it is */
};

/* --- weights --- */

/* A matrix [n][k] of Linear weights in the model's precision: one of w, i8
 * and q4. */
struct bark_linear {
	const void *w;      /* of `type`; NULL where quantised */
	struct bk_i8 i8;    /* i8.w NULL: not of 8 bits */
	struct bk_q4 q4;    /* q4.w NULL: not of 4 bits */
	const float *bias;  /* [n] or NULL */
	enum bk_dtype type;
	unsigned n, k;
};

struct bark_norm {
	const float *gain;  /* [width] */
	const float *bias;  /* [width] or NULL */
};

struct bark_gpt_layer {
	struct bark_norm norm_1, norm_2;
	struct bark_linear att, out, in_proj, out_proj; /* att: 3 * width */
};

struct bark_gpt_weights {
	/* Token tables [n_in][width] in `type`; one for the causal nets,
	 * n_total for the fine net. */
	const void *tables[BARK_MAX_CODEBOOKS];
	enum bk_dtype type;
	const float *positions; /* [block_size][width] */
	struct bark_gpt_layer *layers;
	struct bark_norm norm;
	/* One head for the causal nets; fine: heads[i] predicts codebook
	 * i + n_given, n_total - n_given of them. Never with a bias. */
	struct bark_linear heads[BARK_MAX_CODEBOOKS];
};

/*
 * A causal convolution over time-major samples [t][c_in]:
 * w: [c_out][kernel * c_in], tap-major (w[o][tap * c_in + c]), so that a
 * window of consecutive samples is one row of a product. Weight
 * normalisation is already applied.
 */
struct bark_conv {
	const float *w, *bias; /* bias [c_out] */
	unsigned c_in, c_out, kernel, dilation;
};

/*
 * A transposed convolution, kernel = 2 * stride:
 * w: [kernel * c_out][c_in], tap-major rows (row tap * c_out + o), so that
 * one product gives all taps of a frame. bias: [c_out].
 */
struct bark_upconv {
	const float *w, *bias;
	unsigned c_in, c_out, kernel, stride;
};

struct bark_lstm_layer {
	const float *w_ih, *w_hh; /* [4 n][n], gates i f g o */
	const float *bias;        /* [4 n], both biases added */
};

struct bark_resunit {
	struct bark_conv conv_1, conv_2; /* n/compress wide inside */
	struct bark_conv shortcut;       /* w NULL: identity */
};

struct bark_codec_weights {
	const float *codebooks[BARK_MAX_CODEBOOKS]; /* [size][dim] */
	struct bark_conv first, last;
	unsigned lstm_width;
	struct bark_lstm_layer lstm[BARK_MAX_LSTM];
	struct bark_upconv up[BARK_MAX_RATIOS];
	struct bark_resunit res[BARK_MAX_RATIOS][4]; /* [ratio][residual] */
};

struct bark_model {
	atomic_uint refs;
	struct bark_config config;
	enum bk_dtype type; /* of the token tables, and of Linears that are
			     * not quantised */
	bool int8;          /* the Linears are quantised */
	bool q4;            /* and most of them to 4 bits */
	struct bark_gpt_weights semantic, coarse, fine;
	struct bark_codec_weights codec;
	struct bark_tokenizer *tokenizer; /* NULL: the model has no vocabulary */
	bool own_config; /* its folder's config.json describes it */
	size_t n_bytes;                   /* of weights held */
	/* Frees what the loader made (arena, maps); called once. */
	void (*release)(struct bark_model *model);
	void *storage;
};

/*
 * Makes a model of the given dimensions with random weights from the seed;
 * no tokenizer. For benchmarks and tests. Default precision: f32.
 */
int bark_model_random(struct bark_model **ret, const struct bark_config *config,
		      enum bark_precision precision, uint64_t seed);

/*
 * Writes a quantised model to a new file, path, that bark_model_open() finds as
 * model.gguf; on failure the file is removed. Nobody else may use the model
 * meanwhile. Errors: -EEXIST, -EINVAL (not quantised), -ENOSPC and the like; err
 * says which.
 */
int bark_model_save(struct bark_model *model, const char *path,
		    struct bark_error *err);

/*
 * Gives a model whose dimensions are read its tokenizer: of vocab, a vocab.txt
 * or (by the name's ending) a tokenizer.json; NULL: of the one in dir, or of none
 * where there is none. Errors: -ENOENT, -EINVAL (err says what), -ENOTSUP (of
 * another kind than BERT's), -E2BIG, -ENOMEM.
 */
int bark_model_open_tokenizer(struct bark_model *model, const char *dir,
			      const char *vocab, struct bark_error *err);

/* What a vocabulary is called in a model's folder, the first first; and the one of
 * these names that a file gets by its ending. */
extern const char *const bark_vocab_names[2];
const char *bark_vocab_name(const char *path);

/* The precision itself, or what the default is on this CPU. */
enum bark_precision bark_choose_precision(enum bark_precision wanted);

/* Whether Linears are integers. */
static inline bool bark_precision_quantized(enum bark_precision precision)
{
	return precision == BARK_PRECISION_INT8 ||
	       precision == BARK_PRECISION_Q4;
}

/* What the model.gguf in a folder holds; BARK_PRECISION_DEFAULT: none is
 * there, or none that can be read. */
enum bark_precision bark_saved_precision(const char *dir);

/* Of token tables, and of Linears that are not quantised. */
enum bk_dtype bark_precision_type(enum bark_precision precision);

/*
 * Reads every weight: all are finite, and the integers of quantised Linears give
 * their sums. Nobody else may use the model meanwhile. Errors: -EINVAL (err
 * names the array, as transformers does).
 */
int bark_model_check(struct bark_model *model, struct bark_error *err);

/* The published dimensions: small (bark-small) or large (bark). */
void bark_config_published(struct bark_config *ret, bool large);

/* Checks dimensions against each other and the limits above. */
int bark_config_check(const struct bark_config *config, struct bark_error *err);

struct bark_voice {
	atomic_uint refs;
	uint64_t id; /* unique in the process, a key for caches */
	size_t n_semantic, n_coarse, n_fine; /* tokens, frames, frames */
	int32_t *semantic; /* [n_semantic] */
	int32_t *coarse;   /* [n_codebooks][n_coarse], codes without offsets */
	int32_t *fine;     /* [n_total][n_fine] */
	char language[4];  /* ISO 639 code, "": not known */
};

#endif
