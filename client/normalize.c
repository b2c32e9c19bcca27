/* SPDX-License-Identifier: MIT */
/*
 * The limiter knows the whole sound. Each block of a millisecond needs a gain
 * that brings its true peak below the ceiling; the least gain of the blocks
 * around, averaged over as many, is a smooth curve that lies nowhere above what
 * a block needs.
 */
#include "normalize.h"

#include <ebur128.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS_PER_S 1000
#define REACH 8         /* blocks that the gain falls ahead of a peak */
#define SHORTEST_MS 400 /* the loudness of less is not defined */
#define TRIES 8         /* the limiter takes loudness that more gain gives back */
#define NEAR_DB 0.05
#define MOST_DB 60.0
#define LEAST_SLOPE 0.1

static double gain_of(double db)
{
	return pow(10, db / 20);
}

/* LUFS; -HUGE_VAL: silence. */
static int measure(const float *pcm, size_t n, unsigned rate, double *ret)
{
	ebur128_state *meter = ebur128_init(1, rate, EBUR128_MODE_I);
	const size_t least = (size_t)rate * SHORTEST_MS / 1000;
	int r = meter ? 0 : -ENOMEM;

	*ret = -HUGE_VAL;
	/* A sound that is too short is measured several times in a row. */
	for (size_t at = 0; r == 0 && n && (at == 0 || at < least); at += n)
		if (ebur128_add_frames_float(meter, pcm, n))
			r = -ENOMEM;
	if (r == 0)
		ebur128_loudness_global(meter, ret);
	if (meter)
		ebur128_destroy(&meter);
	return r;
}

/* The true peak of each block of `block` samples, and of all. */
static int find_peaks(double *peaks, const float *pcm, size_t n, size_t block,
		      unsigned rate, double *ret_most)
{
	ebur128_state *meter = ebur128_init(1, rate, EBUR128_MODE_TRUE_PEAK);
	const size_t n_blocks = (n + block - 1) / block;
	int r = meter ? 0 : -ENOMEM;

	*ret_most = 0;
	for (size_t i = 0; r == 0 && i < n_blocks; i++) {
		const size_t len = n - i * block < block ? n - i * block : block;

		if (ebur128_add_frames_float(meter, pcm + i * block, len))
			r = -ENOMEM;
		else
			ebur128_prev_true_peak(meter, 0, &peaks[i]);
		*ret_most = peaks[i] > *ret_most ? peaks[i] : *ret_most;
	}
	if (meter)
		ebur128_destroy(&meter);
	return r;
}

/* gains: what each block's samples may be multiplied by. The filter of the true
 * peak looks back: a block's sound reaches into the peak of the next. */
static void find_gains(double *gains, const double *peaks, size_t n)
{
	const double ceiling = gain_of(NORMALIZE_CEILING_DB);

	for (size_t i = 0; i < n; i++) {
		double most = peaks[i];

		if (i + 1 < n && peaks[i + 1] > most)
			most = peaks[i + 1];
		gains[i] = most > ceiling ? ceiling / most : 1;
	}
}

static void spread_least(double *to, const double *from, size_t n, size_t reach)
{
	for (size_t i = 0; i < n; i++) {
		const size_t first = i < reach ? 0 : i - reach;
		const size_t last = i + reach < n ? i + reach : n - 1;

		to[i] = from[first];
		for (size_t j = first + 1; j <= last; j++)
			to[i] = from[j] < to[i] ? from[j] : to[i];
	}
}

static void average(double *to, const double *from, size_t n, size_t reach)
{
	for (size_t i = 0; i < n; i++) {
		double sum = 0;

		for (size_t j = 0; j <= 2 * reach; j++) {
			const size_t at = i + j < reach ? 0 : i + j - reach;

			sum += from[at < n ? at : n - 1];
		}
		to[i] = sum / (double)(2 * reach + 1);
	}
}

/* Between the middles of two blocks the gain is interpolated. */
static void apply(float *pcm, size_t n, size_t block, const double *gains,
		  size_t n_blocks)
{
	for (size_t i = 0; i < n; i++) {
		const double at = ((double)i + 0.5) / (double)block - 0.5;
		const size_t a = at < 0 ? 0 : (size_t)at;
		const size_t b = a + 1 < n_blocks ? a + 1 : a;
		const double part = at < 0 ? 0 : at - (double)a;

		pcm[i] *= (float)(gains[a] + part * (gains[b] - gains[a]));
	}
}

static void scale(float *pcm, size_t n, double gain)
{
	for (size_t i = 0; i < n; i++)
		pcm[i] *= (float)gain;
}

/* room: three values a block. */
static int limit(float *pcm, size_t n, unsigned rate, size_t block, double *room)
{
	const size_t n_blocks = (n + block - 1) / block;
	double *peaks = room, *gains = room + n_blocks, *least = gains + n_blocks;
	const double ceiling = gain_of(NORMALIZE_CEILING_DB);
	double most;
	int r;

	r = find_peaks(peaks, pcm, n, block, rate, &most);
	if (r < 0 || most <= ceiling)
		return r;
	find_gains(gains, peaks, n_blocks);
	/* One block wider than the average: the interpolation reaches so far. */
	spread_least(least, gains, n_blocks, REACH + 1);
	average(gains, least, n_blocks, REACH);
	apply(pcm, n, block, gains, n_blocks);
	/* A gain that changes may raise a peak by a hair. */
	r = find_peaks(peaks, pcm, n, block, rate, &most);
	if (r == 0 && most > ceiling)
		scale(pcm, n, ceiling / most);
	return r;
}

/* pcm times a gain of db, limited, into tried; how loud that is. */
static int try_gain(float *tried, const float *pcm, double *room, size_t n,
		    unsigned rate, size_t block, double db, double *ret_lufs)
{
	int r;

	memcpy(tried, pcm, n * sizeof(*pcm));
	scale(tried, n, gain_of(db));
	r = limit(tried, n, rate, block, room);
	return r < 0 ? r : measure(tried, n, rate, ret_lufs);
}

static int bring_to(float *pcm, float *tried, double *room, size_t n,
		    unsigned rate, size_t block, double lufs)
{
	double is, was, db, step, slope = 1;
	int r = measure(pcm, n, rate, &was);

	if (r < 0 || !isfinite(was))
		return r;
	db = step = lufs - was;
	for (unsigned i = 0; i < TRIES; i++) {
		r = try_gain(tried, pcm, room, n, rate, block, db, &is);
		if (r < 0)
			return r;
		if (fabs(lufs - is) < NEAR_DB || !isfinite(is))
			break;
		/* What a dB of gain gave the last time. */
		slope = fabs(step) > NEAR_DB ? (is - was) / step : slope;
		slope = slope < LEAST_SLOPE ? LEAST_SLOPE : slope;
		step = (lufs - is) / slope;
		step = db + step > MOST_DB ? MOST_DB - db : step;
		db += step;
		was = is;
	}
	memcpy(pcm, tried, n * sizeof(*pcm));
	return 0;
}

int normalize(float *pcm, size_t n, unsigned rate, double lufs)
{
	const size_t block = rate < BLOCKS_PER_S ? 1 : rate / BLOCKS_PER_S;
	float *tried;
	double *room;
	int r = -ENOMEM;

	if (n == 0)
		return 0;
	tried = malloc(n * sizeof(*tried));
	room = calloc((n + block - 1) / block, 3 * sizeof(*room));
	if (tried && room)
		r = bring_to(pcm, tried, room, n, rate, block, lufs);
	free(tried);
	free(room);
	return r;
}
