/* SPDX-License-Identifier: MIT */
/*
 * Presets as files: an .npz, a .pth or .pt of torch's, transformers' three .npy
 * files, or a folder with many of these (.pt files aside). Paths are the caller's to free().
 */
#ifndef CLIENT_PRESETS_H
#define CLIENT_PRESETS_H

#include "find.h"
#include "model.h"

/*
 * What a path given by a user holds, names without folders; a file of a triple
 * stands for all three. Errors: negative errno, -ENOENT for no preset.
 */
int presets_find(struct barkd_entries *ret, const char *path);

/* Copies one, that was opened from an item's path, into the folder `dir`; a file
 * of torch's becomes an .npz. -EEXIST: there is one of this name; other errors:
 * negative errno. */
int presets_install(const struct bark_model *model,
		    const struct bark_voice *voice, const char *path,
		    const char *dir, const char *name);
/* -ENOENT: the folder has none of this name. */
int presets_remove(const char *dir, const char *name);

#endif
