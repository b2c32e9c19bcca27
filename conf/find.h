/* SPDX-License-Identifier: MIT */
/*
 * Models and voices by name. Strings returned through `ret` are the caller's to
 * free(). Errors: -ENOENT, -ENOMEM, -EINVAL (a name with a slash at the wrong
 * place, or "..").
 *
 * A model is a folder in transformers' or suno's layout, or a quantized one. By
 * name it is looked for in $XDG_DATA_HOME/barkd/models/, each of
 * $XDG_DATA_DIRS/barkd/models/, the installed folder of embedded voices, and,
 * for a build that has not been installed, the source's voices/ (compiled in;
 * $BARKD_VOICES_DIR overrides). A voice is a preset, NAME.npz or transformers'
 * three NAME_*.npy, in $XDG_DATA_HOME/barkd/voices/ or
 * $XDG_DATA_DIRS/barkd/voices/, or lies in the model's own folder.
 */
#ifndef BARKD_FIND_H
#define BARKD_FIND_H

#include <stddef.h>

#define BARKD_DEFAULT_MODEL "slt"

struct barkd_entry {
	char *name, *path; /* owned */
};

struct barkd_entries {
	struct barkd_entry *items;
	size_t n;
};

/* name: NULL (the default), a name, a path with a slash, or a hub's name
 * (OWNER/NAME) of an installed model. */
int barkd_model_find(char **ret, const char *name);
/* The same for a command, whose working folder is the user's: a folder in it may
 * be named without a slash. */
int barkd_model_find_here(char **ret, const char *name);
int barkd_models_list(struct barkd_entries *ret);
/* A model's own name, that of its folder: *ret_len bytes of model_dir, without
 * slashes behind it; 0: it has no name. */
const char *barkd_model_name(const char *model_dir, size_t *ret_len);
/* The name of the model that barkd_model_find() looks for by `name`, whether or
 * not it is installed. */
int barkd_model_label(char **ret, const char *name);

/* Presets imported from suno's folder "v2" have lost that prefix: the name to
 * look for where `name` is not found; NULL: none. */
const char *barkd_voice_alias(const char *name);
/* name: a name ("v2/NAME" is NAME, where only that is found) or a path. "none",
 * and the model's own name, which is its voice without a preset, give 0 with
 * *ret NULL. */
int barkd_voice_find(char **ret, const char *model_dir, const char *name);
/* The same for a command: also a file in the working folder. */
int barkd_voice_find_here(char **ret, const char *model_dir, const char *name);
int barkd_voices_list(struct barkd_entries *ret, const char *model_dir);

void barkd_entries_clear(struct barkd_entries *e);

#endif
