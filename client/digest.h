/* SPDX-License-Identifier: MIT */
/*
 * Digests by which a hub names what its files hold, in lower-case hex. The
 * file is read from its start to its end. Errors: those of read(), -ENOMEM.
 */
#ifndef CLIENT_DIGEST_H
#define CLIENT_DIGEST_H

#define DIGEST_SHA256_HEX 64
#define DIGEST_GIT_HEX 40

int digest_sha256(char ret[DIGEST_SHA256_HEX + 1], int fd);
/* What git calls the content of a file: SHA-1 of its size and its bytes. */
int digest_git(char ret[DIGEST_GIT_HEX + 1], int fd);

#endif
