/* SPDX-License-Identifier: MIT */
/* Read-only files in memory, and where they are. */
#ifndef BARK_MAP_H
#define BARK_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "bark.h"

struct bark_map {
	const unsigned char *data; /* NULL: nothing is mapped */
	size_t size;
};

/*
 * Maps a regular file that is not empty. A file that another process cuts
 * short while it is mapped raises SIGBUS on access, as with every mapping:
 * replace model files by rename. Errors: -ENOENT and the like, -EINVAL.
 */
int bark_map_open(struct bark_map *ret, const char *path,
		  struct bark_error *err);
/* Unmaps; does nothing to an empty map. */
void bark_map_close(struct bark_map *map);

#define BARK_PATH_MAX 4096
/* Writes the path of a folder's file. Errors: -ENAMETOOLONG. */
int bark_path_join(char ret[BARK_PATH_MAX], const char *dir, const char *name,
		   struct bark_error *err);
/* The same of what is there; false: it is not, or cannot be. */
bool bark_path_find(char ret[BARK_PATH_MAX], const char *dir, const char *name);

#endif
