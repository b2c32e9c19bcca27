/* SPDX-License-Identifier: MIT */
/*
 * Sound files: libsndfile's formats by the name's ending, written through I/O of
 * our own, since not every of its encoders tells that the disk is full.
 */
#ifndef BARKD_SOUND_FILES_H
#define BARKD_SOUND_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* libsndfile's format for a path; 0: its ending says nothing. */
int sound_file_format(const char *path);

struct sound_file;

/*
 * One channel into fd, which stays the caller's, from where it is at; format is
 * libsndfile's, of which a sample beyond 1 is cut. live: a WAV's header is true
 * after every write. Errors: -EINVAL (libsndfile refuses), -ENOMEM, and what
 * write() says.
 */
int sound_file_new(struct sound_file **ret, int fd, unsigned rate, int format,
		   bool live);
/* Errors: what write() said first, for good; -EIO. */
int sound_file_write(struct sound_file *f, const float *pcm, size_t n);
/* Writes the rest and frees f, which may be NULL; as above. */
int sound_file_close(struct sound_file *f);

#endif
