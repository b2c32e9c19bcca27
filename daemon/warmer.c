/* SPDX-License-Identifier: MIT */
#include "warmer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "daemon.h"
#include "log.h"

#define WANTED_MAX 128
/* A pause so long is no pause between two keys. */
#define IDLE_US 1000000u
/* A text that takes longer is not worth the heat. */
#define TOO_SLOW_NS 2000000000u
#define DELAY_MS 10000 /* everything else comes first */
#define BLOCK 2400

struct wanted {
	char *text, *voice, *language; /* owned */
};

struct warmer {
	struct daemon *d;
	struct cache *cache;
	sd_event_source *timer, *io;
	bool idle, too_slow;
	struct wanted wanted[WANTED_MAX]; /* the next one first */
	size_t n;
	/* Being computed: wanted[0]. */
	struct studio_order *order;
	struct bark_session *session;
	struct source *source;
	uint64_t began;
};

static void wanted_clear(struct wanted *t)
{
	free(t->text);
	free(t->voice);
	free(t->language);
	*t = (struct wanted){0};
}

static void drop_first(struct warmer *w)
{
	wanted_clear(&w->wanted[0]);
	w->n--;
	memmove(w->wanted, w->wanted + 1, w->n * sizeof(*w->wanted));
}

/* What was begun is given up, not forgotten. */
static void give_up(struct warmer *w)
{
	studio_cancel(w->order);
	w->order = NULL;
	w->io = sd_event_source_disable_unref(w->io);
	source_free(w->source);
	w->source = NULL;
	studio_return(w->d->studio, w->session);
	w->session = NULL;
}

static void arm(struct warmer *w, uint64_t us)
{
	sd_event_source_set_time_relative(w->timer, us);
	sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

/* wanted[0] is through, kept or not. */
static void next(struct warmer *w)
{
	give_up(w);
	drop_first(w);
	if (daemon_now_ns() - w->began > TOO_SLOW_NS) {
		log_debug("the model is too slow to fill the cache");
		warmer_forget(w);
		w->too_slow = true;
	}
	if (w->n)
		arm(w, 0);
}

static struct cache_key key_of(const struct wanted *t)
{
	return (struct cache_key){t->text, t->voice, t->language};
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents,
		       void *userdata)
{
	struct warmer *w = userdata;
	struct cache_key key = key_of(&w->wanted[0]);
	struct bark_event event;
	struct sound *sound;
	float pcm[BLOCK];
	ssize_t n;

	while (source_event(w->source, &event) > 0)
		;
	n = source_read(w->source, pcm, BLOCK);
	if (n > 0 || n == -EAGAIN)
		return 0;
	sound = n == 0 ? source_recorded(w->source) : NULL;
	if (sound)
		cache_put(w->cache, &key, sound);
	sound_unref(sound);
	next(w);
	return 0;
}

static void on_session(void *data, int r, struct bark_session *session,
		       const char *why)
{
	struct warmer *w = data;
	unsigned rate = studio_info(w->d->studio).rate;

	w->order = NULL;
	w->session = session;
	if (r == 0) {
		bark_session_set_delay(session, DELAY_MS);
		w->source = source_of_session(session, rate,
					      rate * CACHE_SOUND_MAX_S);
		r = w->source ? sd_event_add_io(w->d->event, &w->io,
						source_fd(w->source), EPOLLIN,
						on_readable, w)
			      : -ENOMEM;
	}
	if (r < 0)
		next(w);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct warmer *w = userdata;
	struct studio_request request;

	while (w->n) {
		struct cache_key key = key_of(&w->wanted[0]);

		if (!cache_has(w->cache, &key))
			break;
		drop_first(w);
	}
	if (!w->idle || !w->n || w->order || w->session ||
	    studio_info(w->d->studio).state != STUDIO_READY)
		return 0;
	request = voice_request(w->d, w->wanted[0].text,
				  strlen(w->wanted[0].text),
				  w->wanted[0].voice, w->wanted[0].language);
	w->began = daemon_now_ns();
	studio_order(w->d->studio, &w->order, &request, on_session, w);
	return 0;
}

void warmer_idle(struct warmer *w, bool idle)
{
	if (w->idle == idle)
		return;
	w->idle = idle;
	sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
	if (!idle)
		give_up(w);
	else if (w->n)
		arm(w, IDLE_US);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

void warmer_want(struct warmer *w, const struct cache_key *key)
{
	struct wanted *t = &w->wanted[w->n];

	if (w->too_slow || w->n == WANTED_MAX || cache_has(w->cache, key))
		return;
	for (size_t i = 0; i < w->n; i++)
		if (same(w->wanted[i].text, key->text) &&
		    same(w->wanted[i].voice, key->voice) &&
		    same(w->wanted[i].language, key->language))
			return;
	*t = (struct wanted){
		.text = strdup(key->text),
		.voice = key->voice ? strdup(key->voice) : NULL,
		.language = key->language ? strdup(key->language) : NULL,
	};
	if (!t->text || (key->voice && !t->voice) ||
	    (key->language && !t->language)) {
		wanted_clear(t);
		return;
	}
	w->n++;
}

void warmer_forget(struct warmer *w)
{
	give_up(w);
	while (w->n)
		wanted_clear(&w->wanted[--w->n]);
	w->too_slow = false;
}

int warmer_new(struct warmer **ret, struct daemon *d, struct cache *cache)
{
	struct warmer *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->d = d;
	w->cache = cache;
	r = sd_event_add_time_relative(d->event, &w->timer, CLOCK_MONOTONIC, 0,
				       1000, on_timer, w);
	if (r >= 0)
		r = sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
	if (r < 0) {
		warmer_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

void warmer_free(struct warmer *w)
{
	if (!w)
		return;
	warmer_forget(w);
	sd_event_source_disable_unref(w->timer);
	free(w);
}
