/* SPDX-License-Identifier: MIT */
/*
 * Strict reading of a configuration file by inih, which by itself cuts long
 * lines and goes on after mistakes: here the first mistake ends it, with its
 * place.
 */
#ifndef BARKD_INI_FILE_H
#define BARKD_INI_FILE_H

#include <stddef.h>

/* Why a file was refused: "FILE:LINE: what". */
struct conf_error {
	char message[512];
};

/*
 * Calls value() for each line "name = value". It returns 0, or -EINVAL with
 * `why` filled, or -ENOMEM. Errors: of opening the file, those of value(),
 * -EINVAL for the file's shape; err (may be NULL) says why.
 */
int ini_file_read(const char *path,
		  int (*value)(void *data, const char *section,
			       const char *name, const char *text, char *why,
			       size_t n_why),
		  void *data, struct conf_error *err);

#endif
