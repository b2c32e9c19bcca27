/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"

struct conn {
	int fd;
	int64_t deadline; /* ms of the monotonic clock; < 0: none */
	size_t pos, len;  /* what of buf is unread */
	char buf[16384];
};

struct body {
	char *data;
	size_t len, cap;
};

struct head {
	int status;
	bool chunked, has_length;
	size_t length;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int wait_for(struct conn *c, short events)
{
	struct pollfd p = {.fd = c->fd, .events = events};

	for (;;) {
		int64_t left = -1;
		int r;

		if (c->deadline >= 0) {
			left = c->deadline - now_ms();
			if (left <= 0)
				return -ETIMEDOUT;
			if (left > INT32_MAX)
				left = INT32_MAX;
		}
		r = poll(&p, 1, (int)left);
		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return -errno;
	}
}

static int conn_open(struct conn *c, const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int r;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	strcpy(sa.sun_path, path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return -errno;
	/* On a Unix socket EAGAIN says that the backlog is full. */
	while (connect(c->fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		if (errno == ECONNREFUSED || errno == ENOENT ||
		    errno == ENOTDIR)
			return -EHOSTDOWN;
		if (errno == EISCONN)
			break;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (c->deadline >= 0 && now_ms() >= c->deadline)
			return -ETIMEDOUT;
		r = poll(NULL, 0, 20);
		if (r < 0 && errno != EINTR)
			return -errno;
	}
	/* What is to be said is not for another user's program; root alone may
	 * speak to somebody else's barkd. */
	return geteuid() ? barkd_peer_check(c->fd, NULL) : 0;
}

static int conn_send(struct conn *c, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
		int r;

		if (n >= 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		/* An early error reply may be waiting behind the reset. */
		if (errno == EPIPE || errno == ECONNRESET)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		r = wait_for(c, POLLOUT);
		if (r)
			return r;
	}
	return 0;
}

/* Bytes read anew, 0 at the end of the stream, or a negative errno. */
static ssize_t conn_fill(struct conn *c)
{
	for (;;) {
		ssize_t n = recv(c->fd, c->buf, sizeof(c->buf), 0);
		int r;

		if (n >= 0) {
			c->pos = 0;
			c->len = (size_t)n;
			return n;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		r = wait_for(c, POLLIN);
		if (r)
			return r;
	}
}

/* A line without its end; -ECONNRESET when the stream ends before it does. */
static int conn_line(struct conn *c, char line[HTTP_LINE_MAX])
{
	size_t n = 0;

	for (;;) {
		char ch;

		if (c->pos == c->len) {
			ssize_t r = conn_fill(c);

			if (r <= 0)
				return r ? (int)r : -ECONNRESET;
		}
		ch = c->buf[c->pos++];
		if (ch == '\n')
			break;
		if (!ch)
			return -EPROTO;
		if (n == HTTP_LINE_MAX - 1)
			return -EMSGSIZE;
		line[n++] = ch;
	}
	if (n && line[n - 1] == '\r')
		n--;
	line[n] = 0;
	return 0;
}

static int body_reserve(struct body *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 4096;
	char *p;

	if (more > HTTP_BODY_MAX - b->len)
		return -EMSGSIZE;
	while (cap < b->len + more + 1)
		cap *= 2;
	if (cap == b->cap)
		return 0;
	p = realloc(b->data, cap);
	if (!p)
		return -ENOMEM;
	b->data = p;
	b->cap = cap;
	return 0;
}

/* Takes n bytes into the body, or with n SIZE_MAX all until the end. */
static int conn_body(struct conn *c, struct body *b, size_t n)
{
	while (n) {
		size_t have;
		int r;

		if (c->pos == c->len) {
			ssize_t got = conn_fill(c);

			if (got < 0)
				return (int)got;
			if (!got)
				return n == SIZE_MAX ? 0 : -ECONNRESET;
		}
		have = c->len - c->pos;
		if (have > n)
			have = n;
		r = body_reserve(b, have);
		if (r)
			return r;
		memcpy(b->data + b->len, c->buf + c->pos, have);
		b->len += have;
		c->pos += have;
		if (n != SIZE_MAX)
			n -= have;
	}
	return 0;
}

/* Digits of base 10 or 16 and nothing else, up to an optional terminator. */
static int parse_size(const char *s, int base, char stop, size_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	size_t v = 0;
	const char *p;

	for (p = s; *p && *p != stop && *p != ' '; p++) {
		char lower = (char)(*p >= 'A' && *p <= 'F' ? *p | 0x20 : *p);
		const char *d = memchr(digits, lower, (size_t)base);

		if (!d)
			return -EPROTO;
		if (v > HTTP_BODY_MAX)
			return -EMSGSIZE;
		v = v * (size_t)base + (size_t)(d - digits);
	}
	if (p == s)
		return -EPROTO;
	*ret = v;
	return 0;
}

static int conn_chunks(struct conn *c, struct body *b)
{
	char line[HTTP_LINE_MAX];
	size_t n;
	int r;

	do {
		r = conn_line(c, line);
		if (!r)
			r = parse_size(line, 16, ';', &n);
		if (!r)
			r = conn_body(c, b, n);
		if (r)
			return r;
		if (n) {
			r = conn_line(c, line);
			if (r)
				return r;
			if (*line)
				return -EPROTO;
		}
	} while (n);
	/* Trailers say nothing that we use; the connection ends here. */
	return 0;
}

static int parse_header(char *line, struct head *h)
{
	char *value = strchr(line, ':');

	if (!value || value == line)
		return -EPROTO;
	*value++ = 0;
	value += strspn(value, " \t");
	if (!strcasecmp(line, "Content-Length")) {
		int r = parse_size(value, 10, 0, &h->length);

		if (r)
			return r;
		h->has_length = true;
	} else if (!strcasecmp(line, "Transfer-Encoding")) {
		value[strcspn(value, " \t")] = 0;
		if (strcasecmp(value, "chunked"))
			return -EPROTO;
		h->chunked = true;
	}
	return 0;
}

static int conn_head(struct conn *c, struct head *h)
{
	char line[HTTP_LINE_MAX];
	int r, version, used = 0;

	*h = (struct head){0};
	r = conn_line(c, line);
	if (r)
		return r;
	if (sscanf(line, "HTTP/1.%1d %3d%n", &version, &h->status, &used) < 2 ||
	    (line[used] && line[used] != ' ') || h->status < 100)
		return -EPROTO;
	for (int i = 0; i < HTTP_HEADERS_MAX; i++) {
		r = conn_line(c, line);
		if (r)
			return r;
		if (!*line)
			return 0;
		r = parse_header(line, h);
		if (r)
			return r;
	}
	return -EMSGSIZE;
}

static int conn_reply(struct conn *c, struct http_reply *ret)
{
	struct body b = {0};
	struct head h;
	int r;

	do {
		r = conn_head(c, &h);
		if (r)
			return r;
	} while (h.status < 200);

	r = body_reserve(&b, 0);
	if (!r && h.status != 204 && h.status != 304) {
		if (h.chunked)
			r = conn_chunks(c, &b);
		else
			r = conn_body(c, &b, h.has_length ? h.length : SIZE_MAX);
	}
	if (r) {
		free(b.data);
		return r;
	}
	b.data[b.len] = 0;
	*ret = (struct http_reply){h.status, b.data, b.len};
	return 0;
}

static int conn_request(struct conn *c, const char *method, const char *path,
			const char *body)
{
	size_t len = body ? strlen(body) : 0;
	char *head;
	int n, r;

	n = asprintf(&head,
		     "%s %s HTTP/1.1\r\nHost: barkd\r\nConnection: close\r\n"
		     "Accept: application/json\r\n"
		     "Content-Type: application/json\r\n"
		     "Content-Length: %zu\r\n\r\n",
		     method, path, len);
	if (n < 0)
		return -ENOMEM;
	r = conn_send(c, head, (size_t)n);
	free(head);
	return r ? r : conn_send(c, body, len);
}

int http_request(const char *socket_path, const char *method, const char *path,
		 const char *body, int timeout_ms, struct http_reply *ret)
{
	struct conn c = {
		.fd = -1,
		.deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms,
	};
	int r;

	r = conn_open(&c, socket_path);
	if (!r)
		r = conn_request(&c, method, path, body);
	if (!r)
		r = conn_reply(&c, ret);
	if (c.fd >= 0)
		close(c.fd);
	return r;
}

int http_start(const char *socket_path, const char *method, const char *path,
	       const char *body, int timeout_ms, int *ret_fd)
{
	struct conn c = {.fd = -1, .deadline = now_ms() + timeout_ms};
	int r;

	r = conn_open(&c, socket_path);
	if (!r)
		r = conn_request(&c, method, path, body);
	if (r && c.fd >= 0)
		close(c.fd);
	if (!r)
		*ret_fd = c.fd;
	return r;
}

int http_finish(int fd, int timeout_ms, struct http_reply *ret)
{
	struct conn c = {.fd = fd, .deadline = now_ms() + timeout_ms};
	int r = conn_reply(&c, ret);

	close(fd);
	return r;
}
