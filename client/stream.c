/* SPDX-License-Identifier: MIT */
/*
 * Answers that come bit by bit: HTTP/1.1's head and chunks (RFC 9112, section
 * 7.1), read without waiting.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client_private.h"

#define BUFFER_BYTES 16384 /* a head has to fit, too */
#define ERROR_BODY_MAX 8192
#define CHUNK_MAX (64 * 1024 * 1024)

enum stage { STAGE_HEAD, STAGE_SIZE, STAGE_DATA, STAGE_DATA_END, STAGE_DONE,
	     STAGE_ERROR_BODY };

struct barkd_stream {
	struct barkd_client *client;
	int fd;
	enum stage stage;
	int status;
	bool chunked, eof;
	size_t left; /* of the chunk, or of an error's body */
	size_t n;    /* in buf */
	char buf[BUFFER_BYTES];
	char error[ERROR_BODY_MAX];
	size_t n_error;
};

static json_t *request_of(const struct barkd_say *say,
			  enum barkd_speech_format format)
{
	json_t *o = json_pack("{s:s, s:s}", "input", say->text,
			      "response_format",
			      format == BARKD_SPEECH_SPIEL ? "spiel" : "pcm");
	int r = o ? 0 : -1;

	if (o)
		r = client_how(o, say, "speed");
	if (r) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static int start(struct barkd_client *c, const char *method, const char *path,
		 const char *body, struct barkd_stream **ret)
{
	struct barkd_stream *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return client_fail(c, -ENOMEM, "out of memory");
	r = c->socket ? http_start(c->socket, method, path, body, PROMPT_MS,
				   &s->fd)
		      : -EHOSTDOWN;
	if (r < 0) {
		free(s);
		return client_transport_error(c, r);
	}
	fcntl(s->fd, F_SETFL, fcntl(s->fd, F_GETFL) | O_NONBLOCK);
	s->client = c;
	*ret = s;
	return 0;
}

int barkd_client_speech_start(struct barkd_client *c,
			      const struct barkd_say *say,
			      enum barkd_speech_format format,
			      struct barkd_stream **ret)
{
	json_t *request = request_of(say, format);
	char *body = request ? json_dumps(request, JSON_COMPACT) : NULL;
	bool no_memory = request && !body;
	int r;

	c->message[0] = 0;
	json_decref(request);
	if (!body)
		return no_memory ? client_fail(c, -ENOMEM, "out of memory")
				 : client_fail(c, -EINVAL,
					       "the text is not UTF-8");
	r = start(c, "POST", "/v1/audio/speech", body, ret);
	free(body);
	return r;
}

int barkd_client_events_start(struct barkd_client *c,
			      struct barkd_stream **ret)
{
	c->message[0] = 0;
	return start(c, "GET", "/v1/events", NULL, ret);
}

int barkd_stream_fd(const struct barkd_stream *s)
{
	return s->fd;
}

void barkd_stream_free(struct barkd_stream *s)
{
	if (!s)
		return;
	close(s->fd);
	free(s);
}

/* --- reading --- */

static void take(struct barkd_stream *s, size_t n)
{
	s->n -= n;
	memmove(s->buf, s->buf + n, s->n);
}

/* More into the buffer. 0, -EAGAIN, or an error; the end of the connection is
 * no error. */
static int fill(struct barkd_stream *s)
{
	ssize_t n;

	if (s->eof)
		return -ECONNRESET;
	if (s->n == sizeof(s->buf))
		return -EMSGSIZE;
	n = recv(s->fd, s->buf + s->n, sizeof(s->buf) - s->n, MSG_DONTWAIT);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	s->eof = n == 0;
	s->n += (size_t)n;
	return 0;
}

/* A whole line, its end cut off; NULL: not here yet. */
static char *line_at(struct barkd_stream *s, size_t *ret_n)
{
	char *end = memchr(s->buf, '\n', s->n);

	if (!end)
		return NULL;
	*ret_n = (size_t)(end - s->buf) + 1;
	*end = '\0';
	if (end > s->buf && end[-1] == '\r')
		end[-1] = '\0';
	return s->buf;
}

static int header(struct barkd_stream *s, const char *line)
{
	char *end;

	if (strncmp(line, "HTTP/1.1 ", 9) == 0) {
		s->status = (int)strtol(line + 9, &end, 10);
		return end == line + 12 ? 0 : -EPROTO;
	}
	if (!s->status)
		return -EPROTO;
	if (strncasecmp(line, "Transfer-Encoding:", 18) == 0)
		s->chunked = strcasestr(line, "chunked") != NULL;
	if (strncasecmp(line, "Content-Length:", 15) == 0)
		s->left = strtoul(line + 15, NULL, 10);
	return 0;
}

/* Takes lines up to the empty one. */
static int read_head(struct barkd_stream *s)
{
	for (;;) {
		size_t n;
		char *line = line_at(s, &n);
		bool last;
		int r;

		if (!line)
			return fill(s);
		last = !*line;
		r = last ? 0 : header(s, line);
		if (r < 0)
			return r;
		take(s, n);
		if (!last)
			continue;
		if (s->status == 200 && !s->chunked)
			return -EPROTO;
		s->stage = s->status == 200 ? STAGE_SIZE : STAGE_ERROR_BODY;
		return 0;
	}
}

static int read_size(struct barkd_stream *s)
{
	size_t n;
	char *line = line_at(s, &n), *end;
	unsigned long size;

	if (!line)
		return fill(s);
	size = strtoul(line, &end, 16);
	if (end == line || size > CHUNK_MAX)
		return -EPROTO;
	take(s, n);
	s->left = size;
	s->stage = size ? STAGE_DATA : STAGE_DONE;
	return 0;
}

/* What an answer of another status says. */
static int read_error(struct barkd_stream *s)
{
	struct http_reply reply = {.status = s->status};
	size_t n = s->n < s->left ? s->n : s->left;

	if (n > ERROR_BODY_MAX - 1 - s->n_error)
		n = ERROR_BODY_MAX - 1 - s->n_error;
	memcpy(s->error + s->n_error, s->buf, n);
	s->n_error += n;
	s->left -= n;
	take(s, n);
	if (s->left && !s->eof && s->n_error < ERROR_BODY_MAX - 1)
		return fill(s);
	s->left = 0;
	reply.body = s->error;
	reply.len = s->n_error;
	return client_http_error(s->client, &reply);
}

static int step(struct barkd_stream *s)
{
	switch (s->stage) {
	case STAGE_HEAD:
		return read_head(s);
	case STAGE_SIZE:
		return read_size(s);
	case STAGE_DATA_END: {
		size_t n;

		if (!line_at(s, &n))
			return fill(s);
		take(s, n);
		s->stage = STAGE_SIZE;
		return 0;
	}
	case STAGE_ERROR_BODY:
		return read_error(s);
	default:
		return fill(s);
	}
}

ssize_t barkd_stream_read(struct barkd_stream *s, void *data, size_t n)
{
	while (s->stage != STAGE_DONE) {
		int r;

		if (s->stage == STAGE_DATA && s->n) {
			n = n < s->n ? n : s->n;
			n = n < s->left ? n : s->left;
			memcpy(data, s->buf, n);
			take(s, n);
			s->left -= n;
			if (!s->left)
				s->stage = STAGE_DATA_END;
			return (ssize_t)n;
		}
		r = step(s);
		if (r == -EAGAIN)
			return r;
		if (r < 0)
			return s->stage == STAGE_ERROR_BODY && !s->left
				       ? r
				       : client_transport_error(s->client, r);
	}
	return 0;
}
