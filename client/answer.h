/* SPDX-License-Identifier: MIT */
/* The head of a server's answer, as far as a file's transfer wants it. */
#ifndef CLIENT_ANSWER_H
#define CLIENT_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"

/* The head of one answer. */
struct answer {
	int64_t length;                  /* -1: not told, as below */
	int64_t range_start, range_total;
	char etag[160], location[8192];
	int64_t linked_size;
	char linked_etag[160], commit[65];
};

/* Takes one line of the head, with or without its end. A status line begins
 * a new answer; the status itself is not read. */
void answer_line(struct answer *a, const char *line, size_t n);

/* The SHA-256 or git's hash that an ETag is; false: it is neither. */
bool answer_hash(char ret[DIGEST_SHA256_HEX + 1], const char *etag);

#endif
