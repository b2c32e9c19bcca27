/* SPDX-License-Identifier: MIT */
#include "level.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846
#define BLOCKS_PER_S 50
/* Mean square to LUFS of one channel (ITU-R BS.1770-4, equation 2). */
#define OFFSET (-0.691)
/* BS.1770's relative gate. */
#define GATE_LU 10
/* With fewer blocks a window tells nothing of pauses yet. */
#define FIRST_BLOCK 8
/* The voice is taken to be at its target, as strongly as this long a time of
 * it; what is heard counts over MEMORY at most. Chosen, as SLEW and AIM, on
 * 400 sentences of the embedded voices: 71 were more than 1 LU away, 3 are. */
#define PRIOR (0.7 * BLOCKS_PER_S)
#define MEMORY (3.0 * BLOCKS_PER_S)
/* dB a second; a faster gain overshoots within a sentence. */
#define SLEW 4.0
/* Above the target: without it the mean of sentences is so much below. */
#define AIM_LU 0.2
#define MOST_DB 6.0

static double power(double lufs)
{
	return pow(10, (lufs - OFFSET) / 10);
}

/* The two filters of BS.1770-4's table at 48 kHz, as their analogue
 * prototypes (frequency, gain, quality), for any rate; bilinear. libebur128
 * has them too, but cannot begin again without allocating. */
static void weighting(struct bark_level *l, double rate)
{
	double k = tan(PI * 1681.974450955533 / rate);
	double q = 0.7071752369554196, v = pow(10, 3.999843853973347 / 20);
	double w = pow(v, 0.4996667741545416), n = 1 + k / q + k * k;

	l->b[0][0] = (v + w * k / q + k * k) / n;
	l->b[0][1] = 2 * (k * k - v) / n;
	l->b[0][2] = (v - w * k / q + k * k) / n;
	l->a[0][0] = 2 * (k * k - 1) / n;
	l->a[0][1] = (1 - k / q + k * k) / n;
	k = tan(PI * 38.13547087602444 / rate);
	q = 0.5003270373238773;
	n = 1 + k / q + k * k;
	l->b[1][0] = 1;
	l->b[1][1] = -2;
	l->b[1][2] = 1;
	l->a[1][0] = 2 * (k * k - 1) / n;
	l->a[1][1] = (1 - k / q + k * k) / n;
}

void bark_level_init(struct bark_level *l, unsigned rate, double target)
{
	weighting(l, rate);
	l->target = target;
	l->block = rate / BLOCKS_PER_S;
	bark_level_reset(l);
}

void bark_level_reset(struct bark_level *l)
{
	memset(l->z, 0, sizeof(l->z));
	l->n = l->n_blocks = 0;
	l->sum = 0;
	l->mean = power(l->target);
	l->weight = PRIOR;
	l->gain_db = 0;
	l->gain = 1;
	l->step = 0;
}

static double clamp(double x, double most)
{
	return x > most ? most : x < -most ? -most : x;
}

/* A block is over: where the gain is to be at the end of the next one. */
static void next_block(struct bark_level *l)
{
	double block = l->sum / (double)l->block, heard = 0, want;
	size_t n;

	l->window[l->n_blocks++ % BARK_LEVEL_WINDOW] = block;
	n = l->n_blocks < BARK_LEVEL_WINDOW ? l->n_blocks : BARK_LEVEL_WINDOW;
	for (size_t i = 0; i < n; i++)
		heard += l->window[i] / (double)n;
	if (l->n_blocks >= FIRST_BLOCK && heard > power(l->target - GATE_LU)) {
		if (l->weight < MEMORY)
			l->weight++;
		l->mean += (block - l->mean) / l->weight;
	}
	want = l->target + AIM_LU - (OFFSET + 10 * log10(l->mean));
	l->gain_db += clamp(clamp(want, MOST_DB) - l->gain_db,
			    SLEW / BLOCKS_PER_S);
	l->step = ((float)pow(10, l->gain_db / 20) - l->gain) /
		  (float)l->block;
	l->n = 0;
	l->sum = 0;
}

static double filter(struct bark_level *l, double x)
{
	for (int i = 0; i < 2; i++) {
		double y = l->b[i][0] * x + l->z[i][0];

		l->z[i][0] = l->b[i][1] * x - l->a[i][0] * y + l->z[i][1];
		l->z[i][1] = l->b[i][2] * x - l->a[i][1] * y;
		x = y;
	}
	return x;
}

void bark_level_apply(struct bark_level *l, float *pcm, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double y = filter(l, (double)pcm[i]);

		l->sum += y * y;
		pcm[i] *= l->gain;
		l->gain += l->step;
		if (++l->n == l->block)
			next_block(l);
	}
}
