/* SPDX-License-Identifier: MIT */
/*
 * Files of a hub over HTTP, one after the other over connections that are
 * kept: resumed, limited, and compared with the size and hash that the hub
 * announces. Only http and https; a redirect never leaves https, and the token
 * is shown to the base's own host alone.
 *
 * Errors: -ENOENT there is no such file; -EACCES it is not for everybody;
 * -EAGAIN the line or the server broke down, again may help; -EBADMSG what
 * came is not what was announced, and the part is gone; -EMSGSIZE larger than
 * allowed; -ENOSPC and others of write(): the part is kept; -EPROTO an answer
 * that makes no sense; -ENOMEM. transfer_why() has a sentence.
 */
#ifndef CLIENT_TRANSFER_H
#define CLIENT_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

struct transfer;

/* What is wanted; `part` grows in the folder `dir`, beside it its state. */
struct transfer_file {
	const char *url;
	int dir;
	const char *part;
	uint64_t limit; /* bytes */
	/* Called before bytes come, and as they do; total 0: not known. */
	void (*begin)(void *arg, uint64_t at);
	void (*progress)(void *arg, uint64_t at, uint64_t total);
	void *arg;
};

struct transfer_result {
	uint64_t size;
	bool hashed;     /* the hub gave a hash, and it is right */
	char commit[65]; /* the revision's own name, "" where not told */
};

/*
 * base: where the hub is, http or https, without user and query. token: NULL
 * or what the hub is shown. ca: a file with the certificates to trust, or NULL
 * for the system's. timeout_s: without a byte, the line is broken. Errors:
 * -EINVAL for base or token, -ENOMEM.
 */
int transfer_new(struct transfer **ret, const char *base, const char *token,
		 const char *ca, unsigned timeout_s);
void transfer_free(struct transfer *t);

/* One attempt. On success `part` is whole, checked and synced. */
int transfer_get(struct transfer *t, const struct transfer_file *file,
		 struct transfer_result *ret);
const char *transfer_why(const struct transfer *t);

#endif
