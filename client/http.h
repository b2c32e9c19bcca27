/* SPDX-License-Identifier: MIT */
/*
 * One HTTP/1.1 request over a Unix socket, with limits on all that a server
 * can send. A connection a request: the daemon is on the same machine, and a
 * connection that is never kept can never be stale.
 */
#ifndef CLIENT_HTTP_H
#define CLIENT_HTTP_H

#include <stddef.h>

#define HTTP_LINE_MAX 8192
#define HTTP_HEADERS_MAX 100
#define HTTP_BODY_MAX (64 * 1024 * 1024)

struct http_reply {
	int status;
	char *body; /* owned by the caller, NUL-terminated, never NULL */
	size_t len;
};

/*
 * body: JSON, or NULL. timeout_ms bounds the whole exchange; -1 waits for
 * ever. On failure *ret is untouched. Errors: -EHOSTDOWN (nobody listens),
 * -EACCES, -ENAMETOOLONG, -ETIMEDOUT, -ECONNRESET (closed in the middle),
 * -EPROTO (not HTTP), -EMSGSIZE (beyond a limit), -ENOMEM.
 */
int http_request(const char *socket_path, const char *method, const char *path,
		 const char *body, int timeout_ms, struct http_reply *ret);

/*
 * The same in two halves, for a caller with a poll loop: sends the request
 * and returns the connection in *ret_fd; once that is readable, http_finish()
 * takes the reply and closes it. Closing it earlier gives the request up.
 */
int http_start(const char *socket_path, const char *method, const char *path,
	       const char *body, int timeout_ms, int *ret_fd);
int http_finish(int fd, int timeout_ms, struct http_reply *ret);

#endif
