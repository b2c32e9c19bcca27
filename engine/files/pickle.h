/* SPDX-License-Identifier: MIT */
/*
 * The part of Python's pickle that torch writes, interpreted without ever
 * calling anything: a global is one of a short list that this file knows, or
 * an error. What is of no use here (dtypes, numpy's scalars) becomes an
 * opaque value. Values may share and contain each other; nobody recurses.
 */
#ifndef BARK_PICKLE_H
#define BARK_PICKLE_H

#include <stddef.h>
#include <stdint.h>

#include "bark.h"
#include "tensors.h"

#define BARK_MAX_PICKLE ((size_t)16 << 20)

enum bark_pickle_kind {
	BARK_PICKLE_NONE,
	BARK_PICKLE_BOOL,    /* number */
	BARK_PICKLE_INT,     /* number */
	BARK_PICKLE_STRING,  /* text, len; in the pickle */
	BARK_PICKLE_TUPLE,   /* items, n */
	BARK_PICKLE_LIST,    /* items, n */
	BARK_PICKLE_DICT,    /* items: key, value, key, value...; n: of both */
	BARK_PICKLE_GLOBAL,  /* number: an index of this file's */
	BARK_PICKLE_STORAGE, /* type, text: its key, number: elements */
	BARK_PICKLE_TENSOR,  /* items: storage, offset, sizes, strides */
	BARK_PICKLE_OPAQUE,
};

struct bark_pickle_value {
	enum bark_pickle_kind kind;
	enum bark_tensor_type type;
	int64_t number;
	const char *text;
	size_t len;
	struct bark_pickle_value **items; /* a tensor's: checked kinds */
	size_t n, cap;
};

struct bark_pickle; /* owns the values */

/*
 * Interprets size bytes, which must outlive the values. label names them in
 * messages. *root is what the pickle holds.
 * Errors: -EINVAL, -ENOTSUP (a global or opcode), -E2BIG, -ENOMEM.
 */
int bark_pickle_read(struct bark_pickle **ret,
		     const struct bark_pickle_value **root,
		     const unsigned char *data, size_t size, const char *label,
		     struct bark_error *err);
void bark_pickle_free(struct bark_pickle *p);

/* The value of a dictionary's string key (the last of equals), or NULL. */
const struct bark_pickle_value *
bark_pickle_get(const struct bark_pickle_value *dict, const char *key);

#endif
