/* SPDX-License-Identifier: MIT */
/*
 * Finds references in a recording and says how well they match:
 *
 *     wavcmp RECORDING.wav REFERENCE.wav...
 *
 * Prints for the recording
 *     recording frames=N rate=R first=F last=L peak=P
 * (F, L: the first and last frame with sound) and for each reference,
 * resampled to the recording's rate,
 *     match correlation=C offset=F frames=N gap=G gain=A peak=P FILE
 * where offset is the frame at which it begins, correlation that at the best
 * fraction of a frame over the reference's whole length, gap the longest run
 * of silence inside that the reference does not have, in frames, and gain
 * the recording's level over the reference's.
 */
#include <complex.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <samplerate.h>
#include <sndfile.h>

#include "tape.h"

struct sound {
	float *pcm;
	size_t n;
	unsigned rate;
};

static int sound_read(struct sound *s, const char *path)
{
	SF_INFO info = { 0 };
	SNDFILE *f = sf_open(path, SFM_READ, &info);
	size_t channels, room = 0;
	float block[8192];
	sf_count_t n;

	if (!f)
		return -ENOENT;
	channels = (size_t)info.channels;
	s->rate = (unsigned)info.samplerate;
	/* To the end: the header of what was streamed tells no length. */
	while ((n = sf_readf_float(f, block, 8192 / info.channels)) > 0) {
		if (room < s->n + (size_t)n) {
			float *more;

			room = 2 * (s->n + (size_t)n);
			more = realloc(s->pcm, room * sizeof(*more));
			if (!more)
				return -ENOMEM;
			s->pcm = more;
		}
		for (size_t i = 0; i < (size_t)n; i++)
			s->pcm[s->n++] = block[i * channels];
	}
	sf_close(f);
	return 0;
}

static int sound_resample(struct sound *s, unsigned rate)
{
	SRC_DATA d = { .data_in = s->pcm, .input_frames = (long)s->n,
		       .src_ratio = (double)rate / s->rate };

	if (rate == s->rate)
		return 0;
	d.output_frames = (long)((double)s->n * d.src_ratio) + 1;
	d.data_out = calloc((size_t)d.output_frames, sizeof(float));
	if (!d.data_out || src_simple(&d, SRC_SINC_BEST_QUALITY, 1))
		return -EINVAL;
	free(s->pcm);
	*s = (struct sound){ d.data_out, (size_t)d.output_frames_gen, rate };
	return 0;
}

/* In place, n a power of two; inverse without the division by n. */
static void fft(double complex *x, size_t n, int inverse)
{
	for (size_t i = 1, j = 0; i < n; i++) {
		size_t bit = n >> 1;

		for (; j & bit; bit >>= 1)
			j ^= bit;
		j ^= bit;
		if (i < j) {
			double complex t = x[i];

			x[i] = x[j];
			x[j] = t;
		}
	}
	for (size_t len = 2; len <= n; len *= 2) {
		double angle = (inverse ? 2 : -2) * M_PI / (double)len;

		for (size_t k = 0; k < len / 2; k++) {
			double complex w = cexp(I * angle * (double)k);

			for (size_t i = k; i < n; i += len) {
				double complex u = x[i];
				double complex v = x[i + len / 2] * w;

				x[i] = u + v;
				x[i + len / 2] = u - v;
			}
		}
	}
}

/* c[lag + ref.n] = sum of rec[i + lag] * ref[i]; c has size n. */
static double complex *correlate(const struct sound *rec,
				 const struct sound *ref, size_t *ret_n)
{
	size_t n = 2;
	double complex *a, *b;

	while (n < rec->n + 2 * ref->n + 2)
		n *= 2;
	a = calloc(n, sizeof(*a));
	b = calloc(n, sizeof(*b));
	if (!a || !b)
		exit(1);
	for (size_t i = 0; i < rec->n; i++)
		a[i + ref->n] = rec->pcm[i];
	for (size_t i = 0; i < ref->n; i++)
		b[i] = ref->pcm[i];
	fft(a, n, 0);
	fft(b, n, 0);
	for (size_t i = 0; i < n; i++)
		a[i] *= conj(b[i]) / (double)n;
	fft(a, n, 1);
	free(b);
	*ret_n = n;
	return a;
}

static double energy(const struct sound *s, long from, size_t n)
{
	double e = 0;

	for (long i = from; i < from + (long)n; i++)
		if (i >= 0 && i < (long)s->n)
			e += (double)s->pcm[i] * s->pcm[i];
	return e;
}

static float at(const struct sound *s, long i)
{
	return i < 0 || i >= (long)s->n ? 0 : s->pcm[i];
}

/* The longest run of silence in rec where ref sounds within 5 ms before and
 * after. */
static size_t longest_gap(const struct sound *rec, const struct sound *ref,
			  long offset)
{
	long around = rec->rate / 200, before = -around - 1, after = 0;
	size_t run = 0, longest = 0;

	for (long i = 0; i < (long)ref->n; i++) {
		if (fabsf(at(ref, i)) > TAPE_SILENCE * 10)
			before = i;
		while (after < (long)ref->n &&
		       (after < i || fabsf(at(ref, after)) <= TAPE_SILENCE * 10))
			after++;
		if (i - before <= around && after - i <= around &&
		    fabsf(at(rec, i + offset)) < TAPE_SILENCE / 10)
			run++;
		else
			run = 0;
		if (run > longest)
			longest = run;
	}
	return longest;
}

static void match(const struct sound *rec, const struct sound *ref,
		  const char *name)
{
	size_t n, best = 1;
	double complex *c = correlate(rec, ref, &n);
	double e_ref = energy(ref, 0, ref->n), e_rec, peak, y0, y1, y2;
	float loudest = 0;
	long offset;

	for (size_t i = 1; i < rec->n + ref->n; i++)
		if (creal(c[i]) > creal(c[best]))
			best = i;
	offset = (long)best - (long)ref->n;
	e_rec = energy(rec, offset, ref->n);
	/* The peak of the parabola through three lags. */
	y0 = creal(c[best - 1]);
	y1 = creal(c[best]);
	y2 = creal(c[best + 1]);
	peak = y0 - 2 * y1 + y2 < 0 ?
		       y1 - (y0 - y2) * (y0 - y2) / (8 * (y0 - 2 * y1 + y2)) :
		       y1;
	for (size_t i = 0; i < ref->n; i++)
		loudest = fmaxf(loudest, fabsf(ref->pcm[i]));
	printf("match correlation=%.6f offset=%ld frames=%zu gap=%zu "
	       "gain=%.4f peak=%.4f %s\n",
	       e_ref > 0 && e_rec > 0 ? peak / sqrt(e_ref * e_rec) : 0.0,
	       offset, ref->n, longest_gap(rec, ref, offset),
	       e_ref > 0 ? sqrt(e_rec / e_ref) : 0.0, (double)loudest, name);
	free(c);
}

int main(int argc, char **argv)
{
	struct sound rec = { 0 };
	long first = -1, last = -1;
	float peak = 0;

	if (argc < 2 || sound_read(&rec, argv[1]) < 0) {
		fputs("usage: wavcmp RECORDING REFERENCE...\n", stderr);
		return 2;
	}
	for (size_t i = 0; i < rec.n; i++) {
		peak = fmaxf(peak, fabsf(rec.pcm[i]));
		if (fabsf(rec.pcm[i]) > TAPE_SILENCE) {
			first = first < 0 ? (long)i : first;
			last = (long)i;
		}
	}
	printf("recording frames=%zu rate=%u first=%ld last=%ld peak=%.4f\n",
	       rec.n, rec.rate, first, last, (double)peak);
	for (int i = 2; i < argc; i++) {
		struct sound ref = { 0 };

		if (sound_read(&ref, argv[i]) < 0 || !ref.n ||
		    sound_resample(&ref, rec.rate) < 0) {
			fprintf(stderr, "wavcmp: cannot read %s\n", argv[i]);
			return 1;
		}
		match(&rec, &ref, argv[i]);
		free(ref.pcm);
	}
	free(rec.pcm);
	return 0;
}
