/* SPDX-License-Identifier: MIT */
/* numpy's .npy and .npz, read as hostile input; and .npy written. */
#ifndef BARK_NPZ_H
#define BARK_NPZ_H

#include <stddef.h>
#include <stdint.h>

#include "bark.h"

/* Integers of an array, C order, whatever the file's dtype and order. */
struct bark_ints {
	int32_t *data; /* owned; [dims[0]] or [dims[0]][dims[1]] */
	unsigned n_dims;
	size_t dims[2];
};

/* What a voice's arrays are called: semantic, coarse, fine. */
#define BARK_VOICE_ARRAYS 3
extern const char *const bark_voice_arrays[BARK_VOICE_ARRAYS];

/*
 * Reads an array of whole numbers (integers of 1 to 8 bytes, floats of 4 or 8,
 * either byte order; 1 or 2 dimensions, behind others of size 1; C or Fortran
 * order; values that fit int32) from a .npy file, or the member `member`.npy or
 * `member` of an .npz (stored or deflated).
 * Errors: -ENOENT, -EINVAL, -ENOMEM, -E2BIG (over 16 Mi elements).
 */
int bark_npy_read(struct bark_ints *ret, const char *path,
		  struct bark_error *err);
int bark_npz_read(struct bark_ints *ret, const char *path, const char *member,
		  struct bark_error *err);
void bark_ints_clear(struct bark_ints *a);

/* Writes C-order arrays, little endian. n_dims 1 or 2. */
int bark_npy_write_i32(const char *path, const int32_t *data, unsigned n_dims,
		       const size_t *dims);
int bark_npy_write_f32(const char *path, const float *data, size_t n);
int bark_npz_write_voice(const char *path, const struct bark_ints *semantic,
			 const struct bark_ints *coarse,
			 const struct bark_ints *fine);

#endif
