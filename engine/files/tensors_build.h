/* SPDX-License-Identifier: MIT */
/* How the readers of each container fill a set of tensors. */
#ifndef BARK_TENSORS_BUILD_H
#define BARK_TENSORS_BUILD_H

#include <stdbool.h>

#include "map.h"
#include "tensors.h"

#define BARK_MAX_TENSORS 65536
#define BARK_MAX_ARGS 256
#define BARK_MAX_ARG_TEXT 64 /* bytes */

/*
 * Adds a copy of t; its name (len bytes, any) is copied, its data must lie in
 * a map that the set owns. Names given twice are found by the caller's end.
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

/* A file's bytes that the caller keeps as long as the set; as _open. */
int bark_tensors_parse(struct bark_tensors **ret, const void *data, size_t size,
		       const char *label, struct bark_error *err);

size_t bark_tensor_type_size(enum bark_tensor_type type);

/* Elements of a shape times the type's size; false where it overflows. */
bool bark_tensor_bytes(const struct bark_tensor *t, size_t *ret);

#endif
