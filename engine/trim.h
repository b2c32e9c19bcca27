/* SPDX-License-Identifier: MIT */
/*
 * Takes the silence off both ends of an utterance while it streams. Voices
 * begin with a tenth of a second of near-silence, which a listener who waits
 * for a key's echo has to wait for too. What comes out depends on the samples
 * alone, however they are split, and no sample waits for one that follows,
 * except silence near the end of an utterance. Allocates nothing after
 * bark_trim_init().
 */
#ifndef BARK_TRIM_H
#define BARK_TRIM_H

#include <stdbool.h>
#include <stddef.h>

/* Silence that is left behind the last sound, milliseconds. */
#define BARK_TRIM_TAIL_MS 150

struct bark_trim {
	size_t block;       /* samples judged at a time: 2.5 ms */
	size_t fade, tail;  /* samples */
	float quiet;        /* a block whose peak is above it has sound */
	float faint;        /* or above this, if it stands out from the rest */
	size_t cap;         /* samples that `held` has room for */
	size_t most;        /* samples of silence held back at most */
	float *held;        /* [cap], owned: first n_ready that came out, then
			     * what is held back */
	size_t n_ready, n_held;
	size_t n_part;      /* of n_held: in the block that is not full yet */
	bool begun;         /* the first sound was found */
	float peak;         /* largest magnitude so far */
	double floor;       /* sum of the silent blocks' peaks */
	size_t n_silent;    /* blocks before the first sound */
	size_t run;         /* samples of silence since the last sound */
};

/*
 * rate: samples a second, 8,000 at least. loudness: what the voice is levelled
 * to, LUFS; 0: not known. most: samples that one bark_trim_feed() takes at
 * most. Errors: -ENOMEM.
 */
int bark_trim_init(struct bark_trim *t, unsigned rate, double loudness,
		   size_t most);
void bark_trim_clear(struct bark_trim *t);
/* An utterance begins. */
void bark_trim_reset(struct bark_trim *t);

/*
 * Takes the next n samples and returns the *ret_n samples that may be heard,
 * valid until the next call. may_end: the utterance may end soon, so silence is
 * held back until a sound follows (pauses over a second are shortened to that).
 */
const float *bark_trim_feed(struct bark_trim *t, const float *pcm, size_t n,
			    bool may_end, size_t *ret_n);
/* The utterance is complete: returns the rest of it, likewise. */
const float *bark_trim_end(struct bark_trim *t, size_t *ret_n);
/* Samples that were taken and are sure to come out, but did not yet. */
size_t bark_trim_pending(const struct bark_trim *t);

#endif
