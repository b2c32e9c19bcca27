/* SPDX-License-Identifier: MIT */
/* The limiter and the chain: exact when idle, never too loud, aligned. */
#include "chain.h"
#include "limiter.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define N 48000

static float noise(void)
{
	return (float)rand() / (float)RAND_MAX * 2 - 1;
}

/* Speech-like: harmonics that swell and fade, quiet at both ends. */
static void make_sound(float *x, size_t n, unsigned rate, float peak)
{
	for (size_t i = 0; i < n; i++) {
		double t = (double)i / rate, s = 0;
		double env = sin(M_PI * (double)i / (double)n);

		for (int h = 1; h < 12; h++)
			s += sin(2 * M_PI * (110 + 20 * sin(3 * t)) * h * t) /
			     h;
		x[i] = (float)(s * env * peak / 2);
	}
}

static double correlation(const float *a, const float *b, size_t n)
{
	double ab = 0, aa = 0, bb = 0;

	for (size_t i = 0; i < n; i++) {
		ab += (double)a[i] * b[i];
		aa += (double)a[i] * a[i];
		bb += (double)b[i] * b[i];
	}
	return ab / sqrt(aa * bb + 1e-30);
}

static void test_limiter_idle(void)
{
	const char *name = "limiter passes quiet sound bit for bit";
	static float in[N], out[N];
	struct limiter *l;
	size_t n = 0;

	for (size_t i = 0; i < N; i++)
		in[i] = noise() * LIMITER_CEILING;
	TAP_CHECK(name, limiter_new(&l, 48000) == 0);
	for (size_t i = 0; i < N; i += 100)
		n += limiter_process(l, in + i, 100, out + n);
	TAP_CHECK(name, n + limiter_reach(l) - 1 == N);
	n += limiter_flush(l, out + n);
	TAP_CHECK(name, n == N);
	TAP_CHECK(name, memcmp(in, out, sizeof(in)) == 0);

	/* Also shorter than the reach, and after a flush. */
	n = limiter_process(l, in, 7, out);
	TAP_CHECK(name, n == 0);
	TAP_CHECK(name, limiter_flush(l, out) == 7);
	TAP_CHECK(name, memcmp(in, out, 7 * sizeof(*in)) == 0);
	TAP_CHECK(name, limiter_flush(l, out) == 0);
	limiter_free(l);
	limiter_free(NULL);
	tap_ok(name);
}

static void test_limiter_loud(void)
{
	const char *name = "limiter keeps peaks below -1 dBFS";
	static const unsigned rates[] = {8000, 24000, 44100, 48000, 192000};
	static float in[N], out[N];

	for (size_t r = 0; r < 5; r++) {
		struct limiter *l;
		size_t n = 0;

		for (size_t i = 0; i < N; i++) {
			in[i] = noise() * 0.5f;
			if (rand() % 500 == 0)
				in[i] = noise() * 50;
			if (i > N / 2 && i < N / 2 + 4000)
				in[i] = noise() * 8;
		}
		TAP_CHECK(name, limiter_new(&l, rates[r]) == 0);
		for (size_t fed = 0; fed < N;) {
			size_t k = (size_t)rand() % 333 + 1;

			k = k < N - fed ? k : N - fed;
			n += limiter_process(l, in + fed, k, out + n);
			fed += k;
		}
		n += limiter_flush(l, out + n);
		TAP_CHECK(name, n == N);
		for (size_t i = 0; i < N; i++) {
			TAP_CHECK(name, fabsf(out[i]) <= 0.8912509f);
			/* It turns down, it does not distort or invert. */
			TAP_CHECK(name, in[i] * out[i] >= 0);
			TAP_CHECK(name, fabsf(out[i]) <= fabsf(in[i]) + 1e-6f);
		}
		limiter_free(l);
	}
	tap_ok(name);
}

static void test_limiter_release(void)
{
	const char *name = "limiter is transparent again after a peak";
	static float in[N], out[N];
	struct limiter *l;
	size_t n;

	for (size_t i = 0; i < N; i++)
		in[i] = noise() * 0.3f;
	in[1000] = 3;
	TAP_CHECK(name, limiter_new(&l, 24000) == 0);
	n = limiter_process(l, in, N, out);
	n += limiter_flush(l, out + n);
	TAP_CHECK(name, n == N);
	/* Unchanged before its reach and a second after. */
	TAP_CHECK(name, memcmp(in, out, 800 * sizeof(*in)) == 0);
	TAP_CHECK(name, memcmp(in + 25000, out + 25000,
			       (N - 25000) * sizeof(*in)) == 0);
	TAP_CHECK(name, fabsf(out[1000]) < 0.8912509f);
	TAP_CHECK(name, fabsf(out[1000]) > 0.85f);
	limiter_free(l);
	tap_ok(name);
}

/* Feeds in blocks, gathers everything; returns the number of samples. */
static size_t through(struct chain *c, const struct chain_utterance *u,
		      const float *in, size_t n, float *out, size_t room,
		      size_t block)
{
	struct chain_out o;
	size_t got = 0;

	if (chain_begin(c, u) < 0)
		return 0;
	for (size_t i = 0; i <= n; i += block) {
		size_t k = n - i < block ? n - i : block;
		int r = i == n || k == 0 ? 0 : chain_feed(c, in + i, k, &o);

		if (r < 0)
			return 0;
		if (k == 0)
			break;
		if (got + o.n > room)
			return 0;
		memcpy(out + got, o.pcm, o.n * sizeof(*out));
		got += o.n;
	}
	if (chain_finish(c, &o) < 0 || got + o.n > room)
		return 0;
	memcpy(out + got, o.pcm, o.n * sizeof(*out));
	return got + o.n;
}

static const struct chain_utterance plain = {1, 1, 1};

static void test_exact(void)
{
	const char *name = "chain with nothing to do passes bit for bit";
	static float in[N], out[2 * N];
	struct chain *c;

	make_sound(in, N, 24000, 0.7f);
	TAP_CHECK(name, chain_new(&c, 24000, 24000, 1) == 0);
	for (size_t block = 1; block < N; block *= 7) {
		TAP_CHECK(name, through(c, &plain, in, N, out, 2 * N, block) ==
				N);
		TAP_CHECK(name, memcmp(in, out, sizeof(in)) == 0);
	}
	chain_free(c);
	chain_free(NULL);
	tap_ok(name);
}

static void test_resampled(void)
{
	const char *name = "chain resamples aligned, the same for any blocks";
	static float in[N], whole[9 * N], out[9 * N], back[2 * N];
	static const unsigned rates[] = {16000, 44100, 48000};
	struct chain *c, *d;

	make_sound(in, N, 24000, 0.6f);
	for (size_t r = 0; r < 3; r++) {
		for (int q = 0; q < 3; q++) {
			size_t n, m;

			TAP_CHECK(name,
				  chain_new(&c, 24000, rates[r], q) == 0);
			n = through(c, &plain, in, N, whole, 9 * N, N);
			TAP_CHECK(name, llabs((long long)n -
				  (long long)N * rates[r] / 24000) <= 1);
			m = through(c, &plain, in, N, out, 9 * N, 480);
			TAP_CHECK(name, m == n);
			TAP_CHECK(name, memcmp(whole, out,
					       n * sizeof(*out)) == 0);
			chain_free(c);

			/* There and back again is the same, in place. */
			TAP_CHECK(name,
				  chain_new(&d, rates[r], 24000, 2) == 0);
			m = through(d, &plain, out, n, back, 2 * N, 1000);
			TAP_CHECK(name, m >= N - 4);
			TAP_CHECK(name, correlation(in, back, N - 4) > 0.995);
			chain_free(d);
		}
	}
	tap_ok(name);
}

static void test_speed(void)
{
	const char *name = "chain changes speed and pitch";
	static float in[N], out[9 * N];
	static const double rates[] = {0.25, 0.5, 1.3, 2, 6};
	struct chain *c;

	make_sound(in, N, 24000, 0.5f);
	TAP_CHECK(name, chain_new(&c, 24000, 48000, 0) == 0);
	for (size_t i = 0; i < 5; i++) {
		struct chain_utterance u = {rates[i], 1, 1};
		double want = 2 * N / rates[i];
		size_t n = through(c, &u, in, N, out, 9 * N, 480);

		TAP_CHECK(name, fabs((double)n - want) < 0.05 * want + 2000);
		u = (struct chain_utterance){1, rates[i] > 4 ? 4 : rates[i], 1};
		n = through(c, &u, in, N, out, 9 * N, 480);
		TAP_CHECK(name, fabs((double)n - 2 * N) < 0.05 * 2 * N + 4000);
	}
	/* Full-scale input must not wrap around in libsonic's 16 bits. */
	for (size_t i = 0; i < N; i++)
		in[i] = 1.5f;
	TAP_CHECK(name, through(c, &(struct chain_utterance){2, 1, 1}, in, N,
				out, 9 * N, 480) > 0);
	for (size_t i = 2000; i < 40000; i++)
		TAP_CHECK(name, out[i] > 0.5f);
	chain_free(c);
	tap_ok(name);
}

static void test_loud(void)
{
	const char *name = "chain never passes -1 dBFS, whatever comes in";
	static float in[N], out[9 * N];
	static const unsigned rates[] = {24000, 44100, 48000};
	struct chain *c;

	for (size_t i = 0; i < N; i++)
		in[i] = rand() % 50 ? (rand() % 2 ? 1.0f : -1.0f) : noise();
	in[100] = NAN;
	in[200] = INFINITY;
	in[300] = -INFINITY;
	for (size_t r = 0; r < 3; r++) {
		struct chain_utterance u = {1, 1, 4};
		size_t n;

		TAP_CHECK(name, chain_new(&c, 24000, rates[r], 2) == 0);
		n = through(c, &u, in, N, out, 9 * N, 480);
		TAP_CHECK(name, n > 0);
		for (size_t i = 0; i < n; i++)
			TAP_CHECK(name, fabsf(out[i]) <= 0.8912509f);
		/* Edges that would click are softened. */
		TAP_CHECK(name, fabsf(out[0]) < 0.05f);
		TAP_CHECK(name, fabsf(out[n - 1]) < 0.05f);
		chain_free(c);
	}
	tap_ok(name);
}

static void test_change_rate(void)
{
	const char *name = "chain goes on at another rate where it was";
	static float in[N], at_48[9 * N], at_44[9 * N], rest[9 * N];
	struct chain *c, *d;
	struct chain_out o;
	uint64_t from;
	size_t n, n_rest;

	make_sound(in, N, 24000, 0.6f);
	TAP_CHECK(name, chain_new(&d, 24000, 44100, 1) == 0);
	n = through(d, &plain, in, N, at_44, 9 * N, N);
	for (int finished = 0; finished < 2; finished++) {
		size_t fed = finished ? N : N / 2;

		TAP_CHECK(name, chain_new(&c, 24000, 48000, 1) == 0);
		TAP_CHECK(name, chain_begin(c, &plain) == 0);
		TAP_CHECK(name, chain_feed(c, in, fed, &o) == 0);
		memcpy(at_48, o.pcm, o.n * sizeof(*o.pcm));
		if (finished)
			TAP_CHECK(name, chain_finish(c, &o) == 0);
		/* 40,000 of 48 kHz were heard. */
		TAP_CHECK(name,
			  chain_change_rate(c, 44100, 40000, &from, &o) == 0);
		TAP_CHECK(name, from == 36750);
		memcpy(rest, o.pcm, o.n * sizeof(*o.pcm));
		n_rest = o.n;
		if (!finished) {
			TAP_CHECK(name, chain_feed(c, in + fed, N - fed, &o) ==
					0);
			memcpy(rest + n_rest, o.pcm, o.n * sizeof(*o.pcm));
			n_rest += o.n;
			TAP_CHECK(name, chain_finish(c, &o) == 0);
			memcpy(rest + n_rest, o.pcm, o.n * sizeof(*o.pcm));
			n_rest += o.n;
		}
		TAP_CHECK(name, llabs((long long)(n_rest + from) -
				      (long long)n) <= 1);
		TAP_CHECK(name, correlation(at_44 + from + 200, rest + 200,
					    n_rest - 400) > 0.999);
		chain_free(c);
	}
	chain_free(d);
	tap_ok(name);
}

int main(void)
{
	test_limiter_idle();
	test_limiter_loud();
	test_limiter_release();
	test_exact();
	test_resampled();
	test_speed();
	test_loud();
	test_change_rate();
	return tap_failed;
}
