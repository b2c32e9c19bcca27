/* SPDX-License-Identifier: MIT */
/*
 * libbark: Bark (text to semantic tokens to coarse and fine codes to EnCodec
 * audio) as a library that streams.
 *
 * An engine owns the compute: worker threads and a scheduler. A model is
 * immutable and shared. A voice is a prompt history. A session is one mutable
 * timeline: caches, tokens, codec state and a ring of finished samples. The
 * engine computes whichever session's listener would run dry first.
 *
 * Objects are counted: an engine, model or voice lives while a session uses
 * it. Functions return 0 or a negative errno; `ret` outputs are untouched on
 * failure. The library prints nothing. Unless said otherwise every function
 * may be called from any thread; none is RT safe but those that say so.
 *
 * Sound is mono float, nominally -1..1, at bark_model_rate() samples a second.
 */
#ifndef BARK_H
#define BARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BARK_API __attribute__((visibility("default")))

struct bark_engine;
struct bark_model;
struct bark_voice;
struct bark_session;

/* What went wrong, for a person: names the file and the tensor or key. */
struct bark_error {
	char message[256];
};

enum bark_precision {
	/* int8, of model.gguf if there; f32 on a CPU without vector units
	 * that the kernels know */
	BARK_PRECISION_DEFAULT,
	BARK_PRECISION_F32,
	BARK_PRECISION_F16,
	BARK_PRECISION_BF16,
	BARK_PRECISION_INT8, /* Linears int8, the coarse head and token tables
			      * f16, codec f32 */
	BARK_PRECISION_Q4,   /* the same, but Linears of 4 bits; heads int8 */
};

enum bark_mode {
	BARK_MODE_LOW_LATENCY, /* short coarse history, early fine codes */
	BARK_MODE_EXACT,       /* what the offline reference computes */
};

/* --- engine --- */

struct bark_engine_options {
	unsigned threads;  /* compute threads, 0: CPUs of this process */
	int nice;          /* added to the compute threads' niceness */
	/* added further while seconds of sound are ready; up to 19 in all */
	int nice_ahead;
	unsigned cpu_mask; /* allowed kernel levels, 0: all */
};

/* opts may be NULL. Errors: -ENOMEM, -EAGAIN (no thread), -EINVAL. */
BARK_API int bark_engine_new(struct bark_engine **ret,
			     const struct bark_engine_options *opts);
/* Drops the caller's reference; NULL is fine. */
BARK_API void bark_engine_unref(struct bark_engine *engine);
/* Name of the kernel level in use: "c", "avx2", "avx512", "neon". */
BARK_API const char *bark_engine_kernels(const struct bark_engine *engine);
BARK_API unsigned bark_engine_threads(const struct bark_engine *engine);

/* --- model --- */

struct bark_model_options {
	enum bark_precision precision;
	const char *vocab; /* vocab.txt or NAME.json; NULL: the model's own */
};

/*
 * Opens a model directory (transformers' or suno's layout, or one with
 * model.gguf from barkctl model quantize), mapping the files and converting
 * the weights once; model.gguf, which the default and int8 precisions take
 * where it is there, is used in place. opts and err may be NULL.
 * Errors: -ENOENT, -EINVAL (a file that is truncated, mistyped or contradicts
 * itself; err names it), -ENOMEM, -ENOTSUP.
 */
BARK_API int bark_model_open(struct bark_model **ret, const char *path,
			     const struct bark_model_options *opts,
			     struct bark_error *err);
BARK_API struct bark_model *bark_model_ref(struct bark_model *model);
BARK_API void bark_model_unref(struct bark_model *model);
BARK_API unsigned bark_model_rate(const struct bark_model *model);
/* Of the weights held; never the default. */
BARK_API enum bark_precision bark_model_precision(const struct bark_model *model);
/* Bytes of weights held. */
BARK_API size_t bark_model_memory(const struct bark_model *model);
/*
 * Whether the model learnt to speak a language (BCP-47; case and what follows
 * the primary subtag do not matter). NULL and "" are what it speaks itself.
 */
BARK_API bool bark_model_speaks(const struct bark_model *model,
				const char *language);

/* --- voice --- */

/*
 * path: an .npz of suno's (semantic_prompt, coarse_prompt, fine_prompt), a
 * dictionary of these saved by torch, or the common prefix of transformers' three files (PREFIX_semantic_prompt.npy
 * and so on). The codes are checked against the model. A file named as suno
 * names presets (de_speaker_3) tells the voice's language. Errors as above.
 */
BARK_API int bark_voice_open(struct bark_voice **ret,
			     const struct bark_model *model, const char *path,
			     struct bark_error *err);
BARK_API struct bark_voice *bark_voice_ref(struct bark_voice *voice);
BARK_API void bark_voice_unref(struct bark_voice *voice);

/* --- session --- */

struct bark_session_options {
	enum bark_mode mode;
	uint64_t seed;
	bool greedy;        /* largest logit everywhere; seed is not used */
	/* NAN or 0 in these takes the model's own value. */
	float semantic_temperature, coarse_temperature, fine_temperature;
	unsigned top_k;     /* tokens */
	float top_p;        /* 1: all */
	float min_eos_p;    /* end when p(end) reaches it; 0: the model's */
	unsigned coarse_history; /* tokens, 60..630; 0: by mode */
	unsigned fine_lookahead; /* frames in low-latency mode; 0: default */
	unsigned ahead_ms;  /* sound computed ahead of the reader, 0: 3000 */
	/* Of the texts (BCP-47, copied), for sentence ends and abbreviations;
	 * NULL: the voice's, else no language's own rules. */
	const char *language;
	/* Gives the codec's sound whole. Otherwise the silence before the
	 * first sound of an utterance is dropped but for some milliseconds,
	 * and that behind the last but for 150; quieter than about -30 dB of
	 * the speech is silence. Positions of events go with it. */
	bool keep_silence;
};

/*
 * Makes a session on a model, with a voice or NULL. All memory that speaking
 * needs is taken here. Keeps references to engine, model and voice.
 */
BARK_API int bark_session_new(struct bark_session **ret,
			      struct bark_engine *engine,
			      struct bark_model *model,
			      struct bark_voice *voice,
			      const struct bark_session_options *opts,
			      struct bark_error *err);
/* Cancels and frees; waits at most for the step in progress. NULL is fine. */
BARK_API void bark_session_free(struct bark_session *session);

/*
 * Starts speaking text (UTF-8, len bytes, at most BARK_TEXT_MAX). The text is
 * split into segments at sentence breaks; the session must be idle (new, or
 * read to its end, or cancelled). Errors: -EBUSY, -E2BIG,
 * -EILSEQ (not UTF-8), -ENODATA (white space and the like: nothing to say),
 * -EDOM (something to say, of which the model knows no character).
 */
#define BARK_TEXT_MAX (256 * 1024)
BARK_API int bark_session_start(struct bark_session *session, const char *text,
				size_t len, struct bark_error *err);

/*
 * Reads at most n samples into pcm. timeout_ms: 0 does not wait, -1 waits for
 * ever. Returns the number of samples, 0 at the end of the utterance,
 * -EAGAIN when none came in time, -ECANCELED after a cancel. Samples of a
 * cancelled utterance are dropped. Where the model's generation_config.json has
 * barkd_loudness (LUFS, -50 to -8) they are the codec's times a gain that
 * slowly brings each sentence to it, from 0 dB at the utterance's beginning.
 */
BARK_API ssize_t bark_session_read(struct bark_session *session, float *pcm,
				   size_t n, int timeout_ms);

/*
 * A descriptor that polls readable while samples, events or the end wait.
 * Owned by the session; do not read or close it.
 */
BARK_API int bark_session_fd(const struct bark_session *session);

enum bark_event_type {
	BARK_EVENT_SEGMENT_BEGIN, /* a segment's first sample */
	BARK_EVENT_SEGMENT_END,   /* one past its last sample */
	BARK_EVENT_END,           /* the utterance is complete */
	BARK_EVENT_ERROR,         /* the utterance ends early; see error */
};

struct bark_event {
	enum bark_event_type type;
	uint64_t sample;     /* position in the utterance's sound */
	size_t text_begin;   /* the segment's byte range in the text */
	size_t text_end;
	int error;           /* negative errno for BARK_EVENT_ERROR */
};

/* Takes the oldest event. Returns 1, or 0 when there is none. */
BARK_API int bark_session_event(struct bark_session *session,
				struct bark_event *ret);

/*
 * Stops the utterance: nothing more of it can be read from the moment this
 * returns. Never waits for computing; holds a mutex for a moment, so it is
 * not for a real-time callback. The session can be started again at once.
 */
BARK_API void bark_session_cancel(struct bark_session *session);

/*
 * Tells the engine that nobody listens before this many milliseconds from
 * now: others whose sound is needed sooner are computed first. 0: now.
 */
BARK_API void bark_session_set_delay(struct bark_session *session,
				     unsigned ms);

/* Seconds since the start until the first sample was ready; < 0: not yet. */
BARK_API double bark_session_first_audio(const struct bark_session *session);

#ifdef __cplusplus
}
#endif

#endif
