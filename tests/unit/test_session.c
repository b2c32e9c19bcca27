/* SPDX-License-Identifier: MIT */
/* Sessions as a program uses them: streamed sound is the whole's, cancelling
 * is at once, and nothing is allocated while speaking. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "session.h"
#include "tap.h"
#include "tiny.h"

static atomic_bool watching;
static atomic_uint allocations;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTED 0
#endif
#endif
#ifndef COUNTED
#define COUNTED 1
#endif

#if COUNTED
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);

/* The program's own, in front of glibc's, to count calls while watching. */
void *malloc(size_t n)
{
	if (atomic_load(&watching))
		atomic_fetch_add(&allocations, 1);
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	if (atomic_load(&watching))
		atomic_fetch_add(&allocations, 1);
	return __libc_calloc(n, size);
}
#endif

static struct bark_model *model;
static const int32_t ids[] = { 5, 9, 77, 123, 42, 8 };

static struct bark_session *open_session(struct bark_engine *engine,
					 enum bark_mode mode, uint64_t seed)
{
	struct bark_session_options opts = { .mode = mode, .seed = seed,
					     .ahead_ms = 400 };
	struct bark_session *s;

	return bark_session_new(&s, engine, model, NULL, &opts, NULL) < 0 ?
		       NULL : s;
}

/* All samples of one utterance, read in pieces of `piece`. */
static float *speak(struct bark_session *s, size_t piece, size_t *ret_n)
{
	size_t cap = 1 << 20, n = 0;
	float *pcm = calloc(cap, sizeof(*pcm));
	ssize_t r;

	if (bark_session_start_ids(s, ids, sizeof(ids) / sizeof(*ids)) < 0) {
		free(pcm);
		return NULL;
	}
	while ((r = bark_session_read(s, pcm + n, piece, -1)) > 0)
		n += (size_t)r;
	*ret_n = n;
	return pcm;
}

/* What the stages and the codec give without any session. */
static float *offline(enum bark_mode mode, uint64_t seed, size_t *ret_n)
{
	const struct bark_config *m = &model->config;
	struct bark_compute compute = { 0 };
	struct bark_timeline_options opts;
	struct bark_timeline t;
	struct bark_codec *codec;
	float *pcm;

	bk_ops_init(&compute.ops, ~0u);
	bark_timeline_defaults(&opts, m, mode);
	if (bk_pool_new(&compute.pool, 1, 0) < 0 ||
	    bark_timeline_init(&t, &compute, model, NULL, &opts) < 0 ||
	    bark_codec_new(&codec, &compute, model) < 0)
		abort();
	t.sampler.seed = seed;
	bark_timeline_begin(&t, ids, sizeof(ids) / sizeof(*ids));
	while (bark_timeline_step(&t))
		;
	*ret_n = t.n_fine * m->codec.hop;
	pcm = calloc(*ret_n + 1, sizeof(*pcm));
	bark_codec_decode(codec, t.fine + t.fine_base * m->fine.n_total,
			  t.n_fine, pcm);
	if (m->loudness != 0) {
		struct bark_level level;

		bark_level_init(&level, m->codec.rate, (double)m->loudness);
		bark_level_apply(&level, pcm, *ret_n);
	}
	bark_codec_free(codec);
	bark_timeline_clear(&t);
	bk_pool_free(compute.pool);
	return pcm;
}

static void test_same_as_offline(const char *name, enum bark_mode mode)
{
	struct bark_engine_options two = { .threads = 2 };
	struct bark_engine *engine;
	struct bark_session *s;
	size_t n, m;

	TAP_CHECK(name, bark_engine_new(&engine, &two) == 0);
	for (uint64_t seed = 1; seed < 6; seed++) {
		float *whole = offline(mode, seed, &n), *streamed;

		s = open_session(engine, mode, seed);
		TAP_CHECK(name, s);
		streamed = speak(s, 1000 + 777 * (size_t)seed, &m);
		TAP_CHECK(name, streamed && n > 0 && m == n);
		TAP_CHECK(name, memcmp(whole, streamed, n * sizeof(*whole)) == 0);
		free(streamed);
		/* The session can speak again, and says the same. */
		streamed = speak(s, 512, &m);
		TAP_CHECK(name, streamed && m == n);
		TAP_CHECK(name, memcmp(whole, streamed, n * sizeof(*whole)) == 0);
		free(streamed);
		free(whole);
		bark_session_free(s);
	}
	bark_engine_unref(engine);
	tap_ok(name);
}

static void test_levelled(void)
{
	const char *name = "a model's loudness is kept in a stream";
	struct bark_model *other = model;
	struct bark_config config;
	float *as_it_is, *level;
	size_t n;

	as_it_is = offline(BARK_MODE_EXACT, 1, &n);
	tiny_config(&config);
	config.loudness = -50;
	TAP_CHECK(name, !bark_model_random(&model, &config,
					   BARK_PRECISION_F32, 11));
	level = offline(BARK_MODE_EXACT, 1, &n);
	TAP_CHECK(name, memcmp(as_it_is, level, n * sizeof(*level)) != 0);
	free(as_it_is);
	free(level);
	test_same_as_offline(name, BARK_MODE_EXACT);
	bark_model_unref(model);
	model = other;
}

/* Windows shorter than low-latency mode would like. */
static void test_narrow(void)
{
	const char *name = "a fine network of few positions";
	struct bark_model *other = model;
	struct bark_engine *engine;
	struct bark_config config;

	TAP_CHECK(name, !bark_engine_new(&engine, NULL));
	for (unsigned i = 2; i < 80; i += 13) {
		struct bark_session *s;
		size_t n;
		float *pcm;

		tiny_config(&config);
		config.fine.max_input = i;
		config.fine.max_history = i / 2;
		TAP_CHECK(name, !bark_model_random(&model, &config,
						   BARK_PRECISION_F32, 11));
		s = open_session(engine, BARK_MODE_LOW_LATENCY, 1);
		TAP_CHECK(name, s);
		pcm = speak(s, 4096, &n);
		TAP_CHECK(name, pcm && n > 0);
		free(pcm);
		bark_session_free(s);
		bark_model_unref(model);
	}
	bark_engine_unref(engine);
	model = other;
	tap_ok(name);
}

/* Nanoseconds that this process' threads of at least that niceness ran. */
static uint64_t ran(int least)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *d;
	uint64_t sum = 0;

	while ((d = readdir(tasks))) {
		id_t tid = (id_t)atoi(d->d_name);
		unsigned long long ns = 0;
		char path[64];
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/task/%u/schedstat", tid);
		f = tid ? fopen(path, "r") : NULL;
		if (!f)
			continue;
		if (getpriority(PRIO_PROCESS, tid) >= least &&
		    fscanf(f, "%llu", &ns) == 1)
			sum += ns;
		fclose(f);
	}
	closedir(tasks);
	return sum;
}

static const struct bark_engine_options both_crews = {
	.threads = 2, .nice_ahead = 7,
};
static const struct bark_session_options far_ahead = {
	.mode = BARK_MODE_LOW_LATENCY, .seed = 1, .ahead_ms = 20000,
};

/* A model that says enough to be computed far ahead. */
static int talkative(struct bark_model **ret)
{
	struct bark_config config;

	tiny_config(&config);
	config.semantic.gpt.block_size = 400;
	config.semantic.max_new = 300;
	return bark_model_random(ret, &config, BARK_PRECISION_F32, 11);
}

/* What is heard soon is computed at the usual niceness, the rest at another,
 * and all of it is the same. */
static void test_polite(void)
{
	const char *name = "polite once enough is ready";
	const int nice = getpriority(PRIO_PROCESS, 0) + both_crews.nice_ahead;
	struct bark_model *other = model;
	struct bark_engine *engine[2];
	float *pcm[2];
	size_t n[2];

	TAP_CHECK(name, !talkative(&model));
	for (int i = 0; i < 2; i++) {
		struct bark_session *s;
		uint64_t polite;

		TAP_CHECK(name, !bark_engine_new(&engine[i], i ? &both_crews : NULL));
		TAP_CHECK(name, !bark_session_new(&s, engine[i], model, NULL,
						  &far_ahead, NULL));
		polite = ran(nice);
		/* 1.5 s are reached only if nobody reads. */
		TAP_CHECK(name, !bark_session_start_ids(s, ids, 6));
		for (int j = 0; i && j < 3000 && ran(nice) < polite + 1000000;
		     j++)
			usleep(10000);
		TAP_CHECK(name, i == 0 || ran(nice) >= polite + 1000000);
		pcm[i] = calloc(1 << 20, sizeof(float));
		n[i] = 0;
		for (ssize_t r = 1; r > 0; n[i] += (size_t)r)
			r = bark_session_read(s, pcm[i] + n[i], 5000, -1);
		bark_session_free(s);
		bark_engine_unref(engine[i]);
	}
	TAP_CHECK(name, n[0] == n[1] && n[0] > 2 * bark_model_rate(model));
	TAP_CHECK(name, !memcmp(pcm[0], pcm[1], n[0] * sizeof(float)));
	free(pcm[0]);
	free(pcm[1]);
	bark_model_unref(model);
	model = other;
	tap_ok(name);
}

/* Sessions are made, as the daemon's worker does, while one that speaks goes
 * from crew to crew: nothing is shared that only the scheduler may see. */
static void test_made_meanwhile(void)
{
	const char *name = "sessions are made while crews take turns";
	const int nice = getpriority(PRIO_PROCESS, 0) + both_crews.nice_ahead;
	struct bark_model *other = model;
	struct bark_engine *engine;
	struct bark_session *s;
	uint64_t before;

	TAP_CHECK(name, !talkative(&model));
	TAP_CHECK(name, !bark_engine_new(&engine, &both_crews));
	TAP_CHECK(name, !bark_session_new(&s, engine, model, NULL, &far_ahead,
					  NULL));
	before = ran(nice);
	TAP_CHECK(name, !bark_session_start_ids(s, ids, 6));
	for (int i = 0; i < 3000 && ran(nice) < before + 1000000; i++) {
		struct bark_session *more;

		TAP_CHECK(name, bark_engine_threads(engine) == 2);
		TAP_CHECK(name, !bark_session_new(&more, engine, model, NULL,
						  &far_ahead, NULL));
		bark_session_free(more);
		usleep(2000);
	}
	TAP_CHECK(name, ran(nice) >= before + 1000000);
	bark_session_free(s);
	bark_engine_unref(engine);
	bark_model_unref(model);
	model = other;
	tap_ok(name);
}

static void test_events(void)
{
	const char *name = "events tell segments and the end";
	struct bark_engine *engine;
	struct bark_session *s;
	struct bark_event e[4];
	size_t n;
	float *pcm;

	TAP_CHECK(name, bark_engine_new(&engine, NULL) == 0);
	s = open_session(engine, BARK_MODE_LOW_LATENCY, 1);
	TAP_CHECK(name, s && bark_session_event(s, &e[0]) == 0);
	pcm = speak(s, 4096, &n);
	TAP_CHECK(name, pcm);
	for (int i = 0; i < 3; i++)
		TAP_CHECK(name, bark_session_event(s, &e[i]) == 1);
	TAP_CHECK(name, bark_session_event(s, &e[3]) == 0);
	TAP_CHECK(name, e[0].type == BARK_EVENT_SEGMENT_BEGIN &&
			e[0].sample == 0);
	TAP_CHECK(name, e[1].type == BARK_EVENT_SEGMENT_END &&
			e[1].sample == n);
	TAP_CHECK(name, e[2].type == BARK_EVENT_END && e[2].sample == n);
	TAP_CHECK(name, bark_session_first_audio(s) > 0);
	free(pcm);
	bark_session_free(s);
	bark_engine_unref(engine);
	tap_ok(name);
}

static void test_cancel(void)
{
	const char *name = "cancel drops everything at once";
	struct bark_engine *engine;
	struct bark_session *s;
	float pcm[256];
	size_t n, m;
	float *whole, *again;

	TAP_CHECK(name, bark_engine_new(&engine, NULL) == 0);
	s = open_session(engine, BARK_MODE_LOW_LATENCY, 4);
	TAP_CHECK(name, s);
	whole = speak(s, 4096, &n);
	for (int i = 0; i < 200; i++) {
		struct timespec pause = { 0, (i % 7) * 300000 };

		TAP_CHECK(name, bark_session_start_ids(s, ids, 6) == 0);
		TAP_CHECK(name, bark_session_start_ids(s, ids, 6) == -EBUSY);
		nanosleep(&pause, NULL);
		if (i % 3 == 0)
			bark_session_read(s, pcm, 256, -1);
		bark_session_cancel(s);
		TAP_CHECK(name, bark_session_read(s, pcm, 256, -1) ==
					-ECANCELED);
	}
	/* Nothing of a cancelled utterance is left in the next. */
	again = speak(s, 4096, &m);
	TAP_CHECK(name, again && n == m &&
			memcmp(whole, again, n * sizeof(*whole)) == 0);
	free(whole);
	free(again);
	bark_session_free(s);
	bark_engine_unref(engine);
	tap_ok(name);
}

static void test_descriptor(void)
{
	const char *name = "the descriptor polls readable while something waits";
	struct bark_engine *engine;
	struct bark_session *s;
	struct pollfd p = { .events = POLLIN };
	struct bark_event e;
	static float pcm[1 << 20];
	ssize_t r;

	TAP_CHECK(name, bark_engine_new(&engine, NULL) == 0);
	s = open_session(engine, BARK_MODE_EXACT, 2);
	TAP_CHECK(name, s);
	p.fd = bark_session_fd(s);
	TAP_CHECK(name, poll(&p, 1, 0) == 0);
	TAP_CHECK(name, bark_session_start_ids(s, ids, 6) == 0);
	for (;;) {
		TAP_CHECK(name, poll(&p, 1, 20000) == 1);
		while (bark_session_event(s, &e))
			;
		r = bark_session_read(s, pcm, 1 << 20, 0);
		TAP_CHECK(name, r >= 0 || r == -EAGAIN);
		if (r == 0)
			break;
	}
	TAP_CHECK(name, poll(&p, 1, 0) == 0);
	bark_session_free(s);
	bark_engine_unref(engine);
	tap_ok(name);
}

static void test_allocations(const char *name)
{
	struct bark_engine *engine;
	struct bark_session *s;
	float pcm[4096];

	if (!COUNTED) {
		tap_skip(name, "the sanitizer has its own malloc");
		return;
	}
	TAP_CHECK(name, bark_engine_new(&engine, NULL) == 0);
	for (int mode = 0; mode < 2; mode++) {
		s = open_session(engine, (enum bark_mode)mode, 3);
		TAP_CHECK(name, s && bark_session_start_ids(s, ids, 6) == 0);
		atomic_store(&watching, true);
		while (bark_session_read(s, pcm, 4096, -1) > 0)
			;
		atomic_store(&watching, false);
		TAP_CHECK(name, atomic_load(&allocations) == 0);
		bark_session_free(s);
	}
	bark_engine_unref(engine);
	tap_ok(name);
}

static void test_many(void)
{
	const char *name = "sessions side by side say what they say alone";
	enum { N = 4 };
	struct bark_engine *engine;
	struct bark_session *s[N];
	float *whole[N], pcm[1000];
	size_t n[N], at[N] = { 0 }, left = N;

	TAP_CHECK(name, bark_engine_new(&engine, NULL) == 0);
	for (size_t i = 0; i < N; i++) {
		enum bark_mode mode = i % 2 ? BARK_MODE_EXACT :
					      BARK_MODE_LOW_LATENCY;

		whole[i] = offline(mode, i + 1, &n[i]);
		s[i] = open_session(engine, mode, i + 1);
		TAP_CHECK(name, s[i] && bark_session_start_ids(s[i], ids, 6) == 0);
	}
	while (left > 0) {
		for (size_t i = 0; i < N; i++) {
			ssize_t r = s[i] ? bark_session_read(s[i], pcm, 1000, 10) :
					   -EAGAIN;

			if (r > 0) {
				TAP_CHECK(name, at[i] + (size_t)r <= n[i] &&
						memcmp(whole[i] + at[i], pcm,
						       (size_t)r * sizeof(*pcm)) == 0);
				at[i] += (size_t)r;
			} else if (r == 0) {
				TAP_CHECK(name, at[i] == n[i]);
				bark_session_free(s[i]);
				s[i] = NULL;
				free(whole[i]);
				left--;
			}
		}
	}
	bark_engine_unref(engine);
	tap_ok(name);
}

/* The same of another model. */
static void test_precision(enum bark_precision precision, const char *exact,
			   const char *low_latency, const char *no_allocations)
{
	struct bark_model *whole = model;
	struct bark_config config;

	tiny_config(&config);
	TAP_CHECK(exact, !bark_model_random(&model, &config, precision, 11));
	test_same_as_offline(exact, BARK_MODE_EXACT);
	test_same_as_offline(low_latency, BARK_MODE_LOW_LATENCY);
	test_allocations(no_allocations);
	bark_model_unref(model);
	model = whole;
}

int main(void)
{
	struct bark_config config;

	tiny_config(&config);
	if (bark_model_random(&model, &config, BARK_PRECISION_F32, 11) < 0) {
		tap_not_ok("setup", "no model");
		return 1;
	}
	test_same_as_offline("exact streams what is computed offline",
			     BARK_MODE_EXACT);
	test_same_as_offline("low latency streams what is computed offline",
			     BARK_MODE_LOW_LATENCY);
	test_levelled();
	test_narrow();
	test_polite();
	test_made_meanwhile();
	test_events();
	test_cancel();
	test_descriptor();
	test_allocations("nothing is allocated while speaking");
	test_many();
	test_precision(BARK_PRECISION_INT8, "int8, exact: the same",
		       "int8, low latency: the same",
		       "int8: nothing is allocated while speaking");
	test_precision(BARK_PRECISION_Q4, "q4, exact: the same",
		       "q4, low latency: the same",
		       "q4: nothing is allocated while speaking");
	test_precision(BARK_PRECISION_F16, "f16, exact: the same",
		       "f16, low latency: the same",
		       "f16: nothing is allocated while speaking");
	bark_model_unref(model);
	return tap_failed;
}
