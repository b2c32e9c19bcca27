/* SPDX-License-Identifier: MIT */
/*
 * What a published model's JSON files name: shards of weights, and presets.
 * The names are a stranger's: only those that stay below the model's folder
 * are taken, the others are an error.
 *
 * Errors: negative errno, with a sentence in `why`.
 */
#ifndef CLIENT_FETCH_LISTS_H
#define CLIENT_FETCH_LISTS_H

#include <jansson.h>
#include <stddef.h>

#define FETCH_MAX_JSON ((uint64_t)8 << 20) /* what bark_json_read() takes */
#define FETCH_MAX_SHARDS 512
#define FETCH_MAX_PRESETS 1000

/* The distinct files of DIR/INDEX, an array of strings; the caller's. */
int fetch_shards(json_t **ret, const char *dir, const char *index, char *why,
		 size_t n_why);

struct fetch_preset {
	const char *name;     /* "announcer", "v2/en_speaker_6" */
	const char *files[3]; /* on the hub, as bark_voice_arrays */
};

struct fetch_presets {
	struct fetch_preset *items;
	size_t n;
	const char *elsewhere; /* the repository that they lie with, or NULL */
	json_t *root;          /* owns the strings */
};

int fetch_presets_read(struct fetch_presets *ret, const char *dir,
		       const char *file, char *why, size_t n_why);
void fetch_presets_clear(struct fetch_presets *list);

#endif
