/* SPDX-License-Identifier: MIT */
/* libFuzzer: an answer that comes bit by bit, as the client library reads it. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "barkd-client.h"
#include "fuzz.h"

static struct barkd_client *client;
static int listener;

static void set_up(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char dir[] = "/tmp/fuzz-stream-XXXXXX";

	fuzz_check(mkdtemp(dir));
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/s", dir);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fuzz_check(listener >= 0 &&
		   bind(listener, (struct sockaddr *)&a, sizeof(a)) == 0 &&
		   listen(listener, 4) == 0);
	fuzz_check(barkd_client_new(&client, a.sun_path) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct barkd_stream *stream;
	ssize_t n;
	int peer;
	char buf[512];

	if (!client)
		set_up();
	/* All of it fits into the socket's buffer. */
	if (size > 32768)
		return 0;
	fuzz_check(barkd_client_events_start(client, &stream) == 0);
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (write(peer, data, size) != (ssize_t)size)
		abort();
	shutdown(peer, SHUT_WR);
	while ((n = barkd_stream_read(stream, buf, sizeof(buf))) > 0)
		fuzz_check((size_t)n <= sizeof(buf));
	fuzz_check(n != -EAGAIN);
	barkd_stream_free(stream);
	close(peer);
	return 0;
}
