/* SPDX-License-Identifier: MIT */
/*
 * The descriptors that the service manager passes: the listening socket, and
 * what an earlier barkd gave it to keep (sd_notify(3), FDSTORE=1).
 */
#ifndef BARKD_INHERIT_H
#define BARKD_INHERIT_H

enum inherited_kind {
	INHERITED_SOCKET,
	INHERITED_CRASHES, /* how often barkd crashed in a row */
	INHERITED_QUEUE,   /* texts that waited */
	INHERITED_N,
};

/* -1: not passed. */
struct inherited {
	int fds[INHERITED_N];
};

#define INHERITED_NONE ((struct inherited){{-1, -1, -1}})

/* Takes what there is; once, before any child is started. What is passed twice
 * or not known is closed. -EINVAL: several sockets. Others: of
 * sd_listen_fds_with_names(). *ret is filled in any case. */
int inherited_take(struct inherited *ret);
/* Closes what is left. */
void inherited_clear(struct inherited *in);

/* Lets the service manager keep fd, which stays the caller's, under the kind's
 * name. Negative errno; -ENOTCONN: there is none. */
int inherited_store(enum inherited_kind kind, int fd);
/* It keeps it no more. */
void inherited_forget(enum inherited_kind kind);

#endif
