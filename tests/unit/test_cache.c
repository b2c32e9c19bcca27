/* SPDX-License-Identifier: MIT */
/* Which short texts are kept, and that their sound is what was recorded. */
#include "cache.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tap.h"

static struct sound *make(int value, size_t n)
{
	struct sound *s = sound_new(24000, n);

	for (size_t i = 0; s && i < n; i++)
		s->pcm[i] = (int16_t)value;
	return s;
}

static void put(struct cache *c, const char *text, int value, size_t n)
{
	const struct cache_key key = {text, "v", NULL};
	struct sound *s = make(value, n);

	cache_put(c, &key, s);
	sound_unref(s);
}

/* The value of what is kept, 0: nothing. */
static int get(struct cache *c, const char *text, const char *voice,
	       const char *language)
{
	const struct cache_key key = {text, voice, language};
	const struct sound *s = cache_get(c, &key);

	return s ? s->pcm[0] : 0;
}

static void test_keys(void)
{
	const char *name = "cache: text, voice and language tell texts apart";
	struct cache_key de = {"a", "v", "de"}, other = {"a", "w", NULL};
	struct cache_key split = {"av", NULL, NULL};
	struct sound *s = make(7, 4);
	struct cache *c;

	TAP_CHECK(name, cache_new(&c) == 0);
	cache_limit(c, 1 << 20);
	put(c, "a", 1, 10);
	put(c, "b", 2, 10);
	cache_put(c, &de, s);
	TAP_CHECK(name, get(c, "a", "v", NULL) == 1);
	TAP_CHECK(name, get(c, "b", "v", NULL) == 2);
	TAP_CHECK(name, get(c, "a", "v", "de") == 7);
	TAP_CHECK(name, !cache_has(c, &other) && !cache_has(c, &split));
	/* The newer sound of a text takes the older one's place. */
	put(c, "a", 3, 10);
	TAP_CHECK(name, get(c, "a", "v", NULL) == 3 && cache_entries(c) == 3);
	cache_clear(c);
	TAP_CHECK(name, cache_entries(c) == 0 && cache_bytes(c) == 0);
	/* Who still reads it has it. */
	TAP_CHECK(name, s->refs == 1 && s->pcm[3] == 7);
	sound_unref(s);
	cache_free(c);
	cache_free(NULL);
	tap_ok(name);
}

static void test_limit(void)
{
	const char *name = "cache: what was not used for longest goes";
	struct cache *c;
	char text[16];

	cache_new(&c);
	put(c, "a", 1, 10);
	TAP_CHECK(name, cache_entries(c) == 0);
	cache_limit(c, 3 * 2200);
	put(c, "a", 1, 1000);
	put(c, "b", 2, 1000);
	put(c, "c", 3, 1000);
	TAP_CHECK(name, cache_entries(c) == 3);
	get(c, "a", "v", NULL);
	put(c, "d", 4, 1000);
	TAP_CHECK(name, get(c, "b", "v", NULL) == 0);
	TAP_CHECK(name, get(c, "a", "v", NULL) == 1);
	TAP_CHECK(name, cache_bytes(c) <= 3 * 2200);
	put(c, "huge", 5, 100000);
	TAP_CHECK(name, get(c, "huge", "v", NULL) == 0);
	TAP_CHECK(name, cache_bytes(c) <= 3 * 2200);
	cache_limit(c, 1 << 30);
	for (int i = 0; i < 2 * CACHE_ENTRIES_MAX; i++) {
		snprintf(text, sizeof(text), "t%d", i);
		put(c, text, 1 + i % 1000, 1);
	}
	TAP_CHECK(name, cache_entries(c) == CACHE_ENTRIES_MAX);
	TAP_CHECK(name, get(c, text, "v", NULL) == 1 + (2 * CACHE_ENTRIES_MAX - 1) % 1000);
	cache_limit(c, 0);
	TAP_CHECK(name, cache_entries(c) == 0);
	cache_free(c);
	tap_ok(name);
}

static void test_source(void)
{
	const char *name = "source: a sound's samples and events";
	static const enum bark_event_type types[] = {
		BARK_EVENT_SEGMENT_BEGIN, BARK_EVENT_SEGMENT_END,
		BARK_EVENT_END,
	};
	struct sound *s = make(16384, 100);
	struct source *source = source_of_sound(s, 5);
	struct bark_event event;
	float pcm[64];

	TAP_CHECK(name, source && source_fd(source) < 0);
	TAP_CHECK(name, source_rate(source) == 24000);
	sound_unref(s);
	for (int i = 0; i < 3; i++) {
		TAP_CHECK(name, source_event(source, &event) == 1 &&
					event.type == types[i]);
		TAP_CHECK(name, event.sample == (i ? 100u : 0u));
		TAP_CHECK(name, event.text_begin == 0 && event.text_end == 5);
	}
	TAP_CHECK(name, source_event(source, &event) == 0);
	TAP_CHECK(name, source_read(source, pcm, 64) == 64 && pcm[63] == .5f);
	TAP_CHECK(name, source_read(source, pcm, 64) == 36);
	TAP_CHECK(name, source_read(source, pcm, 64) == 0);
	TAP_CHECK(name, source_recorded(source) == NULL);
	source_free(source);
	source_free(NULL);
	sound_unref(NULL);
	TAP_CHECK(name, sound_new(1, SIZE_MAX / 2) == NULL);
	tap_ok(name);
}

static void test_trimmed(void)
{
	const char *name = "source: a sound without the silence at its ends";
	enum { QUIET = 4000, LOUD = 6000, N = 3 * QUIET + LOUD };
	int16_t pcm[N] = {0};
	struct sound *s;
	size_t gone;

	for (size_t i = QUIET; i < QUIET + LOUD; i++)
		pcm[i] = i % 2 ? 9000 : -9000;
	s = sound_trimmed(22050, pcm, N, -20);
	TAP_CHECK(name, s && s->rate == 22050);
	/* At most 5 ms stay before it, 150 behind. */
	gone = N - s->n;
	TAP_CHECK(name, gone <= 3 * QUIET && gone >= 3 * QUIET - 155 * 22);
	TAP_CHECK(name, s->pcm[5 * 22] * s->pcm[5 * 22] == 9000 * 9000);
	sound_unref(s);
	s = sound_trimmed(22050, pcm, 0, -20);
	TAP_CHECK(name, s && s->n == 0);
	sound_unref(s);
	tap_ok(name);
}

int main(void)
{
	test_keys();
	test_limit();
	test_source();
	test_trimmed();
	return tap_failed;
}
