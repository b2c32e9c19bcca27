/* SPDX-License-Identifier: MIT */
/*
 * The fields of a request's JSON body. Each function checks one and leaves
 * what it is to fill alone where the field is left out or null. Errors:
 * -EINVAL or -ENOMEM, with err filled.
 */
#ifndef BARKD_API_FIELDS_H
#define BARKD_API_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api_error.h"

#define API_TEXT_MAX (256 * 1024) /* bytes of what is to be spoken */
#define API_VALUES_MAX 1024
#define API_NAME_MAX 128          /* bytes of a name */

int api_no_memory(struct api_error *err);
/* what: "a string", "a number" */
int api_wrong_type(struct api_error *err, const char *name, const char *what);

/* The body's object; an empty body counts as {} where that is allowed. */
int api_object(json_t **ret, const char *body, size_t n, bool may_be_empty,
	       struct api_error *err);
/* Refuses fields that are not of the list, which NULL ends. */
int api_only_fields(json_t *root, const char *const *fields,
		    struct api_error *err);

/* NULL also where it is null. */
json_t *api_get(json_t *root, const char *name);
/* 1 to max bytes; *ret is the caller's to free. */
int api_get_string(json_t *root, const char *name, size_t max, char **ret,
		   struct api_error *err);
/* The fields voice and language, or NULL; fallback: what is no name is none
 * rather than an error. */
int api_get_voice(json_t *root, bool fallback, char **voice, char **language,
		  struct api_error *err);
/* What is to be spoken: required. */
int api_get_text(json_t *root, const char *name, char **ret,
		 struct api_error *err);
int api_get_number(json_t *root, const char *name, double min, double max,
		   double *ret, struct api_error *err);
int api_get_bool(json_t *root, const char *name, bool *ret,
		 struct api_error *err);
/* Not negative. */
int api_get_integer(json_t *root, const char *name, bool *ret_has,
		    uint64_t *ret, struct api_error *err);

#endif
