/* SPDX-License-Identifier: MIT */
/* .npy and .npz images in memory. */
#ifndef BARK_NPY_H
#define BARK_NPY_H

#include "npz.h"

/* label names the image in messages. Errors as bark_npy_read's. */
int bark_npy_parse(struct bark_ints *ret, const unsigned char *data,
		   size_t size, const char *label, struct bark_error *err);
/* file is the archive's name. */
int bark_npz_parse(struct bark_ints *ret, const unsigned char *data,
		   size_t size, const char *file, const char *member,
		   struct bark_error *err);

#endif
