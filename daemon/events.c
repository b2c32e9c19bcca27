/* SPDX-License-Identifier: MIT */
#include "events.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "words.h"

/* A listener that is behind by so much has lost what it came for. */
#define STORE (256 * 1024)
/* Longer texts are cut; escaped they must fit into the store. */
#define TEXT_MAX (32 * 1024)
/* Ticks while something is spoken: until the first sound, between words,
 * with levels, at the least. */
#define TICK_FIRST_MS 15.0
#define TICK_WORD_MS 200.0
#define TICK_LEVEL_MS 50.0
#define TICK_MIN_MS 3.0
/* What comes after a connection is lost. */
#define RETRY_MS 1000

struct listener_client {
	struct events *events;
	struct http_request *req;
	bool levels;
	struct listener_client *next;
};

struct events {
	struct daemon *d;
	struct listener_client *clients;
	unsigned n_clients;
	sd_event_source *timer;
	uint64_t last_id; /* of the events */
	double pace;      /* of the voice that spoke last */
	double last_level_ms;
};

/* --- listeners --- */

static void remove_client(struct events *e, struct listener_client *c)
{
	struct listener_client **at = &e->clients;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	e->n_clients--;
	free(c);
}

static void on_gone(void *data, struct http_request *req)
{
	struct listener_client *c = data;

	remove_client(c->events, c);
}

/* Sends a text to one; false: it was too slow and is no more. */
static bool send_to(struct events *e, struct listener_client *c,
		    const char *text, size_t n)
{
	if (http_stream_write(c->req, text, n) == 0)
		return true;
	http_stream_end(c->req, true);
	remove_client(e, c);
	return false;
}

static char *event_text(struct events *e, const char *name, json_t *data,
			size_t *ret_n)
{
	char *json = data ? json_dumps(data, JSON_COMPACT) : NULL, *text;
	int n = -1;

	json_decref(data);
	if (json)
		n = asprintf(&text, "id: %llu\nevent: %s\ndata: %s\n\n",
			     (unsigned long long)++e->last_id, name, json);
	free(json);
	if (n < 0)
		return NULL;
	*ret_n = (size_t)n;
	return text;
}

/* Takes the reference. levels: only to those who want them. */
static void send_event(struct events *e, const char *name, json_t *data,
		       bool levels)
{
	size_t n;
	char *text;

	if (!e->clients) {
		json_decref(data);
		return;
	}
	text = event_text(e, name, data, &n);
	for (struct listener_client *c = e->clients, *next; text && c;
	     c = next) {
		next = c->next;
		if (!levels || c->levels)
			send_to(e, c, text, n);
	}
	free(text);
}

/* --- what is told --- */

static json_int_t id_of(const struct utterance *u)
{
	return (json_int_t)u->item.id;
}

static json_t *describe(struct events *e, const struct utterance *u)
{
	const struct speak_request *q = &u->request;
	size_t n = q->n_text < TEXT_MAX ? q->n_text : TEXT_MAX;

	while (n < q->n_text && ((unsigned char)q->text[n] & 0xc0) == 0x80)
		n--;
	return json_pack("{s:I, s:s%, s:s, s:s, s:s*, s:s*}", "id", id_of(u), "text",
			 q->text, n, "voice",
			 q->voice ? q->voice : voice_default(e->d),
			 "priority", queue_priority_names[q->priority],
			 "user", q->user, "tag", q->tag);
}

static json_t *describe_span(const struct utterance *u, size_t begin,
			     size_t end)
{
	return json_pack("{s:I, s:I, s:I}", "id", id_of(u), "begin",
			 (json_int_t)begin, "end", (json_int_t)end);
}

static json_t *describe_word(const struct utterance *u, const struct word *w)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:s*}", "id", id_of(u),
			 "begin", (json_int_t)w->begin, "end",
			 (json_int_t)w->end, "char_begin",
			 (json_int_t)w->char_begin, "char_end",
			 (json_int_t)w->char_end, "tag", u->request.tag);
}

/* --- what is heard --- */

/* Milliseconds heard of an utterance that plays or has played. */
static double heard_ms(const struct events *e, const struct utterance *u)
{
	double left;

	if (u->events.length_ms < 0)
		return speaker_played_ms(e->d->speaker);
	left = (double)speaker_until_heard(e->d->speaker, u->end) / 1e3;
	return u->events.length_ms - left;
}

/* Tells what was heard of u since the last time; returns the milliseconds
 * until there is more to tell, INFINITY: nobody knows. */
static double tell_heard(struct events *e, struct utterance *u)
{
	struct utterance_events *ue = &u->events;
	double heard = heard_ms(e, u), at;
	size_t begin, end;
	ssize_t segment;

	if (heard <= 0)
		return TICK_FIRST_MS;
	if (!ue->begun) {
		ue->begun = true;
		send_event(e, "begin", describe(e, u), false);
	}
	if (!ue->words)
		return INFINITY;
	at = heard * ue->speed;
	segment = words_segment_at(ue->words, at, &begin, &end);
	if (segment > ue->segment) {
		ue->segment = segment;
		send_event(e, "sentence", describe_span(u, begin, end), false);
	}
	for (;;) {
		size_t next = words_next(ue->words, ue->next_word);
		double due;

		if (next >= words_count(ue->words))
			break;
		due = words_time(ue->words, next);
		if (due > at)
			return (due - at) / ue->speed;
		send_event(e, "word",
			   describe_word(u, words_get(ue->words, next)), false);
		ue->next_word = next + 1;
	}
	return INFINITY;
}

static struct utterance *current_of(const struct events *e)
{
	return (struct utterance *)e->d->queue.current;
}

static bool wants_levels(const struct events *e)
{
	for (const struct listener_client *c = e->clients; c; c = c->next)
		if (c->levels)
			return true;
	return false;
}

static double decibel(float v)
{
	double db = v > 0 ? 20 * log10(v) : -120;

	return round(db * 10) / 10;
}

static void tell_level(struct events *e)
{
	struct level l = speaker_level(e->d->speaker);

	send_event(e, "level",
		   json_pack("{s:f, s:f}", "rms_db", decibel(l.rms),
			     "peak_db", decibel(l.peak)),
		   true);
}

static void arm(struct events *e, double ms)
{
	sd_event_source_set_time_relative(e->timer, (uint64_t)(ms * 1e3));
	sd_event_source_set_enabled(e->timer, SD_EVENT_ONESHOT);
}

/* Tells what is due and sets the clock for the next time. */
static void tick(struct events *e)
{
	struct utterance *u = current_of(e);
	double next = TICK_WORD_MS;
	bool playing = speaker_busy(e->d->speaker) && u;

	if (!e->clients || (!playing && !e->d->tail)) {
		sd_event_source_set_enabled(e->timer, SD_EVENT_OFF);
		return;
	}
	for (struct utterance *t = e->d->tail; t; t = t->next)
		next = fmin(next, tell_heard(e, t));
	if (playing)
		next = fmin(next, tell_heard(e, u));
	if (wants_levels(e)) {
		double now = (double)daemon_now_ns() / 1e6;

		if (now >= e->last_level_ms + TICK_LEVEL_MS - 1) {
			e->last_level_ms = now;
			tell_level(e);
		}
		next = fmin(next, e->last_level_ms + TICK_LEVEL_MS - now);
	}
	if (e->d->paused)
		sd_event_source_set_enabled(e->timer, SD_EVENT_OFF);
	else
		arm(e, fmax(next, TICK_MIN_MS));
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	tick(userdata);
	return 0;
}

/* --- what happens --- */

void events_queued(struct events *e, const struct utterance *u)
{
	send_event(e, "queued", describe(e, u), false);
}

static void scan(struct utterance *u)
{
	const struct speak_request *q = &u->request;

	/* Without memory its words are not told. */
	if (u->events.words)
		words_scan(u->events.words, q->text, q->n_text, q->language);
}

void events_play(struct events *e, struct utterance *u, double speed)
{
	struct utterance_events *ue = &u->events;

	*ue = (struct utterance_events){
		.segment = -1, .speed = speed, .length_ms = -1,
	};
	if (words_new(&ue->words) == 0)
		words_set_pace(ue->words, e->pace);
	if (e->clients)
		scan(u);
	tick(e);
}

void events_segment(struct events *e, struct utterance *u,
		    const struct bark_event *event)
{
	struct words *w = u->events.words;
	double ms = (double)event->sample * 1e3 / source_rate(u->source);

	if (!w)
		return;
	if (event->type == BARK_EVENT_SEGMENT_BEGIN) {
		words_segment_begin(w, event->text_begin, event->text_end, ms);
	} else if (event->type == BARK_EVENT_SEGMENT_END) {
		words_segment_end(w, ms);
		e->pace = words_pace(w);
	}
	if (e->clients)
		tick(e);
}

void events_end(struct events *e, struct utterance *u, const char *state)
{
	if (!e->clients)
		return;
	/* The last words of what was heard to its end. */
	if (strcmp(state, "done") == 0 && u->events.words)
		tell_heard(e, u);
	send_event(e, "end",
		   json_pack("{s:I, s:s, s:I, s:s*}", "id", id_of(u), "state",
			     state, "played_ms", (json_int_t)u->played_ms,
			     "why", *u->why ? u->why : NULL),
		   false);
}

void events_paused(struct events *e, bool paused)
{
	if (!e->clients)
		return;
	send_event(e, paused ? "paused" : "resumed", json_object(), false);
	tick(e);
}

void events_status(struct events *e)
{
	if (e && e->clients)
		send_event(e, "status",
			   json_pack("{s:s}", "state", view_state(e->d)),
			   false);
}

/* --- a listener comes --- */

/* What it would know had it been here before. */
static bool tell_all(struct events *e, struct listener_client *c)
{
	const struct utterance *u = current_of(e);
	char *text, retry[32];
	size_t n;
	bool alive;

	snprintf(retry, sizeof(retry), "retry: %d\n\n", RETRY_MS);
	if (!send_to(e, c, retry, strlen(retry)))
		return false;
	text = event_text(e, "hello",
			  json_pack("{s:s, s:s, s:b}", "version",
				    BARKD_VERSION, "state", view_state(e->d),
				    "paused", e->d->paused),
			  &n);
	alive = text && send_to(e, c, text, n);
	free(text);
	if (!alive || !u || !u->events.begun)
		return alive;
	text = event_text(e, "begin", describe(e, u), &n);
	alive = text && send_to(e, c, text, n);
	free(text);
	if (!alive || !u->events.words || !u->events.next_word)
		return alive;
	text = event_text(e, "word",
			  describe_word(u, words_get(u->events.words,
						     u->events.next_word - 1)),
			  &n);
	alive = text && send_to(e, c, text, n);
	free(text);
	return alive;
}

/* What was heard before somebody listens is told to nobody. */
static void catch_up(struct events *e)
{
	struct utterance *u = current_of(e);

	for (struct utterance *t = e->d->tail; t; t = t->next) {
		scan(t);
		tell_heard(e, t);
	}
	if (u && speaker_busy(e->d->speaker)) {
		scan(u);
		tell_heard(e, u);
	}
}

int events_listen(struct events *e, struct http_request *req, bool levels)
{
	static const struct http_watch watch = {.gone = on_gone};
	struct listener_client *c;
	int r;

	if (e->n_clients >= EVENTS_LISTENERS_MAX)
		return -EBUSY;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = (struct listener_client){
		.events = e, .req = req, .levels = levels,
	};
	http_add_header(req, "Cache-Control", "no-store");
	r = http_stream_begin(req, 200, "text/event-stream", STORE);
	if (r < 0) {
		free(c);
		return r;
	}
	http_set_watch(req, &watch, c);
	catch_up(e);
	c->next = e->clients;
	e->clients = c;
	e->n_clients++;
	if (tell_all(e, c))
		tick(e);
	return 0;
}

int events_new(struct events **ret, struct daemon *d)
{
	struct events *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	e->d = d;
	e->pace = WORDS_PACE;
	r = sd_event_add_time_relative(d->event, &e->timer, CLOCK_MONOTONIC, 0,
				       1000, on_timer, e);
	if (r >= 0)
		r = sd_event_source_set_enabled(e->timer, SD_EVENT_OFF);
	if (r < 0) {
		events_free(e);
		return r;
	}
	*ret = e;
	return 0;
}

void events_free(struct events *e)
{
	if (!e)
		return;
	while (e->clients) {
		http_stream_end(e->clients->req, false);
		remove_client(e, e->clients);
	}
	sd_event_source_disable_unref(e->timer);
	free(e);
}

void utterance_events_clear(struct utterance_events *ue)
{
	words_free(ue->words);
	ue->words = NULL;
}
