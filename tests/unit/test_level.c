/* SPDX-License-Identifier: MIT */
/* A loud and a soft sentence come out alike, slowly, and the same however
 * their samples are split. */
#include "level.h"

#include <ebur128.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define RATE 24000
#define N (RATE * 4)

/* Syllables of noise, four a second, of the given amplitude. */
static void syllables(float *x, size_t n, double amplitude)
{
	srand(1);
	for (size_t i = 0; i < n; i++) {
		double swell = sin(3.14159265 * (double)(i % 6000) / 6000);

		x[i] = (float)(amplitude * swell *
			       ((double)rand() / RAND_MAX * 2 - 1));
	}
}

static double loudness(const float *x, size_t n)
{
	ebur128_state *e = ebur128_init(1, RATE, EBUR128_MODE_I);
	double lufs;

	if (!e || ebur128_add_frames_float(e, x, n) != 0 ||
	    ebur128_loudness_global(e, &lufs) != 0)
		abort();
	ebur128_destroy(&e);
	return lufs;
}

static void syllables_of(float *x, double lufs)
{
	syllables(x, N, 0.1);
	syllables(x, N, 0.1 * pow(10, (lufs - loudness(x, N)) / 20));
}

/* Syllables of a loudness, levelled to -23 LUFS, and how loud they are. */
static double levelled(float *x, double lufs)
{
	struct bark_level l;

	syllables_of(x, lufs);
	bark_level_init(&l, RATE, -23);
	bark_level_apply(&l, x, N);
	return loudness(x, N);
}

static void test_alike(void)
{
	const char *name = "sentences come out alike";
	static float x[N];
	struct bark_level l;

	for (int lufs = -26; lufs <= -20; lufs++) {
		double was = fabs(lufs + 23.0), is = levelled(x, lufs) + 23;

		TAP_CHECK(name, fabs(is) < 0.4 + was / 3);
	}
	/* In the long run exactly so: its meter is the standard's. */
	bark_level_init(&l, RATE, -23);
	for (int i = 0; i < 5; i++) {
		syllables(x, N, 0.15);
		bark_level_apply(&l, x, N);
	}
	TAP_CHECK(name, fabs(loudness(x, N) + 22.8) < 0.1);
	tap_ok(name);
}

static void test_bounds(void)
{
	const char *name = "the gain is slow and bounded";
	static float x[N], y[N];
	struct bark_level l;

	for (int lufs = -60; lufs <= -3; lufs += 57) {
		double last = 0;

		syllables_of(x, lufs);
		memcpy(y, x, sizeof(x));
		bark_level_init(&l, RATE, -23);
		bark_level_apply(&l, y, N);
		/* The gain is the ratio; the first is that of 125 ms. */
		for (size_t i = 3000; i < N; i += 480) {
			double db = x[i] != 0 ?
				20 * log10((double)(y[i] / x[i])) : last;

			TAP_CHECK(name, fabs(db) < 6.01);
			TAP_CHECK(name, fabs(db - last) < 0.081 + 0.12 *
							(i == 3000));
			last = db;
		}
		/* A voice so soft is a pause, and is left. */
		TAP_CHECK(name, lufs < -33 ? fabs(last) < 0.21
					   : fabs(last + 6) < 0.01);
	}
	tap_ok(name);
}

static void test_any_split(void)
{
	const char *name = "samples are the same in any split, and again";
	static float x[N], y[N];
	struct bark_level l;

	levelled(x, -20);
	syllables(y, N, 0.1);
	bark_level_init(&l, RATE, -23);
	bark_level_apply(&l, y, N / 3);
	bark_level_reset(&l);
	syllables_of(y, -20);
	for (size_t at = 0; at < N;) {
		size_t n = (size_t)rand() % 1500;

		n = n < N - at ? n : N - at;
		bark_level_apply(&l, y + at, n);
		at += n;
	}
	TAP_CHECK(name, memcmp(x, y, sizeof(x)) == 0);
	tap_ok(name);
}

int main(void)
{
	test_alike();
	test_bounds();
	test_any_split();
	return tap_failed;
}
