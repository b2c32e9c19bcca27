/* SPDX-License-Identifier: MIT */
/* Numbers of the GGUF format, and its files written. */
#ifndef BARK_GGUF_H
#define BARK_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tensors.h"

#define BARK_GGUF_VERSION 3

/* Types of values. */
enum bark_gguf_type {
	BARK_GGUF_U8,
	BARK_GGUF_I8,
	BARK_GGUF_U16,
	BARK_GGUF_I16,
	BARK_GGUF_U32,
	BARK_GGUF_I32,
	BARK_GGUF_F32,
	BARK_GGUF_BOOL,
	BARK_GGUF_STRING,
	BARK_GGUF_ARRAY,
	BARK_GGUF_U64,
	BARK_GGUF_I64,
	BARK_GGUF_F64,
};

/* Types of tensors, those that are known here. */
enum bark_ggml_type {
	BARK_GGML_F32 = 0,
	BARK_GGML_F16 = 1,
	BARK_GGML_I8 = 24,
	BARK_GGML_I32 = 26,
};

/* A file being made: first all keys and tensors are named, then written. */
struct bark_gguf_writer {
	FILE *keys, *tensors;      /* parts of the header, in memory */
	char *keys_data, *tensors_data;
	size_t keys_size, tensors_size;
	uint64_t n_keys, n_tensors, used;
};

/* Errors: -ENOMEM. */
int bark_gguf_begin(struct bark_gguf_writer *w);
void bark_gguf_clear(struct bark_gguf_writer *w);

void bark_gguf_put_u32(struct bark_gguf_writer *w, const char *key,
		       uint32_t value);
void bark_gguf_put_bool(struct bark_gguf_writer *w, const char *key,
			bool value);
void bark_gguf_put_f64(struct bark_gguf_writer *w, const char *key,
		       double value);
void bark_gguf_put_text(struct bark_gguf_writer *w, const char *key,
			const char *value);

/* type: F32, F16, I8 or I32; dims: C order. */
void bark_gguf_put_tensor(struct bark_gguf_writer *w, const char *name,
			  enum bark_tensor_type type, const size_t *dims,
			  unsigned n_dims);

/*
 * Writes the header. Then follow the tensors' bytes in the order of their
 * naming, each by bark_gguf_write_tensor(). Errors: -ENOMEM, -ENOSPC and what
 * else writing gives.
 */
int bark_gguf_write_header(struct bark_gguf_writer *w, FILE *to);
int bark_gguf_write_tensor(FILE *to, const void *data, size_t bytes);

#endif
