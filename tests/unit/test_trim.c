/* SPDX-License-Identifier: MIT */
/* An utterance begins with its first sound and ends soon behind its last,
 * however its samples are split; what lies between is untouched. */
#include "trim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define RATE 24000
#define MS (RATE / 1000)
#define MOST 4800

/* n samples of noise of the given peak, dBFS. */
static void noise(float *x, size_t n, double db)
{
	double a = pow(10, db / 20);

	for (size_t i = 0; i < n; i++)
		x[i] = (float)(a * ((double)rand() / RAND_MAX * 2 - 1));
}

struct part {
	size_t ms;
	double db;
};

/* Parts of noise one after another; returns the samples. */
static size_t compose(float *x, const struct part *parts, size_t n)
{
	size_t at = 0;

	srand(3);
	for (size_t i = 0; i < n; i++) {
		noise(x + at, parts[i].ms * MS, parts[i].db);
		at += parts[i].ms * MS;
	}
	return at;
}

/* What comes out of x fed in pieces; from `may_end` on its end may be near. */
static size_t trim(float *out, const float *x, size_t n, double loudness,
		   size_t piece, size_t may_end)
{
	struct bark_trim t;
	const float *got;
	size_t n_out = 0, k;

	if (bark_trim_init(&t, RATE, loudness, MOST) < 0)
		abort();
	bark_trim_reset(&t);
	for (size_t at = 0; at < n; at += k) {
		size_t n_got;

		k = n - at < piece ? n - at : piece;
		got = bark_trim_feed(&t, x + at, k, at >= may_end, &n_got);
		memcpy(out + n_out, got, n_got * sizeof(*out));
		n_out += n_got;
	}
	got = bark_trim_end(&t, &k);
	memcpy(out + n_out, got, k * sizeof(*out));
	bark_trim_clear(&t);
	return n_out + k;
}

static size_t run(float *out, const struct part *parts, size_t n_parts,
		  double loudness)
{
	static float x[RATE * 8];
	size_t n = compose(x, parts, n_parts);

	return trim(out, x, n, loudness, 777, 0);
}

static size_t all_ms(const struct part *parts, size_t n)
{
	size_t ms = 0;

	for (size_t i = 0; i < n; i++)
		ms += parts[i].ms;
	return ms;
}

#define N(parts) (sizeof(parts) / sizeof((parts)[0]))

static float out[RATE * 8];

/* Whether what came out of parts[] has lost that much, to 5 ms. */
static int lost(const struct part *parts, size_t n, double loudness,
		size_t ms)
{
	size_t got = run(out, parts, n, loudness) / MS, all = all_ms(parts, n);

	if (all - got + 5 < ms || all - got > ms + 5)
		printf("# %zu of %zu ms came out\n", got, all);
	return all - got + 5 >= ms && all - got <= ms + 5;
}

static void test_ends(void)
{
	const char *name = "silence at both ends is dropped";
	const struct part voice[] = {{90, -75}, {400, -10}, {400, -75}};
	const struct part at_once[] = {{400, -10}, {100, -75}};
	const struct part noisy[] = {{300, -52}, {400, -10}, {400, -52}};
	const struct part soft[] = {{90, -75}, {60, -44}, {300, -10}};

	for (int known = 0; known < 2; known++) {
		double loudness = known ? -23 : 0;

		TAP_CHECK(name, lost(voice, N(voice), loudness, 90 + 250));
		TAP_CHECK(name, lost(at_once, N(at_once), loudness, 0));
		TAP_CHECK(name, lost(noisy, N(noisy), loudness, 300 + 250));
		TAP_CHECK(name, lost(soft, N(soft), loudness, 90));
	}
	tap_ok(name);
}

static void test_quiet_voice(void)
{
	const char *name = "a voice of an unknown level may be quiet";
	const struct part quiet[] = {{200, -75}, {400, -48}, {400, -85}};
	const struct part none[] = {{500, -75}};

	TAP_CHECK(name, lost(quiet, N(quiet), 0, 200 + 250));
	/* Where nothing is sound, something must come all the same. */
	TAP_CHECK(name, run(out, none, N(none), 0) > 0);
	tap_ok(name);
}

static void test_between(void)
{
	const char *name = "what lies between is untouched";
	const struct part parts[] = {{90, -75}, {200, -10}, {600, -75},
				     {300, -10}, {50, -75}};
	static float x[RATE * 8];
	size_t n = compose(x, parts, N(parts)), got;
	size_t late = n;

	got = trim(out, x, n, -23, 480, 0);
	TAP_CHECK(name, n - got <= 90 * MS && n - got >= 85 * MS);
	/* Behind the block that is faded in. */
	TAP_CHECK(name, !memcmp(out + 3 * MS, x + n - got + 3 * MS,
				(got - 3 * MS) * sizeof(*x)));
	/* Silence that cannot be the end is not held back. */
	TAP_CHECK(name, trim(out, x, 700 * MS, -23, 480, late) >= 605 * MS);
	TAP_CHECK(name, trim(out, x, 700 * MS, -23, 480, 0) <= 355 * MS);
	tap_ok(name);
}

static void test_no_click(void)
{
	const char *name = "where noise is cut it fades";
	const struct part noisy[] = {{300, -50}, {400, -10}, {400, -42}};
	size_t n = run(out, noisy, N(noisy), -23);

	TAP_CHECK(name, fabsf(out[0]) < 1e-4f);
	TAP_CHECK(name, fabsf(out[n - 1]) < 1e-4f);
	tap_ok(name);
}

static void test_split(void)
{
	const char *name = "any split gives the same";
	const struct part parts[] = {{90, -60}, {20, -46}, {400, -10},
				     {1400, -70}, {200, -12}, {700, -60}};
	static float x[RATE * 8], other[RATE * 8];
	size_t n = compose(x, parts, N(parts));
	size_t want = trim(out, x, n, 0, MOST, 0);

	for (size_t piece = 1; piece < MOST; piece = piece * 3 + 1) {
		size_t got = trim(other, x, n, 0, piece, 0);

		TAP_CHECK(name, got == want);
		TAP_CHECK(name, !memcmp(out, other, want * sizeof(*out)));
	}
	tap_ok(name);
}

int main(void)
{
	test_ends();
	test_quiet_voice();
	test_between();
	test_no_click();
	test_split();
	return tap_failed;
}
