/* SPDX-License-Identifier: MIT */
/* One .npy image in memory: what npz.c and the fuzzer share. */
#ifndef BARK_NPY_H
#define BARK_NPY_H

#include "npz.h"

/* label names the image in messages. Errors as bark_npy_read's. */
int bark_npy_parse(struct bark_ints *ret, const unsigned char *data,
		   size_t size, const char *label, struct bark_error *err);

#endif
