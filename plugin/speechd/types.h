/* SPDX-License-Identifier: MIT */
/*
 * Which of barkd's voices stands for a voice type (MALE1 ... CHILD_FEMALE) where
 * nobody has said so. No I/O.
 */
#ifndef SPEECHD_TYPES_H
#define SPEECHD_TYPES_H

#include <stdbool.h>
#include <stddef.h>

#define TYPES_VOICES_MAX 512
#define TYPES_NAME_ROOM 64
#define TYPES_LANGUAGE_ROOM 16

struct types_voice {
	char name[TYPES_NAME_ROOM], language[TYPES_LANGUAGE_ROOM];
	char gender; /* 'm', 'f', or 0 */
	bool usual;  /* the configured one */
};

struct types {
	struct types_voice *voices; /* owned */
	size_t n;
};

/* voices: what barkd answers to GET /v1/voices; anything else gives none. */
void types_read(struct types *t, const char *voices);
void types_clear(struct types *t);

/*
 * A voice of the language ("en-us"; "": the usual voice's) and type, or NULL:
 * barkd's own choice. MALE1, for which Speech Dispatcher asks where nobody has
 * chosen, is barkd's. *pitch is multiplied where one voice stands for several
 * types, so that they can be told apart, and for children.
 */
const char *types_voice(const struct types *t, const char *language,
			const char *type, double *pitch);

#endif
