/* SPDX-License-Identifier: MIT */
/* The client library against a server that answers what a test tells it to. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "barkd-client.h"
#include "http.h"
#include "tap.h"

struct server {
	char dir[64], path[96];
	int listener;
	pthread_t thread;
	const char *first; /* NULL, or what the first who comes is told */
	const char *reply;
	size_t len;
	size_t step;  /* bytes a send; 0: all */
	int hold_ms;  /* before the connection is closed */
	char request[4096];
};

/* Reads the head and as much body as it announces. */
static void take_request(struct server *s, int fd)
{
	size_t n = 0, want = 0;

	while (n < sizeof(s->request) - 1) {
		ssize_t r = recv(fd, s->request + n,
				 sizeof(s->request) - 1 - n, 0);
		const char *end, *length;

		if (r <= 0)
			break;
		n += (size_t)r;
		s->request[n] = 0;
		end = strstr(s->request, "\r\n\r\n");
		if (!end)
			continue;
		length = strstr(s->request, "Content-Length: ");
		want = (size_t)(end + 4 - s->request);
		if (length)
			want += strtoul(length + 16, NULL, 10);
		if (n >= want)
			break;
	}
}

static void *serve(void *arg)
{
	struct server *s = arg;
	int fd = accept(s->listener, NULL, NULL);

	if (fd >= 0 && s->first) {
		take_request(s, fd);
		send(fd, s->first, strlen(s->first), MSG_NOSIGNAL);
		close(fd);
		fd = accept(s->listener, NULL, NULL);
	}
	if (fd < 0)
		return NULL;
	take_request(s, fd);
	for (size_t at = 0; at < s->len;) {
		size_t n = s->step ? s->step : s->len;
		ssize_t sent;

		if (n > s->len - at)
			n = s->len - at;
		sent = send(fd, s->reply + at, n, MSG_NOSIGNAL);
		if (sent < 0)
			break;
		at += (size_t)sent;
	}
	if (s->hold_ms)
		poll(NULL, 0, s->hold_ms);
	close(fd);
	return NULL;
}

static const char *first_reply; /* of the servers that are started */

static bool server_start(struct server *s, const char *reply, size_t len,
			 size_t step)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	*s = (struct server){.first = first_reply, .reply = reply, .len = len,
			     .step = step};
	strcpy(s->dir, "/tmp/test_client.XXXXXX");
	if (!mkdtemp(s->dir))
		return false;
	snprintf(s->path, sizeof(s->path), "%s/sock", s->dir);
	strcpy(sa.sun_path, s->path);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return s->listener >= 0 &&
	       !bind(s->listener, (struct sockaddr *)&sa, sizeof(sa)) &&
	       !listen(s->listener, 4) &&
	       !pthread_create(&s->thread, NULL, serve, s);
}

static void server_end(struct server *s)
{
	/* Wakes an accept() that nobody came to. */
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
	unlink(s->path);
	rmdir(s->dir);
}

/* One GET; body: what is expected, or NULL when an error is. */
static void exchange_step(const char *name, const char *raw, size_t len,
			  int want, int status, const char *body, size_t step)
{
	struct http_reply reply = {0};
	struct server s;
	int r;

	TAP_CHECK(name, server_start(&s, raw, len, step));
	r = http_request(s.path, "GET", "/v1/status", NULL, 5000, &reply);
	server_end(&s);
	if (r != want) {
		tap_not_ok(name, "returned %d, not %d", r, want);
	} else if (!r && (reply.status != status || strcmp(reply.body, body) ||
			  reply.len != strlen(body))) {
		tap_not_ok(name, "%d '%s'", reply.status, reply.body);
	} else {
		tap_ok(name);
	}
	free(reply.body);
}

static void exchange(const char *name, const char *raw, int want, int status,
		     const char *body)
{
	char slow[128];

	exchange_step(name, raw, strlen(raw), want, status, body, 0);
	/* Every boundary inside a reply must be harmless. */
	snprintf(slow, sizeof(slow), "%s, bytewise", name);
	exchange_step(slow, raw, strlen(raw), want, status, body, 1);
}

static void test_replies(void)
{
	exchange("client/length",
		 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 0, 200, "hi");
	exchange("client/until close", "HTTP/1.0 200 OK\r\n\r\nhello", 0, 200,
		 "hello");
	exchange("client/chunked",
		 "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n"
		 "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: r\r\n\r\n",
		 0, 200, "abc0123456789");
	exchange("client/continue",
		 "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\n"
		 "Content-Length:0\r\n\r\n",
		 0, 202, "");
	exchange("client/no content", "HTTP/1.1 204 No Content\r\n\r\n", 0, 204,
		 "");
	exchange("client/bare newlines", "HTTP/1.1 200\nContent-Length: 1\n\nx",
		 0, 200, "x");
	exchange("client/error status",
		 "HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx", 0, 404,
		 "x");
}

static void test_hostile(void)
{
	static char lines[16384], headers[8192];
	size_t n;

	exchange("client/not http", "SSH-2.0-OpenSSH\r\n\r\n", -EPROTO, 0,
		 NULL);
	exchange("client/bad status", "HTTP/1.1 2x0 OK\r\n\r\n", -EPROTO, 0,
		 NULL);
	exchange("client/short body",
		 "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", -ECONNRESET,
		 0, NULL);
	exchange("client/short head", "HTTP/1.1 200 OK\r\nContent-Le",
		 -ECONNRESET, 0, NULL);
	exchange("client/silence", "", -ECONNRESET, 0, NULL);
	exchange("client/negative length",
		 "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", -EPROTO, 0,
		 NULL);
	exchange("client/huge length",
		 "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n"
		 "\r\n",
		 -EMSGSIZE, 0, NULL);
	exchange("client/huge chunk",
		 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "fffffffffffffff\r\n",
		 -EMSGSIZE, 0, NULL);
	exchange("client/bad chunk",
		 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		 -EPROTO, 0, NULL);
	exchange("client/chunk overrun",
		 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "2\r\nabcd\r\n0\r\n\r\n",
		 -EPROTO, 0, NULL);
	exchange("client/unknown coding",
		 "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", -EPROTO,
		 0, NULL);
	exchange("client/header without colon",
		 "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", -EPROTO, 0, NULL);
	exchange_step("client/nul", "HTTP/1.1 200\0OK\r\n\r\n", 19, -EPROTO, 0,
		      NULL, 0);

	n = (size_t)sprintf(lines, "HTTP/1.1 200 OK\r\nX: ");
	memset(lines + n, 'a', HTTP_LINE_MAX);
	strcpy(lines + n + HTTP_LINE_MAX, "\r\n\r\n");
	exchange("client/long line", lines, -EMSGSIZE, 0, NULL);

	n = (size_t)sprintf(headers, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < HTTP_HEADERS_MAX + 1; i++)
		n += (size_t)sprintf(headers + n, "X: y\r\n");
	exchange("client/many headers", headers, -EMSGSIZE, 0, NULL);
}

static void test_timeout(void)
{
	const char *name = "client/timeout";
	struct http_reply reply;
	struct server s;
	int r;

	TAP_CHECK(name, server_start(&s, "HTTP/1.1 200 OK\r\n", 17, 0));
	s.hold_ms = 500;
	r = http_request(s.path, "GET", "/", NULL, 50, &reply);
	server_end(&s);
	TAP_CHECK(name, r == -ETIMEDOUT);
	tap_ok(name);
}

static void test_nobody(void)
{
	const char *name = "client/no daemon";
	struct barkd_client *c;
	char *json;
	int r;

	TAP_CHECK(name, !barkd_client_new(&c, "/nonexistent/barkd.sock"));
	TAP_CHECK(name, !*barkd_client_message(c));
	r = barkd_client_get(c, "/v1/status", &json);
	TAP_CHECK(name, r == -EHOSTDOWN);
	TAP_CHECK(name, strstr(barkd_client_message(c), "systemctl"));
	r = barkd_client_get(c, "/v1/status HTTP/1.1\r\nX: y", &json);
	TAP_CHECK(name, r == -EINVAL);
	TAP_CHECK(name, barkd_client_command(c, "explode") == -EINVAL);
	barkd_client_free(c);
	barkd_client_free(NULL);
	tap_ok(name);
}

/* Says something to a server that answers raw; checks result and request. */
static void say(const char *name, const struct barkd_say *what,
		const char *raw, int want, unsigned long long id,
		const char *request, const char *message)
{
	unsigned long long got = 0;
	struct barkd_client *c;
	struct server s;
	int r;

	TAP_CHECK(name, server_start(&s, raw, strlen(raw), 0));
	TAP_CHECK(name, !barkd_client_new(&c, s.path));
	r = barkd_client_say(c, what, &got);
	server_end(&s);
	if (r != want || got != id)
		tap_not_ok(name, "returned %d, id %llu", r, got);
	else if (!strstr(s.request, request))
		tap_not_ok(name, "asked for %s", s.request);
	else if (!strstr(barkd_client_message(c), message))
		tap_not_ok(name, "said '%s'", barkd_client_message(c));
	else
		tap_ok(name);
	barkd_client_free(c);
}

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
#define BAD_HEAD "HTTP/1.1 400 Bad Request\r\n\r\n"

static void test_say(void)
{
	const struct barkd_say plain = {.text = "Gr\xc3\xbc\xc3\x9f \"dich\""};
	const struct barkd_say full = {
		.text = "x", .voice = "slt", .rate = 2, .has_priority = true,
		.priority = BARKD_PRIORITY_PROGRESS, .wait = true,
		.has_seed = true, .seed = 7,
	};
	const struct barkd_say broken = {.text = "\xff\xfe"};
	struct barkd_client *c;

	say("client/say", &plain, OK_HEAD "{\"id\":17,\"state\":\"queued\"}", 0,
	    17, "{\"text\":\"Gr\xc3\xbc\xc3\x9f \\\"dich\\\"\"}", "");
	say("client/say with options", &full,
	    OK_HEAD "{\"id\":1,\"state\":\"done\",\"played_ms\":9}", 0, 1,
	    "{\"text\":\"x\",\"voice\":\"slt\",\"rate\":2.0,\"seed\":7,"
	    "\"priority\":\"progress\",\"wait\":true,"
	    "\"cancel_on_disconnect\":true}",
	    "");
	say("client/stopped", &full,
	    OK_HEAD "{\"id\":1,\"state\":\"stopped\"}", -ECANCELED, 1, "POST",
	    "stopped");
	say("client/refused", &plain,
	    BAD_HEAD "{\"error\":{\"message\":\"no such voice\"}}", -EINVAL, 0,
	    "POST /v1/speak HTTP/1.1\r\n", "no such voice");
	say("client/refused without words", &plain, BAD_HEAD "<html>", -EINVAL,
	    0, "POST", "400");
	first_reply = "HTTP/1.1 503 Service Unavailable\r\n\r\n"
		      "{\"error\":{\"code\":\"stopping\"}}";
	say("client/while one barkd ends", &plain,
	    OK_HEAD "{\"id\":18,\"state\":\"queued\"}", 0, 18, "POST", "");
	first_reply = NULL;
	say("client/nonsense", &plain, OK_HEAD "[1,2", -EPROTO, 0, "POST",
	    "not understood");

	TAP_CHECK("client/not utf-8", !barkd_client_new(&c, "/nonexistent/s"));
	TAP_CHECK("client/not utf-8",
		  barkd_client_say(c, &broken, NULL) == -EINVAL);
	barkd_client_free(c);
	tap_ok("client/not utf-8");
}

int main(void)
{
	test_replies();
	test_hostile();
	test_timeout();
	test_nobody();
	test_say();
	return tap_failed;
}
