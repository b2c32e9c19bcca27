/* SPDX-License-Identifier: MIT */
/* Encoding in the loop: whole, paused, and when the program cannot go on. */
#include "encoding.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>

#include "tap.h"

#define BLOCK 4800 /* 0.2 s */
#define BLOCKS 10
#define TURNS_MAX 50 /* of the loop, while nothing can be done */

struct seen {
	size_t bytes;
	unsigned dones, rooms;
	int error, refuse;
	unsigned char first[4];
};

static int on_output(void *data, const void *bytes, size_t n)
{
	struct seen *s = data;

	if (s->bytes == 0 && n >= sizeof(s->first))
		memcpy(s->first, bytes, sizeof(s->first));
	s->bytes += n;
	return s->refuse;
}

static void on_room(void *data)
{
	struct seen *s = data;

	s->rooms++;
}

static void on_done(void *data, int error)
{
	struct seen *s = data;

	s->dones++;
	s->error = error;
}

static const struct encoding_handler handler = {on_output, on_room, on_done};

/* Runs the loop until it has nothing to do for 300 ms; its turns. */
static unsigned settle(sd_event *event, const struct seen *s)
{
	unsigned turns = 0;

	while (!s->dones && turns < 100000 && sd_event_run(event, 300000) > 0)
		turns++;
	return turns;
}

static int feed(struct encoding *e)
{
	float pcm[BLOCK];
	int r = 0;

	for (int b = 0; r == 0 && b < BLOCKS; b++) {
		for (int i = 0; i < BLOCK; i++)
			pcm[i] = .3f * sinf((float)(b * BLOCK + i) * .05f);
		r = encoding_feed(e, pcm, BLOCK);
	}
	return r;
}

/* A started encoding, or false where the program is not to be had. */
static bool start(const char *name, sd_event *event, struct seen *s,
		  struct encoding **ret)
{
	int r = encoding_new(ret, event, 0, ENCODER_MP3, 0, &handler, s);

	if (r == 0)
		return true;
	if (r == -ENOENT || r == -ENOSYS)
		tap_skip(name, "there is no barkd-encode, or no MP3");
	else
		tap_not_ok(name, "%s", strerror(-r));
	return false;
}

static void test_here(sd_event *event)
{
	const char *name = "encoding: WAV is made at once";
	struct seen s = {0};
	struct encoding *e;

	TAP_CHECK(name, encoding_new(&e, event, 0, ENCODER_WAV, 0, &handler,
				     &s) == 0);
	TAP_CHECK(name, feed(e) == 0 && encoding_finish(e) == 1);
	TAP_CHECK(name, s.bytes == 44 + 2 * BLOCK * BLOCKS && !s.dones);
	TAP_CHECK(name, memcmp(s.first, "RIFF", 4) == 0);
	encoding_free(e);
	tap_ok(name);
}

static void test_whole(sd_event *event)
{
	const char *name = "encoding: MP3 comes whole, once";
	struct seen s = {0};
	struct encoding *e;

	if (!start(name, event, &s, &e))
		return;
	TAP_CHECK(name, feed(e) == 0 && encoding_finish(e) == 0);
	settle(event, &s);
	TAP_CHECK(name, s.dones == 1 && s.error == 0);
	/* 64 kbit/s. */
	TAP_CHECK(name, s.bytes > 14000 && s.bytes < 20000);
	encoding_free(e);
	tap_ok(name);
}

static void test_paused(sd_event *event)
{
	const char *name = "encoding: one that is paused costs nothing";
	struct seen s = {0};
	struct encoding *e;

	if (!start(name, event, &s, &e))
		return;
	encoding_pause(e, true);
	TAP_CHECK(name, feed(e) == 0 && encoding_finish(e) == 0);
	/* The program ends meanwhile. */
	TAP_CHECK(name, settle(event, &s) < TURNS_MAX);
	TAP_CHECK(name, s.bytes == 0 && !s.dones);
	encoding_pause(e, false);
	settle(event, &s);
	TAP_CHECK(name, s.dones == 1 && s.error == 0 && s.bytes > 14000);
	encoding_free(e);
	tap_ok(name);
}

static void test_refused(sd_event *event)
{
	const char *name = "encoding: a refused output ends it with its error";
	struct seen s = {.refuse = -EPIPE};
	struct encoding *e;

	if (!start(name, event, &s, &e))
		return;
	TAP_CHECK(name, feed(e) == 0 && encoding_finish(e) == 0);
	settle(event, &s);
	TAP_CHECK(name, s.dones == 1 && s.error == -EPIPE);
	encoding_free(e);
	tap_ok(name);
}

static void test_room(sd_event *event)
{
	const char *name = "encoding: more than there is room for is refused";
	float pcm[BLOCK] = {0};
	struct seen s = {0};
	struct encoding *e;
	size_t n = 0;

	if (!start(name, event, &s, &e))
		return;
	while (encoding_room(e, BLOCK) >= BLOCK && n < 10000 &&
	       encoding_feed(e, pcm, BLOCK) == 0)
		n++;
	TAP_CHECK(name, n < 10000 && encoding_feed(e, pcm, BLOCK) == -ENOBUFS);
	while (!s.rooms && sd_event_run(event, 1000000) > 0)
		;
	TAP_CHECK(name, s.rooms == 1 && encoding_feed(e, pcm, BLOCK) == 0);
	encoding_free(e);
	tap_ok(name);
}

int main(void)
{
	sigset_t child;
	sd_event *event;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	if (sd_event_new(&event) < 0)
		return 1;
	test_here(event);
	test_whole(event);
	test_paused(event);
	test_refused(event);
	test_room(event);
	sd_event_unref(event);
	return tap_failed;
}
