/* SPDX-License-Identifier: MIT */
/*
 * One segment's way through the model: semantic tokens, coarse codes, fine
 * codes. Each call of a *_step function is one unit of work, short enough to
 * stop after; the caller asks which unit is ready and runs it. All memory is
 * taken by bark_timeline_init().
 *
 * Sources: suno-ai/bark bark/generation.py (generate_text_semantic,
 * generate_coarse, generate_fine) and transformers models/bark.
 */
#ifndef BARK_STAGES_H
#define BARK_STAGES_H

#include "gpt.h"
#include "model.h"
#include "sample.h"

/* Low-latency mode, where the caller names nothing. */
#define BARK_LL_COARSE_HISTORY 60 /* coarse tokens */
#define BARK_LL_COARSE_WINDOW 180 /* coarse tokens, once it speaks */
#define BARK_LL_SEMANTIC_AHEAD 48 /* semantic tokens from a window's start */
#define BARK_LL_FINE_HISTORY 64   /* frames seen before those predicted */
#define BARK_LL_FINE_LOOKAHEAD 8  /* frames seen behind those kept */

/* Rows of the fine network's logits held at once. */
#define BARK_FINE_LOGIT_ROWS 32

struct bark_timeline_options {
	enum bark_mode mode;
	bool no_eos;             /* the end token is never drawn */
	unsigned max_semantic;   /* tokens; 0: the model's */
	struct bark_sampling semantic, coarse, fine;
	float min_eos_p;         /* 0: never end early by probability */
	unsigned coarse_history; /* tokens */
	/* Tokens before the context is built anew, at most; as long as all
	 * windows before it together. Not below the model's. */
	unsigned coarse_window;
	unsigned semantic_ahead; /* of the model's window; 0: all that fit */
	unsigned fine_lookahead; /* frames */
};

struct bark_timeline {
	struct bark_compute *compute;
	const struct bark_model *model;
	const struct bark_voice *voice; /* or NULL */
	struct bark_timeline_options opts;
	struct bark_sampler sampler;
	struct bark_scratch scratch;
	uint32_t segment; /* counts up; keys the random numbers */
	float *logits;    /* [logits_cap] */

	/* text */
	int32_t *text; /* [max_input] ids without offset */
	size_t n_text;

	/* semantic: history that the coarse stage sees, then the tokens */
	struct bark_kv semantic_kv;
	int32_t *semantic;  /* [semantic_base + semantic_cap] */
	size_t semantic_base, semantic_cap;
	size_t n_semantic;  /* made, without history */
	bool semantic_begun, semantic_done;

	/* coarse: history, then the tokens, flat, with offsets */
	struct bark_kv coarse_kv;
	double ratio;           /* coarse tokens a semantic token */
	size_t semantic_history; /* tokens of context before a window's start */
	int32_t *coarse;        /* [coarse_base + coarse_cap] */
	size_t coarse_base, coarse_cap;
	size_t n_coarse;        /* made, without history */
	size_t coarse_left;     /* tokens left of the window in progress */
	size_t slice_start, tail_start; /* what coarse_kv was built from */
	bool coarse_kv_valid;
	/* The context of the window behind next_at tokens, as far as it is. */
	struct bark_kv next_kv;
	size_t next_at;

	/* fine: history, then the frames; [frame][n_total] */
	int32_t *fine;
	size_t fine_base, fine_cap;
	size_t n_frames;   /* frames whose coarse codes are in `fine` */
	size_t n_fine;     /* frames whose codes are final */
	/* The window in progress: rows from fine_start, of which those from
	 * fine_fill on are predicted; fine_keep frames are final after it. */
	size_t fine_window, fine_start, fine_fill, fine_rows, fine_keep;
	unsigned fine_book; /* codebook of the next pass; 0: no window */
};

/* A mode's options with the model's own sampling. */
void bark_timeline_defaults(struct bark_timeline_options *ret,
			    const struct bark_config *config,
			    enum bark_mode mode);

int bark_timeline_init(struct bark_timeline *t, struct bark_compute *compute,
		       const struct bark_model *model,
		       const struct bark_voice *voice,
		       const struct bark_timeline_options *opts);
void bark_timeline_clear(struct bark_timeline *t);

/* Frames that one segment can have at most. */
size_t bark_timeline_max_frames(const struct bark_model *model,
				unsigned max_semantic);

/* Begins a segment of n <= max_input text ids (more are cut off). */
void bark_timeline_begin(struct bark_timeline *t, const int32_t *ids, size_t n);

/* The voice of the segments that begin from now on; NULL: none. Borrowed. */
void bark_timeline_set_voice(struct bark_timeline *t,
			     const struct bark_voice *voice);

/*
 * A voice from the segment that is complete: what it said becomes the history
 * of those that follow (suno's long-form recipe). ret has room for
 * semantic_cap tokens and bark_timeline_max_frames() frames of each codebook.
 */
void bark_timeline_take_voice(const struct bark_timeline *t,
			      struct bark_voice *ret);

/* Puts tokens in a stage's place; that stage is done then. */
int bark_timeline_set_semantic(struct bark_timeline *t, const int32_t *tokens,
			       size_t n);
int bark_timeline_set_coarse(struct bark_timeline *t, const int32_t *codes,
			     size_t n_frames); /* [n_codebooks][n_frames] */
int bark_timeline_set_fine(struct bark_timeline *t, const int32_t *codes,
			   size_t n_frames); /* [n_total][n_frames] */

/* Coarse tokens that the semantic tokens so far ask for. */
size_t bark_coarse_wanted(const struct bark_timeline *t);
bool bark_coarse_done(const struct bark_timeline *t);
bool bark_fine_done(const struct bark_timeline *t);

/* Whether a unit of the stage can run now; then *_step runs one. */
bool bark_semantic_ready(const struct bark_timeline *t);
bool bark_coarse_ready(const struct bark_timeline *t);
bool bark_fine_ready(const struct bark_timeline *t);
/* Whether the window that can begin would lack semantic tokens to prepare the
 * one behind it. */
bool bark_coarse_starved(const struct bark_timeline *t);

void bark_semantic_step(struct bark_timeline *t);
void bark_coarse_step(struct bark_timeline *t);
void bark_fine_step(struct bark_timeline *t);

/* Runs the most downstream unit that is ready; false when nothing is. */
bool bark_timeline_step(struct bark_timeline *t);

#endif
