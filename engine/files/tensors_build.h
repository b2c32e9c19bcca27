/* SPDX-License-Identifier: MIT */
/* How the readers of each container fill a set of tensors. */
#ifndef BARK_TENSORS_BUILD_H
#define BARK_TENSORS_BUILD_H

#include <stdbool.h>

#include "map.h"
#include "tensors.h"

#define BARK_MAX_TENSORS 65536
#define BARK_MAX_TENSOR_NAME 512
#define BARK_MAX_ARGS 256
#define BARK_MAX_ARG_TEXT 64 /* bytes */

/*
 * A name without the wrappers' parts, which may be anywhere but at its end; len
 * and buf: at most BARK_MAX_TENSOR_NAME bytes, of which the number used is
 * returned.
 */
size_t bark_tensors_unwrap(char *buf, const char *name, size_t len);

/*
 * Adds a copy of t; its name (len bytes, any) is copied unwrapped, its data must
 * lie in a map that the set owns. Names given twice are found by the caller's end.
 * Errors: -EINVAL (name), -E2BIG, -ENOMEM.
 */
int bark_tensors_add(struct bark_tensors *set, const struct bark_tensor *t,
		     const char *name, size_t len, struct bark_error *err);
int bark_tensors_add_arg(struct bark_tensors *set, const char *key, size_t len,
			 int64_t value, struct bark_error *err);
int bark_tensors_add_number(struct bark_tensors *set, const char *key,
			    size_t len, double value, struct bark_error *err);
/* n <= BARK_MAX_ARG_TEXT; what follows a NUL is lost. */
int bark_tensors_add_text(struct bark_tensors *set, const char *key, size_t len,
			  const char *text, size_t n, struct bark_error *err);
bool bark_tensors_has_arg(const struct bark_tensors *set, const char *key,
			  size_t len);
/* A tensor of those added, before the set is complete. */
struct bark_tensor *bark_tensors_edit(struct bark_tensors *set, size_t index);

/* Readers: data is all of a mapped file; label names it in messages. */
int bark_safetensors_read(struct bark_tensors *set, const struct bark_map *map,
			  const char *label, struct bark_error *err);
int bark_gguf_read(struct bark_tensors *set, const struct bark_map *map,
		   const char *label, struct bark_error *err);
int bark_torch_read(struct bark_tensors *set, const struct bark_map *map,
		    const char *label, struct bark_error *err);

/* Adds what a file holds; the set keeps it mapped. */
int bark_tensors_read_file(struct bark_tensors *set, const char *path,
			   struct bark_error *err);
/* The same of a directory, after which the set is complete. */
int bark_tensors_read_dir(struct bark_tensors *set, const char *dir,
			  struct bark_error *err);
/* Completes the set. -EINVAL: it is empty, or a name is there twice. */
int bark_tensors_sort(struct bark_tensors *set, struct bark_error *err);

/* A file's bytes that the caller keeps as long as the set; as _open. */
int bark_tensors_parse(struct bark_tensors **ret, const void *data, size_t size,
		       const char *label, struct bark_error *err);

size_t bark_tensor_type_size(enum bark_tensor_type type);

/* Elements of a shape times the type's size; false where it overflows. */
bool bark_tensor_bytes(const struct bark_tensor *t, size_t *ret);

#endif
