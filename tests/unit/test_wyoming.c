/* SPDX-License-Identifier: MIT */
/* Wyoming's events in pieces, and text that is spoken by whole sentences. */
#include "event.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static void test_pieces(void)
{
	static const char bytes[] =
		"{\"type\":\"a\",\"data\":{\"x\":1,\"y\":1},\"data_length\":7,"
		"\"payload_length\":3}\n{\"y\":2}p\n{"
		"{\"type\":\"b\"}\n";
	const char *name = "wyoming: events byte by byte, payloads left out";
	struct event_reader r = {0};
	struct event e;
	int n = 0;

	for (size_t i = 0; i + 1 < sizeof(bytes); i++) {
		TAP_CHECK(name, event_reader_feed(&r, bytes + i, 1) == 0);
		while (event_reader_next(&r, &e) > 0) {
			TAP_CHECK(name, strcmp(e.type, n ? "b" : "a") == 0);
			TAP_CHECK(name, n || (json_integer_value(json_object_get(
							e.data, "x")) == 1 &&
					      json_integer_value(json_object_get(
							e.data, "y")) == 2));
			event_clear(&e);
			n++;
		}
	}
	TAP_CHECK(name, n == 2);
	event_reader_clear(&r);
	tap_ok(name);
}

static void test_refused(void)
{
	static const char *const wrong[] = {
		"x\n", "[]\n", "{}\n", "{\"type\":1}\n",
		"{\"type\":\"a\",\"data_length\":-1}\n",
		"{\"type\":\"a\",\"data_length\":\"1\"}\n",
		"{\"type\":\"a\",\"data_length\":9999999}\n",
		"{\"type\":\"a\",\"payload_length\":99999999999}\n",
		"{\"type\":\"a\",\"data_length\":2}\n[]",
	};
	const char *name = "wyoming: what is no event ends the connection";
	struct event_reader r = {0};
	struct event e;
	char *line = malloc(EVENT_LINE_MAX + 2);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		event_reader_feed(&r, wrong[i], strlen(wrong[i]));
		TAP_CHECK(name, event_reader_next(&r, &e) < 0);
		event_reader_clear(&r);
	}
	memset(line, ' ', EVENT_LINE_MAX + 1);
	event_reader_feed(&r, line, EVENT_LINE_MAX + 1);
	TAP_CHECK(name, event_reader_next(&r, &e) == -EMSGSIZE);
	event_reader_clear(&r);
	free(line);
	tap_ok(name);
}

static bool next_is(struct text_queue *q, bool all, const char *wanted)
{
	char *got = text_queue_next(q, all);
	bool same = wanted ? got && strcmp(got, wanted) == 0 : !got;

	free(got);
	return same;
}

static void test_sentences(void)
{
	const char *name = "wyoming: streamed text goes on by whole sentences";
	struct text_queue q = {.streamed = true};

	text_queue_add(&q, "Hello there, my fri", 1000);
	TAP_CHECK(name, next_is(&q, false, NULL));
	text_queue_add(&q, "end.", 1000);
	/* It may be 3.5 of something. */
	TAP_CHECK(name, next_is(&q, false, NULL));
	text_queue_add(&q, " How a", 1000);
	TAP_CHECK(name, next_is(&q, false, "Hello there, my friend."));
	text_queue_add(&q, "re you? I am fine! And", 1000);
	TAP_CHECK(name, next_is(&q, false, " How are you? I am fine!"));
	TAP_CHECK(name, next_is(&q, true, " And"));
	TAP_CHECK(name, next_is(&q, true, NULL));
	text_queue_add(&q, "\xe4\xbb\x8a\xe5\xa4\xa9\xe5\xa5\xbd\xe5\x90\x97"
		       "\xe3\x80\x82\xe6\x88\x91", 1000);
	TAP_CHECK(name, next_is(&q, false, "\xe4\xbb\x8a\xe5\xa4\xa9\xe5\xa5\xbd"
				"\xe5\x90\x97\xe3\x80\x82"));
	TAP_CHECK(name, text_queue_add(&q, "0123456789", 12) == -E2BIG);
	text_queue_clear(&q);
	TAP_CHECK(name, q.streamed && next_is(&q, true, NULL));
	tap_ok(name);
}

int main(void)
{
	test_pieces();
	test_refused();
	test_sentences();
	return tap_failed;
}
