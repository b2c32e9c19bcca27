/* SPDX-License-Identifier: MIT */
/*
 * The socket and the HTTP server in the loop, against a client that writes
 * what it likes: pieces, rubbish, too much, nothing, and goes away.
 */
#include "http.h"
#include "listen.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api_error.h"
#include "tap.h"

#define STORE 4096 /* bytes of a stream's store */

static char root[] = "/tmp/barkd-test-http-XXXXXX";
static char path[128];

static struct {
	sd_event *event;
	struct http_server *server;
	struct http_request *held[8]; /* POST /later */
	unsigned n_held, n_gone, n_drained, n_handled, n_connections;
	size_t n_body;
	bool strange;    /* who asks is a stranger, */
	bool refused;    /* and refused */
	char order[64];  /* the last letters of paths, as they were handled */
} t;

static void gone(void *data, struct http_request *req)
{
	t.n_gone++;
	for (unsigned i = 0; i < t.n_held; i++)
		if (t.held[i] == req)
			t.held[i] = t.held[--t.n_held];
}

static void drained(void *data, struct http_request *req)
{
	t.n_drained++;
}

static const struct http_watch watch = {gone, drained};

static bool admit(void *data, struct http_request *req)
{
	if (t.refused)
		api_error_reply(req, 401, NULL, "refused", "no");
	return !t.strange;
}

static void handle(void *data, struct http_request *req)
{
	const char *path_of = http_path(req);
	size_t n = strlen(t.order);

	t.n_handled++;
	if (n + 1 < sizeof(t.order))
		t.order[n] = path_of[strlen(path_of) - 1];
	http_set_watch(req, &watch, NULL);
	http_body(req, &t.n_body);
	if (strcmp(http_path(req), "/later") == 0) {
		t.held[t.n_held++] = req;
	} else if (strcmp(http_path(req), "/stream") == 0) {
		http_add_header(req, "X-Extra", http_query(req, "x"));
		if (http_stream_begin(req, 200, "text/plain", STORE) == 0)
			t.held[t.n_held++] = req;
	} else {
		http_reply(req, 200,
			   json_pack("{s:s, s:s, s:I}", "method",
				     http_method(req), "path", http_path(req),
				     "n", (json_int_t)t.n_body));
	}
}

static void connections(void *data, unsigned n)
{
	t.n_connections = n;
}

/* Turns the loop until it has been quiet for a while. */
static void turn(void)
{
	while (sd_event_run(t.event, 30000) > 0)
		;
}

static int dial(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct timeval limit = {2, 0};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, path);
	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		perror("connect");
		exit(1);
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static void put(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return;
	turn();
}

/* What has come; "" when nothing did, NULL when the connection ended. */
static const char *take(int fd)
{
	static char buf[65536];
	ssize_t n;

	turn();
	n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		return NULL;
	buf[n < 0 ? 0 : n] = '\0';
	return buf;
}

static bool answers(int fd, const char *status, const char *body)
{
	const char *got = take(fd);

	return got && strncmp(got, "HTTP/1.1 ", 9) == 0 &&
	       strncmp(got + 9, status, strlen(status)) == 0 &&
	       (!body || strstr(got, body));
}

static void test_requests(void)
{
	const char *name = "http: requests whole and in pieces";
	int fd = dial();

	put(fd, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
	TAP_CHECK(name, answers(fd, "200", "{\"method\":\"GET\","
					   "\"path\":\"/a\",\"n\":0}"));
	/* Kept alive; a body by length, byte by byte. */
	put(fd, "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n");
	TAP_CHECK(name, strcmp(take(fd), "") == 0);
	put(fd, "x");
	put(fd, "y");
	TAP_CHECK(name, strcmp(take(fd), "") == 0);
	put(fd, "z");
	TAP_CHECK(name, answers(fd, "200", "\"n\":3"));
	put(fd, "POST /c HTTP/1.1\r\nHost: x\r\n"
		"Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n");
	put(fd, "2\r\nef\r\n0\r\n\r\n");
	TAP_CHECK(name, answers(fd, "200", "\"n\":6"));
	/* Two at once. */
	put(fd, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
		"GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
	TAP_CHECK(name, answers(fd, "200", "/1"));
	close(fd);
	turn();
	TAP_CHECK(name, t.n_connections == 0 && t.n_gone == 0);
	tap_ok(name);
}

static void test_rubbish(void)
{
	const char *name = "http: rubbish is refused, the server lives";
	static const char *const rubbish[] = {
		"\r\n\r\n", "x\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02",
		"GET / HTTP/9.9\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: "
		"99999999999999999999\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
		"\r\n\r\nzz\r\n",
	};
	unsigned handled = t.n_handled;
	int fd;
	char *many;

	for (size_t i = 0; i < sizeof(rubbish) / sizeof(*rubbish); i++) {
		fd = dial();
		put(fd, rubbish[i]);
		close(fd);
		turn();
	}
	/* Headers without end. */
	fd = dial();
	many = malloc(100000);
	memset(many, 'h', 99999);
	memcpy(many, "GET / HTTP/1.1\r\nX: ", 19);
	many[99999] = '\0';
	put(fd, many);
	free(many);
	close(fd);
	turn();
	TAP_CHECK(name, t.n_handled <= handled + 2);
	TAP_CHECK(name, t.n_connections == 0);
	fd = dial();
	put(fd, "GET /alive HTTP/1.1\r\nHost: x\r\n\r\n");
	TAP_CHECK(name, answers(fd, "200", "/alive"));
	close(fd);
	turn();
	tap_ok(name);
}

static void test_too_large(void)
{
	const char *name = "http: a body too long is refused";
	unsigned handled = t.n_handled;
	size_t n = HTTP_BODY_MAX + 1;
	char *body = malloc(n + 1), head[128];
	int fd = dial();

	memset(body, 'b', n);
	body[n] = '\0';
	snprintf(head, sizeof(head),
		 "POST /l HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
		 n);
	put(fd, head);
	for (size_t i = 0; i < n; i += 65536)
		if (send(fd, body + i, n - i < 65536 ? n - i : 65536,
			 MSG_NOSIGNAL) > 0)
			turn();
	TAP_CHECK(name, answers(fd, "413", "\"code\":\"too_large\""));
	TAP_CHECK(name, t.n_handled == handled);
	close(fd);

	/* Just what is allowed. */
	fd = dial();
	snprintf(head, sizeof(head),
		 "POST /m HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
		 HTTP_BODY_MAX);
	put(fd, head);
	for (size_t i = 0; i < HTTP_BODY_MAX; i += 65536)
		if (send(fd, body + i, 65536, MSG_NOSIGNAL) > 0)
			turn();
	TAP_CHECK(name, answers(fd, "200", "1048576"));
	close(fd);
	turn();
	free(body);
	tap_ok(name);
}

static const char later[] =
	"POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";

static void test_later(void)
{
	const char *name = "http: an answer that comes later";
	unsigned was_gone = t.n_gone;
	int fd = dial(), other = dial();

	put(fd, later);
	TAP_CHECK(name, t.n_held == 1 && strcmp(take(fd), "") == 0);
	/* Others are served meanwhile. */
	put(other, "GET /o HTTP/1.1\r\nHost: x\r\n\r\n");
	TAP_CHECK(name, answers(other, "200", "/o"));
	TAP_CHECK(name, t.n_gone == was_gone);
	http_reply(t.held[--t.n_held], 200, json_pack("{s:i}", "later", 1));
	TAP_CHECK(name, answers(fd, "200", "{\"later\":1}"));
	close(fd);

	/* A client that is gone is noticed, once. */
	put(other, later);
	TAP_CHECK(name, t.n_held == 1);
	close(other);
	turn();
	TAP_CHECK(name, t.n_gone == was_gone + 1 && t.n_held == 0);
	TAP_CHECK(name, t.n_connections == 0);
	tap_ok(name);
}

static const char stream[] =
	"GET /stream?x=a%20b HTTP/1.1\r\nHost: x\r\n\r\n";

static void test_stream(void)
{
	const char *name = "http: an answer that comes bit by bit";
	unsigned was_gone = t.n_gone;
	int fd = dial();
	struct http_request *req;
	const char *got;

	put(fd, stream);
	got = take(fd);
	TAP_CHECK(name, got && strstr(got, "200 OK") &&
			strstr(got, "X-Extra: a b\r\n") && t.n_held == 1);
	req = t.held[0];
	TAP_CHECK(name, http_stream_room(req) == STORE);
	/* Each bit goes out at once. */
	for (int i = 0; i < 3; i++) {
		TAP_CHECK(name, http_stream_write(req, "bit", 3) == 0);
		TAP_CHECK(name, strcmp(take(fd), "3\r\nbit\r\n") == 0);
	}
	t.n_held = 0;
	http_stream_end(req, false);
	TAP_CHECK(name, strcmp(take(fd), "0\r\n\r\n") == 0);
	/* The connection lives on. */
	put(fd, "GET /alive HTTP/1.1\r\nHost: x\r\n\r\n");
	TAP_CHECK(name, answers(fd, "200", "/alive"));
	/* An answer that is not complete ends without its end. */
	put(fd, stream);
	TAP_CHECK(name, t.n_held == 1 && take(fd));
	http_stream_write(t.held[0], "part", 4);
	http_stream_end(t.held[--t.n_held], true);
	got = take(fd);
	TAP_CHECK(name, got && !strstr(got, "0\r\n\r\n"));
	TAP_CHECK(name, take(fd) == NULL);
	close(fd);
	turn();
	TAP_CHECK(name, t.n_gone == was_gone && t.n_connections == 0);
	tap_ok(name);
}

static void test_stream_slow(void)
{
	const char *name = "http: a slow reader holds a stream's writer";
	unsigned was_gone = t.n_gone, was_drained = t.n_drained;
	char block[1024];
	size_t n = 0, got = 0;
	int fd = dial();

	memset(block, 'b', sizeof(block));
	put(fd, stream);
	TAP_CHECK(name, t.n_held == 1);
	/* Nobody reads: the socket's room and the store are all there is. */
	for (int full = 0; full < 3 && n < 64u << 20;) {
		if (http_stream_write(t.held[0], block, sizeof(block)) == 0) {
			n += sizeof(block);
			full = 0;
		} else {
			full++;
			turn();
		}
	}
	TAP_CHECK(name, n < 16u << 20 && t.n_drained > was_drained);
	TAP_CHECK(name, http_stream_room(t.held[0]) < STORE / 2);
	was_drained = t.n_drained;
	/* It reads again: there is room again. */
	while (got < n && t.n_drained == was_drained) {
		const char *part = take(fd);

		if (!part)
			break;
		got += strlen(part);
	}
	TAP_CHECK(name, t.n_drained == was_drained + 1);
	TAP_CHECK(name, http_stream_room(t.held[0]) >= STORE / 2);
	/* It goes away in the middle, which is told once. */
	close(fd);
	turn();
	TAP_CHECK(name, t.n_gone == was_gone + 1 && t.n_held == 0);
	TAP_CHECK(name, t.n_connections == 0);
	tap_ok(name);
}

static void test_many(void)
{
	const char *name = "http: connections are limited";
	int fd[HTTP_CONNECTIONS_MAX + 4];

	for (int i = 0; i < HTTP_CONNECTIONS_MAX + 4; i++) {
		fd[i] = dial();
		turn();
	}
	TAP_CHECK(name, t.n_connections <= HTTP_CONNECTIONS_MAX);
	for (int i = 0; i < HTTP_CONNECTIONS_MAX + 4; i++)
		close(fd[i]);
	turn();
	TAP_CHECK(name, t.n_connections == 0);
	/* And there is room again. */
	fd[0] = dial();
	put(fd[0], "GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
	TAP_CHECK(name, answers(fd[0], "200", "/again"));
	close(fd[0]);
	turn();
	tap_ok(name);
}

static void test_turns(void)
{
	const char *name = "http: who asks much at once waits for others";
	int many = dial(), one = dial();
	static const char ask[] = "GET /%c HTTP/1.1\r\nHost: x\r\n\r\n";
	char text[64 * 5] = "", part[64];

	for (char c = 'a'; c < 'f'; c++) {
		snprintf(part, sizeof(part), ask, c);
		strcat(text, part);
	}
	turn();
	memset(t.order, 0, sizeof(t.order));
	send(many, text, strlen(text), MSG_NOSIGNAL);
	snprintf(part, sizeof(part), ask, '1');
	put(one, part);
	TAP_CHECK(name, strlen(t.order) == 6);
	TAP_CHECK(name, strchr(t.order, '1') - t.order <= 2);
	TAP_CHECK(name, strspn(t.order, "1abcde") == 6);
	close(many);
	close(one);
	turn();
	TAP_CHECK(name, t.n_connections == 0);
	tap_ok(name);
}

/* Sends, and ends, before the server looks. */
static int dial_and_end(const char *text)
{
	int fd = dial();

	send(fd, text, strlen(text), MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	return fd;
}

static void test_half_closed(void)
{
	const char *name = "http: an end that comes with data";
	int whole = dial_and_end("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
	int half = dial_and_end("GET /b HTTP/1.1\r\nHost:");

	TAP_CHECK(name, answers(whole, "200", "/a"));
	TAP_CHECK(name, take(whole) == NULL && take(half) == NULL);
	TAP_CHECK(name, t.n_connections == 0);
	close(whole);
	close(half);
	tap_ok(name);
}

static void test_strangers(void)
{
	const char *name = "http: strangers send no body";
	unsigned handled = t.n_handled;
	int fd = dial();

	t.strange = true;
	put(fd, "GET /s HTTP/1.1\r\nHost: x\r\n\r\n");
	TAP_CHECK(name, answers(fd, "200", "/s"));
	put(fd, "POST /s HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n");
	TAP_CHECK(name, answers(fd, "413", "too_large"));
	close(fd);
	t.refused = true;
	fd = dial();
	put(fd, "POST /s HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n");
	TAP_CHECK(name, answers(fd, "401", "refused"));
	TAP_CHECK(name, take(fd) == NULL && t.n_handled == handled + 1);
	close(fd);
	t.strange = t.refused = false;
	turn();
	TAP_CHECK(name, t.n_connections == 0);
	tap_ok(name);
}

static void test_end(int listener)
{
	const char *name = "http: at the end all who wait are answered";
	int fd = dial(), streaming = dial(), late, next;
	unsigned was_gone = t.n_gone;

	put(fd, later);
	put(streaming, stream);
	/* Who comes now is left to the socket's next owner. */
	http_server_quiesce(t.server);
	late = dial();
	put(late, later);
	TAP_CHECK(name, t.n_connections == 2);
	http_server_free(t.server);
	http_server_free(NULL);
	TAP_CHECK(name, answers(fd, "503", "shutting_down"));
	TAP_CHECK(name, t.n_gone == was_gone + 1);
	close(streaming);
	close(fd);
	next = accept(listener, NULL, NULL);
	TAP_CHECK(name, next >= 0 && strncmp(take(next), "POST", 4) == 0);
	close(next);
	close(late);
	tap_ok(name);
}

static void test_listen(void)
{
	const char *name = "listen: modes, a live socket, a dead one";
	struct listener a, b;
	char file[160], longer[200];
	struct stat st;
	int dead;

	TAP_CHECK(name, listener_open(&a, -1, path) == 0);
	TAP_CHECK(name, stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	snprintf(file, sizeof(file), "%s/dir", root);
	TAP_CHECK(name, stat(file, &st) == 0 && (st.st_mode & 0777) == 0700);
	TAP_CHECK(name, !a.inherited);
	TAP_CHECK(name, listener_open(&b, -1, path) == -EADDRINUSE);
	listener_close(&a);
	TAP_CHECK(name, access(path, F_OK) < 0);
	listener_close(&a);
	listener_close(NULL);

	/* What a crash leaves behind is replaced. */
	TAP_CHECK(name, listener_open(&a, -1, path) == 0);
	dead = a.fd;
	a.fd = -1;
	close(dead);
	close(a.lock_fd);
	free(a.path);
	TAP_CHECK(name, access(path, F_OK) == 0);
	TAP_CHECK(name, listener_open(&b, -1, path) == 0);
	listener_close(&b);

	/* Not a socket: not ours to remove. */
	snprintf(file, sizeof(file), "%s/dir/file", root);
	fclose(fopen(file, "we"));
	TAP_CHECK(name, listener_open(&b, -1, file) == -EEXIST);
	TAP_CHECK(name, access(file, F_OK) == 0);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	TAP_CHECK(name, listener_open(&b, -1, longer) == -ENAMETOOLONG);
	tap_ok(name);
}

int main(void)
{
	const struct http_handler handler = {
		.admit = admit, .handle = handle, .connections = connections,
	};
	struct listener l;
	char command[PATH_MAX];

	if (!mkdtemp(root))
		return 1;
	snprintf(path, sizeof(path), "%s/dir/sock", root);
	test_listen();
	if (sd_event_new(&t.event) < 0 || listener_open(&l, -1, path) < 0 ||
	    http_server_new(&t.server, t.event, l.fd, &handler) < 0) {
		tap_not_ok("http", "cannot start the server");
		return 1;
	}
	test_requests();
	test_rubbish();
	test_too_large();
	test_later();
	test_stream();
	test_stream_slow();
	test_many();
	test_turns();
	test_half_closed();
	test_strangers();
	test_end(l.fd);
	listener_close(&l);
	sd_event_unref(t.event);
	snprintf(command, sizeof(command), "rm -r '%s'", root);
	if (system(command) != 0)
		return 1;
	return tap_failed;
}
