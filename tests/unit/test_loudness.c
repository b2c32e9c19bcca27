/* SPDX-License-Identifier: MIT */
/* A voice's loudness is learnt from its utterances and from nothing else. */
#include "loudness.h"

#include <math.h>
#include <stdlib.h>

#include "tap.h"

#define RATE 24000

/* White noise; its loudness is the same whatever its length. */
static void speak(struct loudness *l, const char *voice, double amplitude,
		  double seconds)
{
	static float x[RATE * 4];
	size_t n = (size_t)(RATE * seconds);

	for (size_t i = 0; i < n; i++)
		x[i] = (float)(amplitude *
			       ((double)rand() / RAND_MAX * 2 - 1));
	loudness_begin(l, voice);
	for (size_t i = 0; i < n; i += 480)
		loudness_add(l, x + i, n - i < 480 ? n - i : 480);
	loudness_end(l);
}

static double db(double factor)
{
	return 20 * log10(factor);
}

static void test_learns(void)
{
	const char *name = "loudness is learnt for each voice";
	struct loudness *l;
	double a, b;

	TAP_CHECK(name, loudness_new(&l, RATE) == 0);
	TAP_CHECK(name, loudness_gain(l, "a", -20) == 1);
	speak(l, "a", 0.1, 2);
	a = loudness_gain(l, "a", -20);
	TAP_CHECK(name, a != 1);
	/* Ten times as loud: 20 dB less gain. */
	speak(l, "b", 0.3, 2);
	b = loudness_gain(l, "b", -20);
	TAP_CHECK(name, fabs(db(a) - db(b) - db(3)) < 0.3);
	/* The target counts fully. */
	TAP_CHECK(name,
		  fabs(db(loudness_gain(l, "a", -23)) - db(a) + 3) < 1e-6);
	/* At -20 LUFS it stays there. */
	speak(l, "c", 0.1 * a, 2);
	TAP_CHECK(name, fabs(db(loudness_gain(l, "c", -20))) < 0.3);
	loudness_free(l);
	loudness_free(NULL);
	tap_ok(name);
}

static void test_careful(void)
{
	const char *name = "loudness is not misled";
	struct loudness *l;
	double before, after;

	TAP_CHECK(name, loudness_new(&l, RATE) == 0);
	/* Too short, silent, without an end, without a beginning. */
	speak(l, "a", 0.1, 0.3);
	speak(l, "a", 0, 2);
	loudness_begin(l, "a");
	loudness_end(l);
	loudness_end(l);
	TAP_CHECK(name, loudness_gain(l, "a", -20) == 1);
	/* One odd utterance moves it by less than a third. */
	speak(l, "a", 0.1, 2);
	before = db(loudness_gain(l, "a", -20));
	speak(l, "a", 0.4, 2);
	after = db(loudness_gain(l, "a", -20));
	TAP_CHECK(name, fabs(after - before) < db(4) / 3);
	/* Bounded, and many voices do not grow it. */
	for (int i = 0; i < 200; i++) {
		char voice[16];

		snprintf(voice, sizeof(voice), "v%d", i);
		speak(l, voice, 0.0005, 1);
		TAP_CHECK(name,
			  fabs(db(loudness_gain(l, voice, -10)) - 20) < 1e-6);
	}
	TAP_CHECK(name, loudness_gain(l, "v3", -10) == 1);
	loudness_free(l);
	tap_ok(name);
}

int main(void)
{
	test_learns();
	test_careful();
	return tap_failed;
}
