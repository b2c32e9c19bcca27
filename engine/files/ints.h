/* SPDX-License-Identifier: MIT */
/* Arrays of whole numbers out of what files hold: any width, order and kind. */
#ifndef BARK_INTS_H
#define BARK_INTS_H

#include <stdbool.h>

#include "npz.h"
#include "tensors.h"

#define BARK_INTS_MAX ((size_t)16 << 20) /* elements */

enum bark_number {
	BARK_NUMBER_SIGNED,
	BARK_NUMBER_UNSIGNED,
	BARK_NUMBER_FLOAT, /* of 4 or 8 bytes; whole numbers, that is */
};

/* Numbers in memory. The caller has checked that they lie there. */
struct bark_numbers {
	const unsigned char *data;
	enum bark_number kind;
	unsigned size; /* bytes: 1, 2, 4, 8 */
	bool big;      /* big-endian */
	unsigned n_dims; /* at most BARK_MAX_DIMS */
	size_t dims[BARK_MAX_DIMS], strides[BARK_MAX_DIMS]; /* elements */
};

/*
 * Copies them; leading axes of size 1 go where there are more than two. label
 * names them in messages. Errors: -EINVAL (not whole, out of int32_t's range, no
 * axis or too many), -E2BIG, -ENOMEM.
 */
int bark_ints_make(struct bark_ints *ret, const struct bark_numbers *from,
		   const char *label, struct bark_error *err);
/* The same of a tensor. -ENOTSUP: of a type without exact whole numbers. */
int bark_ints_tensor(struct bark_ints *ret, const struct bark_tensor *t,
		     const char *label, struct bark_error *err);

#endif
