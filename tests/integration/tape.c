/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <sndfile.h>

#include "tape.h"

#define TAPE_FRAMES ((size_t)3600 * 48000)
#define TAPE_BLOCKS (TAPE_FRAMES / 32)

int64_t tape_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void *reserve(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int tape_init(struct tape *t)
{
	memset(t, 0, sizeof(*t));
	t->capacity = TAPE_FRAMES;
	t->block_capacity = TAPE_BLOCKS;
	t->pcm = reserve(t->capacity * sizeof(*t->pcm));
	t->blocks = reserve(t->block_capacity * sizeof(*t->blocks));
	return t->pcm && t->blocks ? 0 : -ENOMEM;
}

void tape_append(struct tape *t, const float *pcm, size_t n, int64_t ns)
{
	size_t at = atomic_load(&t->n), block = atomic_load(&t->n_blocks);

	if (n > t->capacity - at || block == t->block_capacity)
		return;
	memcpy(t->pcm + at, pcm, n * sizeof(*pcm));
	t->blocks[block] = (struct tape_block){ at, ns };
	atomic_store(&t->n_blocks, block + 1);
	atomic_store(&t->n, at + n);
}

/* When the sample was due: its block's time and its place in the block. */
static int64_t time_of(const struct tape *t, size_t frame, unsigned rate)
{
	size_t lo = 0, hi = atomic_load(&t->n_blocks);

	while (hi - lo > 1) {
		size_t mid = (lo + hi) / 2;

		if (t->blocks[mid].frame <= frame)
			lo = mid;
		else
			hi = mid;
	}
	return t->blocks[lo].ns + (int64_t)((frame - t->blocks[lo].frame) *
					    UINT64_C(1000000000) / rate);
}

static void tell(const struct tape *t, const char *what, size_t frame,
		 unsigned rate)
{
	printf("%s %zu %" PRId64 "\n", what, frame, time_of(t, frame, rate));
	fflush(stdout);
}

/* Tells where that which begins at t->begin can be heard; `end`: what is known
 * of it. */
static void tell_sound(struct tape *t, size_t end, unsigned rate)
{
	float peak = 0;
	size_t i = t->begin;

	for (size_t k = i; k < end; k++)
		peak = fmaxf(peak, fabsf(t->pcm[k]));
	while (fabsf(t->pcm[i]) < peak * TAPE_AUDIBLE)
		i++;
	tell(t, "sound", i, rate);
	t->told = 1;
}

void tape_watch(struct tape *t, unsigned rate)
{
	size_t n = atomic_load(&t->n), quiet = rate * TAPE_QUIET_MS / 1000;
	size_t ahead = rate * TAPE_AHEAD_MS / 1000;

	for (; t->watched < n; t->watched++) {
		bool faint = fabsf(t->pcm[t->watched]) > TAPE_SILENCE;
		bool over = t->sounding && !faint &&
			    t->watched - t->last_sound > quiet;

		if (faint)
			t->last_sound = t->watched;
		if (faint && !t->sounding) {
			tell(t, "faint", t->watched, rate);
			t->begin = t->watched;
			t->sounding = 1;
			t->told = 0;
		}
		if (t->sounding && !t->told &&
		    (over || t->watched - t->begin >= ahead))
			tell_sound(t, t->watched, rate);
		if (over) {
			tell(t, "silence", t->last_sound, rate);
			t->sounding = 0;
		}
	}
}

int tape_save(const struct tape *t, const char *path, unsigned rate)
{
	SF_INFO info = { .samplerate = (int)rate, .channels = 1,
			 .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT };
	size_t n = atomic_load(&t->n), blocks = atomic_load(&t->n_blocks);
	SNDFILE *wav = sf_open(path, SFM_WRITE, &info);
	char times[4096];
	FILE *f;

	if (!wav)
		return -EIO;
	sf_writef_float(wav, t->pcm, (sf_count_t)n);
	sf_close(wav);
	snprintf(times, sizeof(times), "%s.times", path);
	f = fopen(times, "we");
	if (!f)
		return -errno;
	for (size_t i = 0; i < blocks; i++)
		fprintf(f, "%" PRIu64 " %" PRId64 "\n", t->blocks[i].frame,
			t->blocks[i].ns);
	return fclose(f) ? -errno : 0;
}
