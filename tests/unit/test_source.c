/* SPDX-License-Identifier: MIT */
/* Sound that comes in pieces is read as one, and more is asked for in time. */
#include "source.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>

#include "tap.h"

#define RATE 100u

static unsigned asked;

static void on_hungry(void *data)
{
	asked++;
}

static struct source *pieces(void)
{
	asked = 0;
	return source_of_pieces(RATE, on_hungry, NULL);
}

static void add(struct source *s, int value, size_t n, size_t begin, size_t end)
{
	struct sound *sound = sound_new(RATE, n);

	for (size_t i = 0; i < n; i++)
		sound->pcm[i] = (int16_t)value;
	source_add(s, sound, begin, end);
	sound_unref(sound);
}

static bool readable(const struct source *s)
{
	struct pollfd p = {.fd = source_fd(s), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static bool event_is(struct source *s, enum bark_event_type type,
		     uint64_t sample, size_t begin, size_t end)
{
	struct bark_event e;

	return source_event(s, &e) == 1 && e.type == type &&
	       e.sample == sample && e.text_begin == begin && e.text_end == end;
}

static void test_reading(void)
{
	static const char name[] = "source: pieces are read as one sound";
	struct source *s = pieces();
	struct bark_event e;
	float pcm[1000];

	TAP_CHECK(name, s && !readable(s));
	TAP_CHECK(name, source_read(s, pcm, 10) == -EAGAIN && asked == 1);
	add(s, 16384, 30, 0, 5);
	TAP_CHECK(name, readable(s) && asked == 2);
	add(s, -16384, 500, 5, 9);
	/* There is enough. */
	TAP_CHECK(name, asked == 2);
	TAP_CHECK(name, source_read(s, pcm, 40) == 40 && asked == 2);
	TAP_CHECK(name, pcm[29] == .5f && pcm[30] == -.5f);
	TAP_CHECK(name, event_is(s, BARK_EVENT_SEGMENT_BEGIN, 0, 0, 5));
	TAP_CHECK(name, event_is(s, BARK_EVENT_SEGMENT_END, 30, 0, 5));
	TAP_CHECK(name, event_is(s, BARK_EVENT_SEGMENT_BEGIN, 30, 5, 9));
	TAP_CHECK(name, event_is(s, BARK_EVENT_SEGMENT_END, 530, 5, 9));
	TAP_CHECK(name, source_event(s, &e) == 0);
	TAP_CHECK(name, source_read(s, pcm, 1000) == 490 && asked == 3);
	TAP_CHECK(name, !readable(s));
	TAP_CHECK(name, source_read(s, pcm, 10) == -EAGAIN && asked == 4);
	source_end(s, 0);
	TAP_CHECK(name, readable(s) && source_read(s, pcm, 10) == 0);
	TAP_CHECK(name, event_is(s, BARK_EVENT_END, 530, 0, 9) && asked == 4);
	TAP_CHECK(name, !source_recorded(s));
	source_free(s);
	tap_ok(name);
}

static void test_broken(void)
{
	static const char name[] = "source: what breaks off says so";
	struct source *s = pieces();
	struct bark_event e = {0};
	float pcm[10];

	add(s, 1, 5, 0, 5);
	source_end(s, -EIO);
	TAP_CHECK(name, source_read(s, pcm, 10) == 5);
	TAP_CHECK(name, source_read(s, pcm, 10) == 0);
	while (e.type != BARK_EVENT_ERROR && source_event(s, &e))
		;
	TAP_CHECK(name, e.type == BARK_EVENT_ERROR && e.error == -EIO);
	source_free(s);
	/* Left in the middle. */
	s = pieces();
	add(s, 1, 5, 0, 5);
	source_free(s);
	source_free(NULL);
	tap_ok(name);
}

int main(void)
{
	test_reading();
	test_broken();
	return tap_failed;
}
