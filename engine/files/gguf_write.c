/* SPDX-License-Identifier: MIT */
/* GGUF written: the header is put together in memory, the data streamed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gguf.h"
#include "tensors_build.h"

#define ALIGNMENT 64 /* of the tensors: a cache line */

static void put(FILE *to, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		putc((int)(value >> 8 * i & 0xff), to);
}

static void put_string(FILE *to, const char *s)
{
	size_t n = strlen(s);

	put(to, n, 8);
	fwrite(s, 1, n, to);
}

static void put_key(struct bark_gguf_writer *w, const char *key,
		    enum bark_gguf_type type)
{
	put_string(w->keys, key);
	put(w->keys, type, 4);
	w->n_keys++;
}

int bark_gguf_begin(struct bark_gguf_writer *w)
{
	*w = (struct bark_gguf_writer){0};
	w->keys = open_memstream(&w->keys_data, &w->keys_size);
	w->tensors = open_memstream(&w->tensors_data, &w->tensors_size);
	if (!w->keys || !w->tensors) {
		bark_gguf_clear(w);
		return -ENOMEM;
	}
	bark_gguf_put_u32(w, "general.alignment", ALIGNMENT);
	return 0;
}

void bark_gguf_clear(struct bark_gguf_writer *w)
{
	if (w->keys)
		fclose(w->keys);
	if (w->tensors)
		fclose(w->tensors);
	free(w->keys_data);
	free(w->tensors_data);
	*w = (struct bark_gguf_writer){0};
}

void bark_gguf_put_u32(struct bark_gguf_writer *w, const char *key,
		       uint32_t value)
{
	put_key(w, key, BARK_GGUF_U32);
	put(w->keys, value, 4);
}

void bark_gguf_put_bool(struct bark_gguf_writer *w, const char *key, bool value)
{
	put_key(w, key, BARK_GGUF_BOOL);
	put(w->keys, value, 1);
}

void bark_gguf_put_f64(struct bark_gguf_writer *w, const char *key,
		       double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	put_key(w, key, BARK_GGUF_F64);
	put(w->keys, bits, 8);
}

void bark_gguf_put_text(struct bark_gguf_writer *w, const char *key,
			const char *value)
{
	put_key(w, key, BARK_GGUF_STRING);
	put_string(w->keys, value);
}

static uint64_t aligned(uint64_t n)
{
	return (n + ALIGNMENT - 1) & ~(uint64_t)(ALIGNMENT - 1);
}

void bark_gguf_put_tensor(struct bark_gguf_writer *w, const char *name,
			  enum bark_tensor_type type, const size_t *dims,
			  unsigned n_dims)
{
	static const enum bark_ggml_type types[] = {
		[BARK_TENSOR_F32] = BARK_GGML_F32,
		[BARK_TENSOR_F16] = BARK_GGML_F16,
		[BARK_TENSOR_I8] = BARK_GGML_I8,
		[BARK_TENSOR_I32] = BARK_GGML_I32,
	};
	uint64_t bytes = bark_tensor_type_size(type);

	put_string(w->tensors, name);
	put(w->tensors, n_dims, 4);
	/* The fastest dimension first. */
	for (unsigned i = n_dims; i-- > 0; bytes *= dims[i])
		put(w->tensors, dims[i], 8);
	put(w->tensors, types[type], 4);
	put(w->tensors, w->used, 8);
	w->used = aligned(w->used + bytes);
	w->n_tensors++;
}

static void pad(FILE *to, uint64_t written)
{
	for (uint64_t n = aligned(written) - written; n > 0; n--)
		putc(0, to);
}

int bark_gguf_write_header(struct bark_gguf_writer *w, FILE *to)
{
	/* Memory is all that can fail here. */
	if (fflush(w->keys) || fflush(w->tensors))
		return -ENOMEM;
	errno = 0;
	fwrite("GGUF", 1, 4, to);
	put(to, BARK_GGUF_VERSION, 4);
	put(to, w->n_tensors, 8);
	put(to, w->n_keys, 8);
	fwrite(w->keys_data, 1, w->keys_size, to);
	fwrite(w->tensors_data, 1, w->tensors_size, to);
	pad(to, 4 + 4 + 8 + 8 + w->keys_size + w->tensors_size);
	return ferror(to) ? -(errno ? errno : EIO) : 0;
}

int bark_gguf_write_tensor(FILE *to, const void *data, size_t bytes)
{
	errno = 0;
	fwrite(data, 1, bytes, to);
	pad(to, bytes);
	return ferror(to) ? -(errno ? errno : EIO) : 0;
}
