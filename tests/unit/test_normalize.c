/* SPDX-License-Identifier: MIT */
/* A sound's loudness and true peak after barkctl's --normalize. */
#include <ebur128.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "normalize.h"
#include "tap.h"

#define RATE 24000
#define SECONDS 6
#define N (RATE * SECONDS)

static float pcm[N];

static void measure(const float *x, size_t n, double *lufs, double *peak_db)
{
	ebur128_state *m = ebur128_init(1, RATE, EBUR128_MODE_I |
						 EBUR128_MODE_TRUE_PEAK);
	static const float silence[RATE / 10];
	double peak = 0;

	ebur128_add_frames_float(m, x, n);
	ebur128_loudness_global(m, lufs);
	ebur128_add_frames_float(m, silence, RATE / 10);
	ebur128_true_peak(m, 0, &peak);
	*peak_db = 20 * log10(peak);
	ebur128_destroy(&m);
}

/* Harmonics of a voice's pitch in syllables, with a consonant's clicks: peaks
 * some 20 dB above the mean. */
static void fill(double level)
{
	uint32_t state = 1;

	for (size_t i = 0; i < N; i++) {
		const double t = (double)i / RATE, at = fmod(t, 0.25);
		double x = 0;

		for (int k = 1; k <= 20; k++)
			x += cos(2 * M_PI * 110 * k * t) / k;
		x *= exp(-at * 12) * 0.25;
		state = state * 1664525 + 1013904223;
		if (at < 0.002)
			x += (double)(int32_t)state / INT32_MAX;
		pcm[i] = (float)(x * level);
	}
}

static void test_loudness(void)
{
	static const char name[] = "loudness and peaks";
	static const double targets[] = {-36, -23, -19, -16};
	static const double levels[] = {0.01, 0.3, 3};

	for (size_t i = 0; i < 12; i++) {
		const double target = targets[i % 4];
		double lufs, peak;

		fill(levels[i / 4]);
		TAP_CHECK(name, normalize(pcm, N, RATE, target) == 0);
		measure(pcm, N, &lufs, &peak);
		if (fabs(lufs - target) > 0.1 || peak > -0.99) {
			tap_not_ok(name, "%.2f LUFS, %.2f dBTP, not %g",
				   lufs, peak, target);
			return;
		}
	}
	tap_ok(name);
}

/* More than there can be: the ceiling holds. */
static void test_too_loud(void)
{
	static const char name[] = "a ceiling before a loudness";
	double lufs, peak, plain;

	fill(0.3);
	measure(pcm, N, &plain, &peak);
	TAP_CHECK(name, normalize(pcm, N, RATE, -5) == 0);
	measure(pcm, N, &lufs, &peak);
	TAP_CHECK(name, peak <= -0.99 && peak > -1.5);
	TAP_CHECK(name, lufs > plain && lufs < 0);
	tap_ok(name);
}

/* A peak between the samples is one, and the sound away from it is only made
 * louder. */
static void test_between(void)
{
	static const char name[] = "peaks between samples";
	double lufs, peak, ratio = 0;

	for (size_t i = 0; i < N; i++)
		pcm[i] = (float)(0.05 * sin(2 * M_PI * 440 * (double)i / RATE));
	for (size_t i = N / 2; i < N / 2 + 48; i++)
		pcm[i] = i % 4 < 2 ? 0.9f : -0.9f;
	ratio = (double)pcm[1000];
	TAP_CHECK(name, normalize(pcm, N, RATE, -20) == 0);
	measure(pcm, N, &lufs, &peak);
	TAP_CHECK(name, fabs(lufs + 20) < 0.1 && peak <= -0.99);
	ratio = (double)pcm[1000] / ratio;
	TAP_CHECK(name, ratio > 1.2);
	/* 100 ms before the peak nothing is turned down any more. */
	for (size_t i = 1; i < N / 2 - 2400; i++) {
		double was = 0.05 * sin(2 * M_PI * 440 * (double)i / RATE);

		TAP_CHECK(name, fabs((double)pcm[i] - was * ratio) < 1e-4);
	}
	tap_ok(name);
}

static void test_edges(void)
{
	static const char name[] = "silence and short sounds";
	double lufs, peak;

	memset(pcm, 0, sizeof(pcm));
	TAP_CHECK(name, normalize(pcm, 0, RATE, -16) == 0);
	TAP_CHECK(name, normalize(pcm, N, RATE, -16) == 0);
	for (size_t i = 0; i < N; i++)
		TAP_CHECK(name, pcm[i] == 0);
	/* As loud as it would be, went it on. */
	for (size_t i = 0; i < N; i++)
		pcm[i] = (float)(0.01 * sin(2 * M_PI * 1000 * (double)i / RATE));
	TAP_CHECK(name, normalize(pcm, RATE / 10, RATE, -20) == 0);
	for (size_t i = RATE / 10; i < N; i++)
		pcm[i] = pcm[i - RATE / 10];
	measure(pcm, N, &lufs, &peak);
	TAP_CHECK(name, fabs(lufs + 20) < 0.2);
	TAP_CHECK(name, normalize(pcm, 1, RATE, -20) == 0);
	tap_ok(name);
}

int main(void)
{
	test_loudness();
	test_too_loud();
	test_between();
	test_edges();
	return tap_failed;
}
