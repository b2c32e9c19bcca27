/* SPDX-License-Identifier: MIT */
#include "event.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "1.5.2" /* of the protocol that is spoken */

void event_reader_clear(struct event_reader *r)
{
	free(r->buf);
	*r = (struct event_reader){0};
}

int event_reader_feed(struct event_reader *r, const void *data, size_t n)
{
	size_t skipped = n < r->skip ? n : r->skip;
	size_t room = r->room ? r->room : 4096;

	r->skip -= skipped;
	data = (const char *)data + skipped;
	n -= skipped;
	if (r->n + n > EVENT_LINE_MAX + EVENT_DATA_MAX + 65536)
		return -EMSGSIZE;
	while (room < r->n + n)
		room *= 2;
	if (room != r->room) {
		char *buf = realloc(r->buf, room);

		if (!buf)
			return -ENOMEM;
		r->buf = buf;
		r->room = room;
	}
	if (n)
		memcpy(r->buf + r->n, data, n);
	r->n += n;
	return 0;
}

static int get_length(const json_t *head, const char *name, size_t max,
		      size_t *ret)
{
	const json_t *v = json_object_get(head, name);

	*ret = 0;
	if (!v || json_is_null(v))
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return -EPROTO;
	if ((size_t)json_integer_value(v) > max)
		return -EMSGSIZE;
	*ret = (size_t)json_integer_value(v);
	return 0;
}

/* Data may stand in the line, behind it, or both. */
static json_t *data_of(const json_t *head, const char *more, size_t n)
{
	json_t *inside = json_object_get(head, "data"), *data, *behind = NULL;

	if (n) {
		behind = json_loadb(more, n, 0, NULL);
		if (!json_is_object(behind)) {
			json_decref(behind);
			return NULL;
		}
	}
	data = json_is_object(inside) ? json_copy(inside) : json_object();
	if (data && behind)
		json_object_update(data, behind);
	json_decref(behind);
	return data;
}

static void drop(struct event_reader *r, size_t n)
{
	r->n -= n;
	memmove(r->buf, r->buf + n, r->n);
}

int event_reader_next(struct event_reader *r, struct event *ret)
{
	char *end = r->n ? memchr(r->buf, '\n', r->n) : NULL;
	const char *type;
	size_t n_line, n_data, n_payload;
	json_t *head;
	int e;

	if (!end)
		return r->n > EVENT_LINE_MAX ? -EMSGSIZE : 0;
	n_line = (size_t)(end - r->buf) + 1;
	if (n_line > EVENT_LINE_MAX)
		return -EMSGSIZE;
	head = json_loadb(r->buf, n_line, 0, NULL);
	type = json_string_value(json_object_get(head, "type"));
	e = type ? get_length(head, "data_length", EVENT_DATA_MAX, &n_data)
		 : -EPROTO;
	if (e == 0)
		e = get_length(head, "payload_length", EVENT_PAYLOAD_MAX,
			       &n_payload);
	if (e < 0 || r->n < n_line + n_data) {
		json_decref(head);
		return e;
	}
	ret->type = strdup(type);
	ret->data = data_of(head, r->buf + n_line, n_data);
	json_decref(head);
	drop(r, n_line + n_data);
	/* Sounds are for others. */
	e = (int)(r->n < n_payload);
	r->skip = e ? n_payload - r->n : 0;
	drop(r, e ? r->n : n_payload);
	if (ret->type && ret->data)
		return 1;
	event_clear(ret);
	return -EPROTO;
}

void event_clear(struct event *e)
{
	free(e->type);
	json_decref(e->data);
	*e = (struct event){0};
}

char *event_format(const char *type, json_t *data, size_t n_payload,
		   size_t *ret_n)
{
	char *body = data ? json_dumps(data, JSON_COMPACT) : NULL, *text;
	int n = -1;

	if (!data || body)
		n = asprintf(&text,
			     "{\"type\":\"%s\",\"version\":\"" VERSION
			     "\",\"data_length\":%zu,\"payload_length\":%zu}\n"
			     "%s",
			     type, body ? strlen(body) : 0, n_payload,
			     body ? body : "");
	json_decref(data);
	free(body);
	if (n < 0)
		return NULL;
	*ret_n = (size_t)n;
	return text;
}
