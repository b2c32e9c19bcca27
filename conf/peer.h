/* SPDX-License-Identifier: MIT */
/*
 * Who is at the other end of a Unix socket, and whether anybody is at that of a
 * TCP connection. The kernel knows; a file's mode only says who could open the
 * path, and not all sockets have one.
 */
#ifndef BARKD_PEER_H
#define BARKD_PEER_H

#include <sys/types.h>

/*
 * 0 if the process at the other end of fd, a connected Unix stream socket, runs
 * as this user or as root, who may do everything anyway; -EPERM if it is
 * another user's. Other errors: of getsockopt(). *ret_uid, unless it is NULL,
 * is set in the case of -EPERM.
 */
int barkd_peer_check(int fd, uid_t *ret_uid);

/*
 * Has the kernel look whether the other end of a TCP connection is still there,
 * so that one that is gone without a word is noticed within half a minute. fd
 * may be a listening socket: what it accepts is like it. Errors: of
 * setsockopt().
 */
int barkd_peer_probe(int fd);

#endif
