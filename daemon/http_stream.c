/* SPDX-License-Identifier: MIT */
/*
 * Answers that come bit by bit: a store that the handler fills and from which
 * libmicrohttpd takes when the client's socket has room. While the store is
 * empty the connection is suspended.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http_private.h"

/* libmicrohttpd takes at most so much at a time. */
#define BLOCK_BYTES 16384

static size_t fill(const struct http_stream *t)
{
	return t->end - t->begin;
}

/* libmicrohttpd's reader: at most max bytes, 0 with the connection suspended
 * when there are none. */
static ssize_t on_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct http_request *req = cls;
	struct http_stream *t = &req->stream;
	size_t n = fill(t);

	if (req->gone)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (n == 0 && t->ended)
		return t->broken ? MHD_CONTENT_READER_END_WITH_ERROR
				 : MHD_CONTENT_READER_END_OF_STREAM;
	n = n < max ? n : max;
	memcpy(buf, t->buf + t->begin, n);
	t->begin += n;
	if (t->thirsty && fill(t) <= t->room / 2) {
		t->thirsty = false;
		/* May write, and even end the stream. */
		req->watch->drained(req->data, req);
	}
	if (n == 0 && fill(t) == 0 && !t->ended)
		http_suspend(req);
	else if (n == 0)
		http_again(req->server);
	return (ssize_t)n;
}

int http_stream_begin(struct http_request *req, unsigned status,
		      const char *type, size_t room)
{
	struct MHD_Response *response;

	req->stream = (struct http_stream){.buf = malloc(room), .room = room};
	if (!req->stream.buf)
		return -ENOMEM;
	response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, BLOCK_BYTES, on_read, req, NULL);
	if (!response) {
		free(req->stream.buf);
		req->stream.buf = NULL;
		return -ENOMEM;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	http_enter(req->client, HTTP_STREAMING);
	http_answer(req, status, response);
	return 0;
}

size_t http_stream_room(const struct http_request *req)
{
	return req->stream.room - fill(&req->stream);
}

int http_stream_write(struct http_request *req, const void *data, size_t n)
{
	struct http_stream *t = &req->stream;

	if (n > http_stream_room(req)) {
		http_stream_wait(req);
		return -ENOBUFS;
	}
	if (n > t->room - t->end) {
		memmove(t->buf, t->buf + t->begin, fill(t));
		t->end -= t->begin;
		t->begin = 0;
	}
	memcpy(t->buf + t->end, data, n);
	t->end += n;
	http_wake(req);
	return 0;
}

void http_stream_wait(struct http_request *req)
{
	req->stream.thirsty = req->watch && req->watch->drained;
}

void http_stream_end(struct http_request *req, bool broken)
{
	req->stream.ended = true;
	req->stream.broken = broken;
	req->stream.thirsty = false;
	http_release(req);
	http_wake(req);
}
