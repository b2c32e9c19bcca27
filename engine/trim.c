/* SPDX-License-Identifier: MIT */
#include "trim.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS_PER_S 400
#define FADE_MS 10
#define MOST_HELD_S 1
/*
 * Peaks of a voice stand about 10 dB above its loudness. The first sound is
 * looked for 36 dB below them: of 334 letters, words and sentences of the
 * embedded voice that leaves 5 ms (median) before what is above -30 dB, and
 * does not cut into f, h, s and th, which rise slowly.
 */
#define PEAK_OVER_LOUDNESS_DB 10
#define ONSET_DB (-36)
/* Of a voice whose level is not known: what is sound in any, and what is if it
 * stands out. */
#define SURE_DB (-45)
#define FAINT_DB (-65)
#define STANDS_OUT 4     /* times the mean peak of the silence before it */
#define FLOOR_BLOCKS 8   /* before so many nothing is known of that silence */
/* Behind the last sound: everything so far below the utterance's peak. */
#define TAIL 0.0316f /* -30 dB */

static float amplitude(double db)
{
	return (float)pow(10, db / 20);
}

int bark_trim_init(struct bark_trim *t, unsigned rate, double loudness,
		   size_t most)
{
	*t = (struct bark_trim){
		.block = rate / BLOCKS_PER_S,
		.fade = rate * FADE_MS / 1000,
		/* The last sound may be anywhere in its block. */
		.tail = (size_t)rate * BARK_TRIM_TAIL_MS / 1000 -
			rate / BLOCKS_PER_S,
		.quiet = amplitude(SURE_DB),
		.faint = amplitude(FAINT_DB),
		.most = (size_t)rate * MOST_HELD_S,
	};
	if (loudness != 0)
		t->quiet = t->faint = amplitude(
			loudness + PEAK_OVER_LOUDNESS_DB + ONSET_DB);
	t->cap = t->most + 2 * t->block + most;
	t->held = malloc(t->cap * sizeof(*t->held));
	return t->held ? 0 : -ENOMEM;
}

void bark_trim_clear(struct bark_trim *t)
{
	free(t->held);
	t->held = NULL;
}

void bark_trim_reset(struct bark_trim *t)
{
	t->n_ready = t->n_held = t->n_part = 0;
	t->begun = false;
	t->peak = 0;
	t->floor = 0;
	t->n_silent = 0;
	t->run = 0;
}

static float peak_of(const float *x, size_t n)
{
	float peak = 0;

	for (size_t i = 0; i < n; i++)
		peak = fmaxf(peak, fabsf(x[i]));
	return peak;
}

/* Everything held back comes out. */
static void let_out(struct bark_trim *t)
{
	t->n_ready += t->n_held;
	t->n_held = 0;
}

static bool is_onset(struct bark_trim *t, float peak)
{
	bool known = t->n_silent >= FLOOR_BLOCKS;

	if (peak > t->quiet)
		return true;
	if (known && peak > t->faint &&
	    peak * (double)t->n_silent > STANDS_OUT * t->floor)
		return true;
	t->floor += (double)peak;
	t->n_silent++;
	return false;
}

/* Before the first sound: only the block before it is kept, faded in. */
static void seek_onset(struct bark_trim *t, float *block, float peak)
{
	float *held = t->held + t->n_ready;

	if (!is_onset(t, peak)) {
		memmove(held, block, t->block * sizeof(*held));
		t->n_held = t->block;
		return;
	}
	t->begun = true;
	if (held < block)
		for (size_t i = 0; i < t->block; i++)
			held[i] *= (float)i / (float)t->block;
	let_out(t);
}

/* A block is full; it is the last that is held. */
static void take_block(struct bark_trim *t, bool may_end)
{
	float *block = t->held + t->n_ready + t->n_held - t->block;
	float peak = peak_of(block, t->block);

	t->peak = fmaxf(t->peak, peak);
	if (!t->begun) {
		seek_onset(t, block, peak);
		return;
	}
	if (peak > t->faint && peak > t->peak * TAIL)
		t->run = 0;
	else
		t->run += t->block;
	if (!may_end || t->run <= t->tail - t->fade)
		let_out(t);
	else if (t->n_held > t->most)
		t->n_held -= t->block;
}

const float *bark_trim_feed(struct bark_trim *t, const float *pcm, size_t n,
			    bool may_end, size_t *ret_n)
{
	memmove(t->held, t->held + t->n_ready, t->n_held * sizeof(*t->held));
	t->n_ready = 0;
	while (n > 0) {
		size_t k = t->block - t->n_part;

		k = k < n ? k : n;
		memcpy(t->held + t->n_ready + t->n_held, pcm, k * sizeof(*pcm));
		t->n_held += k;
		t->n_part += k;
		pcm += k;
		n -= k;
		if (t->n_part == t->block) {
			t->n_part = 0;
			take_block(t, may_end);
		}
	}
	*ret_n = t->n_ready;
	return t->held;
}

const float *bark_trim_end(struct bark_trim *t, size_t *ret_n)
{
	memmove(t->held, t->held + t->n_ready, t->n_held * sizeof(*t->held));
	t->n_ready = 0;
	if (t->begun && t->run > t->tail - t->fade) {
		t->n_held = t->n_held < t->fade ? t->n_held : t->fade;
		for (size_t i = 0; i < t->n_held; i++)
			t->held[i] *= (float)(t->n_held - i) /
				      (float)(t->n_held + 1);
	}
	t->n_part = 0;
	let_out(t);
	*ret_n = t->n_ready;
	return t->held;
}

size_t bark_trim_pending(const struct bark_trim *t)
{
	return t->begun ? t->n_held : 0;
}
