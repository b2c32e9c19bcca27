/* SPDX-License-Identifier: MIT */
/*
 * EnCodec's decoder (facebookresearch/encodec modules/seanet.py, conv.py,
 * lstm.py), streaming: convolution tails, the transposed convolutions'
 * overlap and the LSTM state are carried, so that any split of the frames
 * gives the samples of the whole.
 */
#ifndef BARK_CODEC_H
#define BARK_CODEC_H

#include "compute.h"
#include "model.h"

struct bark_codec;

/* Takes all memory. Errors: -ENOMEM. */
int bark_codec_new(struct bark_codec **ret, struct bark_compute *compute,
		   const struct bark_model *model);
void bark_codec_free(struct bark_codec *codec);

/* Forgets everything: the next frame is an utterance's first. */
void bark_codec_reset(struct bark_codec *codec);

/*
 * The first call of an utterance needs this many frames, since the padding on
 * the left reflects them, unless the utterance is shorter (`last`).
 */
size_t bark_codec_first_frames(const struct bark_codec *codec);

/*
 * Decodes n frames of codes [n][n_total] (the fine stage's layout) into
 * n * hop samples; an utterance's first call with n as above. Allocates
 * nothing.
 */
void bark_codec_decode(struct bark_codec *codec, const int32_t *codes,
		       size_t n, float *pcm);

#endif
