/* SPDX-License-Identifier: MIT */
/*
 * Copies that appear whole or not at all: written beside the target under a
 * hidden name, synced and renamed. Errors: negative errno; -EEXIST when the
 * target is there already.
 */
#ifndef CLIENT_COPY_H
#define CLIENT_COPY_H

#include <stdbool.h>

/* A name for a model or voice that is safe as a file's: letters, digits and
 * "._-", at most 64, no dot in front. */
bool copy_name_ok(const char *name);

int copy_file(const char *from, const char *dir, const char *name);

/*
 * Copies what belongs to a model from one folder: weights, configurations,
 * vocabularies and the folders of voices; links are followed. vocab, if not
 * NULL, becomes the copy's vocabulary.
 */
int copy_model(const char *from, const char *vocab, const char *dir,
	       const char *name);

/*
 * The same without the weights, in whose place fill(arg, folder) puts others
 * before the copy appears; the files that describe them are copied if `configs` is
 * set. What fill returns but 0 is the result.
 */
int copy_around_weights(const char *from, bool configs, const char *dir,
			const char *name,
			int (*fill)(void *arg, const char *folder), void *arg);

/* What the above are made of. Renames without replacing, and syncs the
 * folder. */
int copy_appear(int dir, const char *hidden, const char *name);
/* Removes a folder with all that it holds; links are not followed. */
int copy_remove_folder(int dir, const char *name);
void copy_empty_folder(int dir);

#endif
