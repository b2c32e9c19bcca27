/* SPDX-License-Identifier: MIT */
#ifndef BARK_JSON_H
#define BARK_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "bark.h"

/*
 * Parses one JSON object; keys given twice are an error, an integer beyond 64
 * bits becomes a real number. `name` is for the messages. The caller owns *ret
 * (json_decref). Errors: -EINVAL, -ENOMEM.
 */
int bark_json_parse(json_t **ret, const void *data, size_t size,
		    const char *name, struct bark_error *err);

/* The same of a file of at most 8 MiB. Errors: also -ENOENT, -E2BIG. */
int bark_json_read(json_t **ret, const char *path, struct bark_error *err);
/* The same of a file of at most `most` bytes. */
int bark_json_read_large(json_t **ret, const char *path, size_t most,
			 struct bark_error *err);

#endif
