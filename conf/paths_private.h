/* SPDX-License-Identifier: MIT */
/* Shared by paths.c and find.c. */
#ifndef BARKD_PATHS_PRIVATE_H
#define BARKD_PATHS_PRIVATE_H

#include <stdbool.h>

/* -ENOMEM or 0 with *ret = "a/b". */
int barkd_join(char **ret, const char *a, const char *b);
bool barkd_is_dir(const char *path);
bool barkd_is_file(const char *path);
/*
 * Calls visit(data, dir) for each folder that may hold `what` ("models" or
 * "voices"), the user's first, until it returns other than -ENOENT.
 */
int barkd_each_data_dir(const char *what,
			int (*visit)(void *data, const char *dir), void *data);

#endif
