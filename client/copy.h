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

/* Makes dir and its parents. */
int copy_make_dirs(const char *dir);

int copy_file(const char *from, const char *dir, const char *name);

/*
 * Copies what belongs to a model from one folder: weights, configurations,
 * vocabularies and the folders of voices; links are followed. vocab, if not
 * NULL, becomes vocab.txt.
 */
int copy_model(const char *from, const char *vocab, const char *dir,
	       const char *name);

#endif
