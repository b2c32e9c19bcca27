/* SPDX-License-Identifier: MIT */
/*
 * Listening sockets: the Unix one, inherited from the service manager or our
 * own, and TCP ports.
 */
#ifndef BARKD_LISTEN_H
#define BARKD_LISTEN_H

#include <stdbool.h>

struct listener {
	int fd;         /* -1: none */
	bool inherited; /* not ours to remove */
	char *path;     /* ours, owned; NULL when inherited */
	int lock_fd;    /* held while the path is ours */
};

/*
 * Takes the inherited socket, unless it is -1, else makes path with mode 0600
 * in a folder of mode 0700. A socket that nobody answers on is replaced; a live
 * one is refused with -EADDRINUSE. Other errors: as of socket() and bind();
 * -ENOENT if path is NULL or empty; -ENAMETOOLONG; -EINVAL for an inherited one
 * that is of no use, which stays the caller's.
 */
int listener_open(struct listener *ret, int inherited, const char *path);
/* A port at a numeric address, which this machine may get later: then *ret_late
 * is true. Errors: -EINVAL, of socket() and bind(). */
int listener_open_tcp(struct listener *ret, const char *address,
		      unsigned port, bool *ret_late);
/* Closes; removes what is ours. */
void listener_close(struct listener *l);

#endif
