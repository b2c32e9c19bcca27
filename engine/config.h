/* SPDX-License-Identifier: MIT */
/* Where a model's dimensions come from. */
#ifndef BARK_CONFIG_H
#define BARK_CONFIG_H

#include "model.h"
#include "files/gguf.h"
#include "files/tensors.h"

/*
 * Reads config.json and, where it is there, generation_config.json of a
 * transformers directory; what they leave out is what BarkConfig,
 * EncodecConfig and BarkGenerationConfig put there. The result is checked.
 * Errors: -ENOENT, -EINVAL (err names the key), -ENOTSUP, -ENOMEM.
 */
int bark_config_transformers(struct bark_config *ret, const char *dir,
			     struct bark_error *err);

/* Whether dir's config.json is another program's: JSON, but not of a Bark model of
 * transformers'. */
bool bark_config_is_foreign(const char *dir);

/* The same of both files' text; generation may be NULL. */
int bark_config_parse(struct bark_config *ret, const char *config, size_t n,
		      const char *generation, size_t n_generation,
		      struct bark_error *err);

/*
 * Dimensions from the model_args of suno's three checkpoints; the constants
 * of its bark/generation.py and EnCodec's 24 kHz model. Checked as above.
 */
int bark_config_suno(struct bark_config *ret, const struct bark_tensors *text,
		     const struct bark_tensors *coarse,
		     const struct bark_tensors *fine, struct bark_error *err);

/*
 * All of it as keys of a GGUF file, read and written. The result is checked.
 * Errors: -EINVAL (err names the key).
 */
int bark_config_gguf(struct bark_config *ret, const struct bark_tensors *set,
		     struct bark_error *err);
void bark_config_put_gguf(const struct bark_config *config,
			  struct bark_gguf_writer *w);

#endif
