/* SPDX-License-Identifier: MIT */
/*
 * Tensors in files, whatever the container: safetensors (one or sharded),
 * torch's zip + pickle (.bin, .pt, .th), GGUF. Files are mapped read-only and are
 * hostile input: every size and offset is checked before use, pickles are
 * interpreted by an allow-list and execute nothing.
 */
#ifndef BARK_TENSORS_H
#define BARK_TENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "bark.h"

#define BARK_MAX_DIMS 4

enum bark_tensor_type {
	BARK_TENSOR_F32,
	BARK_TENSOR_F16,
	BARK_TENSOR_BF16,
	BARK_TENSOR_F64,
	BARK_TENSOR_I64,
	BARK_TENSOR_I32,
	BARK_TENSOR_I16,
	BARK_TENSOR_U16,
	BARK_TENSOR_U8,
	BARK_TENSOR_I8,
	BARK_TENSOR_BOOL,
};

struct bark_tensor {
	const char *name; /* owned by the set */
	enum bark_tensor_type type;
	unsigned n_dims; /* 0: a scalar */
	size_t dims[BARK_MAX_DIMS];
	/* Elements between neighbours of each axis; contiguous rows have
	 * strides[n_dims - 1] == 1. Loaders that need contiguity check it. */
	size_t strides[BARK_MAX_DIMS];
	const void *data; /* in the map; only the element's alignment on disk */
	size_t n_bytes;   /* reachable bytes at data */
};

struct bark_tensors;

/*
 * Opens one file by its content (not its name), or a directory's
 * model.safetensors, model.safetensors.index.json + shards,
 * pytorch_model.bin or pytorch_model.bin.index.json + shards, in that order,
 * else those of a variant (model.fp16.safetensors). Names lose the parts
 * "module" and "_orig_mod" that wrappers of torch's put into them.
 * err (may be NULL) names the file and what is wrong with it.
 * Errors: -ENOENT, -EINVAL, -ENODATA (a zip of another kind), -ENOMEM, -E2BIG
 * (too many tensors).
 */
int bark_tensors_open(struct bark_tensors **ret, const char *path,
		      struct bark_error *err);
/* Whether a directory has any of these. */
bool bark_tensors_in(const char *dir);
void bark_tensors_free(struct bark_tensors *set);

size_t bark_tensors_count(const struct bark_tensors *set);
const struct bark_tensor *bark_tensors_at(const struct bark_tensors *set,
					  size_t index);
/* NULL when there is none of that name. */
const struct bark_tensor *bark_tensors_find(const struct bark_tensors *set,
					    const char *name);

/*
 * An integer of suno's `model_args` dictionary (n_layer, n_head, n_embd,
 * block_size, bias, vocab_size, input_vocab_size, output_vocab_size,
 * n_codes_total, n_codes_given ...) or of GGUF's keys. Returns -ENOENT when
 * absent or none.
 */
int bark_tensors_arg(const struct bark_tensors *set, const char *key,
		     int64_t *ret);
/* The same of a number, integer or not. */
int bark_tensors_number(const struct bark_tensors *set, const char *key,
			double *ret);
/* The same of a string, which is the set's; NULL when absent or none. */
const char *bark_tensors_text(const struct bark_tensors *set, const char *key);

/* The base name of what was opened, for messages; the set's. */
const char *bark_tensors_label(const struct bark_tensors *set);

size_t bark_tensor_elements(const struct bark_tensor *t);
const char *bark_tensor_type_name(enum bark_tensor_type type);

#endif
