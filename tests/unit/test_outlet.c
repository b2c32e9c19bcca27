/* SPDX-License-Identifier: MIT */
/* What the sink's callback gets: exact samples, stops, pauses, underruns. */
#include "outlet.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tap.h"

#define RATE 48000
#define FADE (RATE * 5 / 1000)
/* A 200 Hz tone at 0.5 moves by 0.0131 a sample; a fade adds 1/240 of it. */
#define STEP_MAX 0.02f

static float tone(uint64_t i)
{
	return 0.5f * sinf((float)(2 * M_PI * 200 / RATE) *
			   (float)(i % RATE));
}

static void write_tone(struct outlet *o, uint64_t from, size_t n, bool last)
{
	static float x[RATE];

	for (size_t i = 0; i < n; i++)
		x[i] = tone(from + i);
	outlet_write(o, x, n, last);
}

/* Largest step between neighbours, the one before first included. */
static float largest_step(const float *x, size_t n, float before)
{
	float most = 0;

	for (size_t i = 0; i < n; i++) {
		float d = fabsf(x[i] - before);

		most = d > most ? d : most;
		before = x[i];
	}
	return most;
}

static bool silent(const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (x[i] != 0)
			return false;
	return true;
}

static void test_exact(void)
{
	const char *name = "outlet passes samples bit for bit";
	struct outlet *o;
	float x[4096];
	uint64_t got = 0;

	TAP_CHECK(name, outlet_new(&o, 10000) == 0);
	TAP_CHECK(name, outlet_pull(o, x, 100) == 0 && silent(x, 100));
	for (int u = 0; u < 5; u++) {
		outlet_begin(o);
		for (int b = 0; b < 9; b++) {
			size_t n = 100 + (size_t)b * 37;

			write_tone(o, got, n, b == 8);
			while (n) {
				size_t k = n < 64 ? n : 64;

				TAP_CHECK(name, outlet_pull(o, x, k) == k);
				for (size_t i = 0; i < k; i++)
					TAP_CHECK(name, x[i] == tone(got + i));
				got += k;
				n -= k;
			}
		}
		/* The end is no underrun. */
		TAP_CHECK(name, outlet_pull(o, x, 64) == 0 && silent(x, 64));
	}
	TAP_CHECK(name, outlet_underruns(o) == 0);
	TAP_CHECK(name, outlet_read(o) == got);
	outlet_free(o);
	outlet_free(NULL);
	tap_ok(name);
}

static void test_stop(size_t quantum, size_t left, bool follow)
{
	char name[96];
	struct outlet *o;
	float x[8192];
	size_t heard = 0, n;
	uint64_t at;

	snprintf(name, sizeof(name), "outlet stop: quantum %zu, %zu left%s",
		 quantum, left, follow ? ", another follows" : "");
	TAP_CHECK(name, outlet_new(&o, 32768) == 0);
	outlet_begin(o);
	write_tone(o, 0, 3000 + left, false);
	TAP_CHECK(name, outlet_pull(o, x, 3000) == 3000);
	x[0] = x[2999];
	outlet_stop(o);
	at = outlet_written(o);
	TAP_CHECK(name, outlet_read(o) == at);
	if (follow) {
		float mark[1000];

		for (size_t i = 0; i < 1000; i++)
			mark[i] = (float)(i + 1);
		TAP_CHECK(name, outlet_begin(o) == at);
		outlet_write(o, mark, 1000, true);
	}
	for (n = 1; n + quantum < 8192; n += quantum)
		heard += outlet_pull(o, x + n, quantum);
	n--;
	if (follow) {
		size_t first = left < FADE ? left : FADE;

		/* The new one begins right behind the fade, unharmed. */
		TAP_CHECK(name, heard == first + 1000);
		for (size_t i = 0; i < 1000; i++)
			TAP_CHECK(name, x[1 + first + i] == (float)(i + 1));
		TAP_CHECK(name, silent(x + 1 + first + 1000, n - first - 1000));
	} else {
		TAP_CHECK(name, heard <= FADE);
		TAP_CHECK(name, silent(x + 1 + FADE, n - FADE));
		if (left >= FADE)
			TAP_CHECK(name, largest_step(x + 1, n, x[0]) <
					STEP_MAX);
	}
	TAP_CHECK(name, outlet_underruns(o) == 0);
	outlet_free(o);
	tap_ok(name);
}

static void test_pause(void)
{
	const char *name = "outlet pause holds the position";
	struct outlet *o;
	float x[9000];
	bool pulled;
	size_t n;

	TAP_CHECK(name, outlet_new(&o, 32768) == 0);
	outlet_begin(o);
	write_tone(o, 0, 20000, true);
	TAP_CHECK(name, outlet_pull(o, x, 2000) == 2000);
	x[0] = x[1999];
	outlet_pause(o, true);
	for (n = 1; n + 100 < 4000; n += 100)
		outlet_pull(o, x + n, 100);
	TAP_CHECK(name, largest_step(x + 1, n - 1, x[0]) < STEP_MAX);
	TAP_CHECK(name, silent(x + 1 + FADE, n - 1 - FADE));
	TAP_CHECK(name, outlet_read(o) == 2000);
	outlet_until_heard(o, 2000, &pulled);
	TAP_CHECK(name, pulled);
	outlet_until_heard(o, 2001, &pulled);
	TAP_CHECK(name, !pulled);
	TAP_CHECK(name, outlet_underruns(o) == 0);

	outlet_pause(o, false);
	TAP_CHECK(name, outlet_pull(o, x, 3000) == 3000);
	TAP_CHECK(name, largest_step(x, 3000, 0) < STEP_MAX);
	for (size_t i = FADE + 1; i < 3000; i++)
		TAP_CHECK(name, x[i] == tone(2000 + i));

	/* A stop during a pause leaves nothing behind. */
	outlet_pause(o, true);
	outlet_pull(o, x, 50);
	outlet_stop(o);
	outlet_begin(o);
	write_tone(o, 0, 500, true);
	TAP_CHECK(name, outlet_pull(o, x, 1000) <= FADE);
	TAP_CHECK(name, outlet_pull(o, x, 1000) == 0);
	outlet_pause(o, false);
	TAP_CHECK(name, outlet_pull(o, x, 1000) == 500);
	for (size_t i = 0; i < 500; i++)
		TAP_CHECK(name, x[i] == tone(i));
	outlet_free(o);
	tap_ok(name);
}

static void test_underrun(void)
{
	const char *name = "outlet underrun fades and is counted once";
	struct outlet *o;
	float x[20000];
	size_t at;

	TAP_CHECK(name, outlet_new(&o, 32768) == 0);
	outlet_begin(o);
	/* Nothing yet is no underrun. */
	TAP_CHECK(name, outlet_pull(o, x, 500) == 0);
	write_tone(o, 0, 1050, false);
	for (at = 0; at < 3000; at += 100)
		outlet_pull(o, x + at, 100);
	TAP_CHECK(name, outlet_underruns(o) == 1);
	TAP_CHECK(name, largest_step(x, at, 0) < STEP_MAX);
	TAP_CHECK(name, silent(x + 1050 + FADE, at - 1050 - FADE));

	/* A little does not start it again, enough does. */
	write_tone(o, 1050, 1000, false);
	TAP_CHECK(name, outlet_pull(o, x, 500) == 0);
	write_tone(o, 2050, 8000, false);
	TAP_CHECK(name, outlet_pull(o, x, 500) == 500);
	TAP_CHECK(name, largest_step(x, 500, 0) < STEP_MAX);
	for (size_t i = FADE + 1; i < 500; i++)
		TAP_CHECK(name, x[i] == tone(1050 + i));
	outlet_pull(o, x, 15000);
	TAP_CHECK(name, outlet_underruns(o) == 2);

	/* The end of the utterance is always let out. */
	write_tone(o, 10050, 100, true);
	TAP_CHECK(name, outlet_pull(o, x, 500) == 100);
	TAP_CHECK(name, outlet_underruns(o) == 2);
	outlet_free(o);
	tap_ok(name);
}

static void test_heard(void)
{
	const char *name = "outlet tells when a sample is heard";
	struct outlet *o;
	float x[2000];
	bool pulled;
	int64_t until;

	TAP_CHECK(name, outlet_new(&o, 32768) == 0);
	outlet_begin(o);
	TAP_CHECK(name, outlet_first_pull(o) == 0);
	write_tone(o, 0, 1000, true);
	outlet_set_delay(o, 4800);
	outlet_pull(o, x, 600);
	TAP_CHECK(name, outlet_first_pull(o) != 0);
	/* 400 to pull, 4800 away, less what little time has passed. */
	until = outlet_until_heard(o, 1000, &pulled);
	TAP_CHECK(name, !pulled && until <= 5200 && until > 5200 - 2400);
	outlet_pull(o, x, 1000);
	until = outlet_until_heard(o, 1000, &pulled);
	TAP_CHECK(name, pulled && until <= 4200 && until > 4200 - 2400);
	outlet_pull(o, x, 2000);
	until = outlet_until_heard(o, 1000, &pulled);
	TAP_CHECK(name, pulled && until <= 2200 && until > 2200 - 2400);
	/* Another utterance behind it does not change that. */
	outlet_begin(o);
	write_tone(o, 0, 1000, true);
	outlet_pull(o, x, 500);
	until = outlet_until_heard(o, 1000, &pulled);
	TAP_CHECK(name, pulled && until <= 4300);
	outlet_free(o);
	tap_ok(name);
}

static void test_unplug(void)
{
	const char *name = "outlet goes on where it was with another sink";
	struct outlet *o;
	float x[2000];

	TAP_CHECK(name, outlet_new(&o, 32768) == 0);
	outlet_begin(o);
	write_tone(o, 0, 5000, true);
	outlet_pull(o, x, 1000);
	outlet_hold(o, true);
	outlet_unplug(o);
	TAP_CHECK(name, outlet_pull(o, x, 500) == 0);
	outlet_hold(o, false);
	TAP_CHECK(name, outlet_pull(o, x, 1000) == 1000);
	TAP_CHECK(name, fabsf(x[0]) < 0.01f);
	for (size_t i = FADE + 1; i < 1000; i++)
		TAP_CHECK(name, x[i] == tone(1000 + i));
	/* Half a fade, then the sink dies. */
	outlet_stop(o);
	outlet_pull(o, x, 100);
	outlet_unplug(o);
	TAP_CHECK(name, outlet_pull(o, x, 1000) == 0);
	outlet_free(o);
	tap_ok(name);
}

/* --- two threads --- */

struct race {
	struct outlet *o;
	atomic_bool done;
	/* The utterance of which no sample may come any more, but for a fade
	 * that had begun. */
	atomic_uint stopped;
	unsigned failures;
	uint64_t frames;
};

/* The sign of an utterance's samples, which no fade changes. */
static float mark(unsigned u)
{
	return u % 2 ? 0.5f : -0.5f;
}

static void *consumer(void *arg)
{
	struct race *r = arg;
	unsigned seed = 7, old_frames = 0, last_stopped = 0;

	while (!atomic_load(&r->done)) {
		float x[512];
		size_t n = (size_t)rand_r(&seed) % 512 + 1;
		unsigned stopped = atomic_load(&r->stopped);

		if (stopped != last_stopped)
			old_frames = 0;
		last_stopped = stopped;
		outlet_pull(r->o, x, n);
		r->frames += n;
		/* What follows the next one looks like this one. */
		if (atomic_load(&r->stopped) != stopped || !stopped)
			continue;
		for (size_t i = 0; i < n; i++)
			old_frames += x[i] * mark(stopped) > 0;
		if (old_frames > FADE)
			r->failures++;
	}
	return NULL;
}

static void test_race(void)
{
	const char *name = "outlet two threads: what is stopped stays so";
	struct race r = {0};
	pthread_t thread;
	unsigned seed = 3;

	TAP_CHECK(name, outlet_new(&r.o, 8192) == 0);
	TAP_CHECK(name, pthread_create(&thread, NULL, consumer, &r) == 0);
	for (unsigned u = 1; u < 3000; u++) {
		unsigned blocks = (unsigned)rand_r(&seed) % 20 + 1;

		outlet_begin(r.o);
		for (unsigned b = 0; b < blocks; b++) {
			float x[256];
			struct timespec wait = {0, 20000};

			for (size_t i = 0; i < 256; i++)
				x[i] = mark(u);
			for (int t = 0; t < 500 && outlet_space(r.o) < 256;
			     t++)
				nanosleep(&wait, NULL);
			if (outlet_space(r.o) >= 256)
				outlet_write(r.o, x, 256, b + 1 == blocks);
		}
		if (u % 3 == 0)
			outlet_pause(r.o, u % 2);
		outlet_stop(r.o);
		atomic_store(&r.stopped, u);
	}
	atomic_store(&r.done, true);
	pthread_join(thread, NULL);
	TAP_CHECK(name, r.failures == 0);
	TAP_CHECK(name, r.frames > 0);
	outlet_free(r.o);
	tap_ok(name);
}

int main(void)
{
	test_exact();
	for (int follow = 0; follow < 2; follow++) {
		test_stop(64, 5000, follow);
		test_stop(256, 5000, follow);
		test_stop(1024, 5000, follow);
		test_stop(1, 300, follow);
		test_stop(64, 100, follow);
		test_stop(64, 1, follow);
		test_stop(64, 0, follow);
	}
	test_pause();
	test_underrun();
	test_heard();
	test_unplug();
	test_race();
	return tap_failed;
}
