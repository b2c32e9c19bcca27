/* SPDX-License-Identifier: MIT */
/*
 * Published presets as files: an .npz, transformers' three .npy files, or a
 * folder with many of either. Paths are the caller's to free().
 */
#ifndef CLIENT_PRESETS_H
#define CLIENT_PRESETS_H

#include "paths.h"

/*
 * What a path given by a user holds, names without folders; a file of a triple
 * stands for all three. Errors: negative errno, -ENOENT for no preset.
 */
int presets_find(struct barkd_entries *ret, const char *path);

/* Copies one (an item's path) into the folder `dir`. -EEXIST: there is one of
 * this name; other errors: negative errno. */
int presets_install(const char *path, const char *dir, const char *name);
/* -ENOENT: the folder has none of this name. */
int presets_remove(const char *dir, const char *name);

#endif
