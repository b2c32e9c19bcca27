/* SPDX-License-Identifier: MIT */
/* libFuzzer: what a server answers to the client library, whole or in bits. */
#include <sys/socket.h>

#include "fuzz.h"
#include "http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_reply reply;
	int fds[2];

	/* All of it fits into the socket's buffer. */
	if (size > 32768 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return 0;
	if (write(fds[1], data, size) != (ssize_t)size)
		abort();
	close(fds[1]);
	if (http_finish(fds[0], 1000, &reply) == 0) {
		fuzz_check(reply.body && reply.body[reply.len] == '\0');
		free(reply.body);
	}
	return 0;
}
