/* SPDX-License-Identifier: MIT */
#include "supply.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "daemon.h"
#include "fast_speech.h"
#include "log.h"
#include "warmer.h"

/* Who wants sound so soon echoes keys: letters will be asked for. */
#define ECHO_MS 100

struct supply {
	struct daemon *d;
	struct cache *cache;
	struct fast *fast;
	struct warmer *warmer;
	bool use_fast, other_languages;
	uint64_t cached, spoken;
};

/* --- what is known of an utterance --- */

static const char *voice_of(const struct supply *s, const struct utterance *u)
{
	return u->request.voice ? u->request.voice
				: voice_default(s->d);
}

/* Whose speech of the same text would do. */
static bool may_be_kept(const struct utterance *u)
{
	return u->request.deadline_ms && !u->request.has_seed &&
	       u->request.n_text <= CACHE_TEXT_MAX;
}

struct short_text {
	struct cache_key key;
	char text[CACHE_TEXT_MAX + 1];
};

/* White space around a text is not heard. Of a longer text: its beginning. */
static void key_of(struct short_text *ret, const struct supply *s,
		   const struct utterance *u)
{
	const char *text = u->request.text;
	size_t n;

	text += strspn(text, " \t\r\n");
	n = strnlen(text, CACHE_TEXT_MAX);
	while (n && strchr(" \t\r\n", text[n - 1]))
		n--;
	memcpy(ret->text, text, n);
	ret->text[n] = '\0';
	ret->key = (struct cache_key){
		.text = ret->text,
		.voice = voice_of(s, u),
		.language = u->request.language,
	};
}

/* By when the model would be heard, milliseconds; INFINITY: nobody knows. */
static double model_ms(const struct supply *s)
{
	struct studio_info i = studio_info(s->d->studio);
	double first = fmax(0, s->d->first_audio_ms);

	if (i.state == STUDIO_READY)
		return first;
	if (i.state == STUDIO_UNLOADED && i.load_ms >= 0)
		return i.load_ms + first;
	return INFINITY;
}

static bool fast_can(const struct supply *s)
{
	return s->use_fast && fast_ready(s->fast);
}

bool supply_has(const struct utterance *u)
{
	return u->order || u->fast || u->source;
}

/* --- the three ways --- */

static struct studio_request request_of(const struct supply *s,
					const struct utterance *u)
{
	return voice_request(s->d, u->request.text, u->request.n_text,
			       u->request.voice, u->request.language);
}

static void give_sound(struct utterance *u, struct sound *sound)
{
	u->source = source_of_sound(sound, u->request.n_text);
	control_supplied(u, u->source ? 0 : -ENOMEM, "out of memory");
}

static void order_session(struct supply *s, struct utterance *u,
			  bool any_language);
static bool order_fast(struct supply *s, struct utterance *u,
		       const char *language, bool strict);
static bool order_quick(struct supply *s, struct utterance *u);

static void on_session(void *data, int r, struct bark_session *session,
		       const char *why)
{
	struct utterance *u = data;
	struct supply *s = u->daemon->supply;
	unsigned rate = studio_info(u->daemon->studio).rate;

	u->order = NULL;
	if (r == -ENOTSUP) {
		struct studio_request request = request_of(s, u);

		/* The configuration may be another by now. */
		if (!*request.must_speak ||
		    !order_fast(s, u, request.must_speak, true))
			order_session(s, u, true);
		return;
	}
	u->session = session;
	/* Once: that voice may have no name for the characters either. */
	if (r == -EDOM && !u->unspeakable) {
		u->unspeakable = true;
		if (fast_can(s) && order_quick(s, u))
			return;
	}
	if (r == 0) {
		u->source = source_of_session(
			session, rate,
			may_be_kept(u) ? rate * CACHE_SOUND_MAX_S : 0);
		if (!u->source)
			r = -ENOMEM;
	}
	control_supplied(u, r, why);
}

/* any_language: whatever comes of it. */
static void order_session(struct supply *s, struct utterance *u,
			  bool any_language)
{
	struct studio_request request = request_of(s, u);

	request.has_seed = u->request.has_seed;
	request.seed = u->request.seed;
	if (any_language)
		request.must_speak[0] = '\0';
	if (studio_order(s->d->studio, &u->order, &request, on_session, u) < 0)
		control_supplied(u, -ENOMEM, "out of memory");
}

static void on_fast(void *data, int r, struct source *source)
{
	struct utterance *u = data;
	struct supply *s = u->daemon->supply;

	if (r < 0) {
		fast_speech_free(u->fast);
		u->fast = NULL;
		order_session(s, u, true);
		return;
	}
	s->spoken++;
	u->by_fast = true;
	u->source = source;
	control_supplied(u, 0, NULL);
}

static bool order_fast(struct supply *s, struct utterance *u,
		       const char *language, bool strict)
{
	return fast_speech_new(&u->fast, s->fast, u->request.text,
			       u->request.n_text, language, strict, on_fast,
			       u) == 0;
}

/* The fast voice as it is quick, in the language that is likeliest. */
static bool order_quick(struct supply *s, struct utterance *u)
{
	struct studio_request request = request_of(s, u);

	return order_fast(s, u,
			  *request.must_speak ? request.must_speak
			  : request.language  ? request.language
					      : s->d->conf.model.language,
			  false);
}

/* --- the choice --- */

/* Letters and digits, with what this client writes behind one. */
static void want_letters(struct supply *s, const struct short_text *like)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	struct cache_key key = like->key;
	char text[3] = "";

	if (strlen(like->text) == 2 && ispunct((unsigned char)like->text[1]))
		text[1] = like->text[1];
	key.text = text;
	for (size_t i = 0; letters[i]; i++) {
		text[0] = letters[i];
		warmer_want(s->warmer, &key);
	}
}

void supply_order(struct supply *s, struct utterance *u)
{
	struct sound *sound = NULL;
	struct short_text t;

	key_of(&t, s, u);
	if (may_be_kept(u))
		sound = cache_get(s->cache, &t.key);
	if (u->request.deadline_ms && u->request.deadline_ms <= ECHO_MS)
		want_letters(s, &t);
	if (sound) {
		s->cached++;
		give_sound(u, sound);
		return;
	}
	if (u->request.deadline_ms &&
	    model_ms(s) > u->request.deadline_ms && fast_can(s)) {
		if (may_be_kept(u))
			warmer_want(s->warmer, &t.key);
		/* Where it is not in memory it is for what comes next. */
		studio_load(s->d->studio);
		if (order_quick(s, u))
			return;
	}
	order_session(s, u, false);
}

void supply_finished(struct supply *s, struct utterance *u)
{
	struct sound *sound = may_be_kept(u) && u->session
				      ? source_recorded(u->source)
				      : NULL;
	struct short_text t;

	if (!sound)
		return;
	key_of(&t, s, u);
	cache_put(s->cache, &t.key, sound);
	sound_unref(sound);
}

void supply_release(struct supply *s, struct utterance *u)
{
	/* Of what was interrupted there is no sound to keep yet. */
	if ((u->order || u->session) && may_be_kept(u)) {
		struct short_text t;

		key_of(&t, s, u);
		warmer_want(s->warmer, &t.key);
	}
	studio_cancel(u->order);
	u->order = NULL;
	source_free(u->source);
	u->source = NULL;
	fast_speech_free(u->fast);
	u->fast = NULL;
	studio_return(s->d->studio, u->session);
	u->session = NULL;
}

void supply_idle(struct supply *s, bool idle)
{
	warmer_idle(s->warmer, idle);
}

struct fast *supply_other_voice(const struct supply *s)
{
	return s->other_languages && fast_possible(s->fast) ? s->fast : NULL;
}

struct supply_info supply_info(const struct supply *s)
{
	return (struct supply_info){
		.fast = s->use_fast && fast_ready(s->fast),
		.entries = cache_entries(s->cache),
		.bytes = cache_bytes(s->cache),
		.cached = s->cached,
		.spoken = s->spoken,
	};
}

/* --- the supply --- */

void supply_configure(struct supply *s, const struct conf *conf)
{
	s->use_fast = conf->speech.fast_voice;
	s->other_languages = conf->speech.other_languages;
	if (s->use_fast || s->other_languages)
		fast_open(s->fast);
	/* The model, its voice or how it samples may be another. */
	cache_clear(s->cache);
	cache_limit(s->cache, (size_t)conf->speech.cache_kb * 1024);
	warmer_forget(s->warmer);
}

int supply_new(struct supply **ret, struct daemon *d)
{
	struct supply *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->d = d;
	r = cache_new(&s->cache);
	if (r == 0)
		r = fast_new(&s->fast, d->event);
	if (r == 0)
		r = warmer_new(&s->warmer, d, s->cache);
	if (r < 0) {
		supply_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void supply_free(struct supply *s)
{
	if (!s)
		return;
	warmer_free(s->warmer);
	fast_free(s->fast);
	cache_free(s->cache);
	free(s);
}
