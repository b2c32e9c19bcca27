/* SPDX-License-Identifier: MIT */
#include "speech.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../say.h"
#include "utf8.h"

/* What a blind user feels as at once, and as late. */
#define ECHO_MS 30
#define SENTENCE_MS 500

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void speech_init(struct speech *s, struct barkd_client *client)
{
	*s = (struct speech){.client = client, .fds = {-1, -1}};
	word_events_init(&s->words);
}

/* Closing a connection stops its utterance; the next one's first, so that
 * it does not begin. */
static void hang_up(struct speech *s)
{
	for (int i = SPEECH_PARTS - 1; i >= 0; i--) {
		if (s->fds[i] >= 0)
			close(s->fds[i]);
		s->fds[i] = -1;
	}
}

static void end(struct speech *s, const char *event)
{
	hang_up(s);
	serve_stop(&s->serve);
	word_events_close(&s->words);
	s->active = false;
	s->waits_ms = 0;
	text_clear(&s->text);
	free(s->voice);
	free(s->language);
	s->voice = s->language = NULL;
	puts(event);
}

static void fail(struct speech *s)
{
	fprintf(stderr, "sd_barkd: %s\n", barkd_client_message(s->client));
	end(s, "703 STOP");
}

/* By which barkd's events tell the parts of messages apart. */
static void tag_of(const struct speech *s, size_t part, char tag[WORD_TAG_ROOM])
{
	snprintf(tag, WORD_TAG_ROOM, "sd-%d-%lu-%zu", (int)getpid(), s->serial,
		 part);
}

/* Asks for part `heard` + i. */
static int ask(struct speech *s, int i)
{
	const struct text_part *part = &s->text.parts[s->heard + (size_t)i];
	struct barkd_say say = s->how;
	char tag[WORD_TAG_ROOM];

	say.text = part->text;
	say.voice = s->voice;
	say.language = *part->language ? part->language : s->language;
	say_set_factors(&say, say.rate * part->rate, say.pitch * part->pitch,
			say.volume * part->volume,
			s->served ? CONF_SPEED_MAX : CONF_RATE_MAX);
	if (s->served)
		return serve_start(&s->serve, s->client, &say, part->pause_ms);
	tag_of(s, s->heard + (size_t)i, tag);
	say.tag = tag;
	return barkd_client_say_start(s->client, &say, &s->fds[i]);
}

/* Tells the marks of the part that stand before its byte `at`. */
static void tell_marks(struct speech *s, size_t at)
{
	const struct text_part *part = &s->text.parts[s->heard];

	while (s->next_mark < part->n_marks &&
	       part->marks[s->next_mark].at <= at)
		printf("700-%s\n700 INDEX MARK\n",
		       part->marks[s->next_mark++].name);
}

/* The part was heard; true: the message is over. */
static bool part_heard(struct speech *s)
{
	char *mark = s->text.parts[s->heard].mark;

	tell_marks(s, SIZE_MAX);
	s->next_mark = 0;
	s->waited = false;
	if (mark)
		printf("700-%s\n700 INDEX MARK\n", mark);
	s->heard++;
	if (mark && s->pausing)
		end(s, "704 PAUSE");
	else if (s->heard == s->text.n)
		end(s, "702 END");
	return !s->active;
}

/* Whether the pause before the part to be heard is still to last. Where Speech
 * Dispatcher plays, silence is sent instead. */
static bool waits(struct speech *s)
{
	unsigned ms = s->text.parts[s->heard].pause_ms;

	if (!ms || s->waited || s->served)
		return false;
	if (!s->waits_ms)
		s->waits_ms = now_ms() + ms;
	if (now_ms() < s->waits_ms)
		return true;
	s->waits_ms = 0;
	s->waited = true;
	return false;
}

/* A part that nothing is asked for. */
static bool is_silent(const struct speech *s, const struct text_part *part)
{
	return !*part->text && !(s->served && part->pause_ms);
}

/* Whether part `heard` + i may be asked for now. */
static bool may_ask(const struct speech *s, size_t i)
{
	const struct text_part *part = &s->text.parts[s->heard + i];

	if (s->heard + i >= s->text.n || is_silent(s, part))
		return false;
	/* What comes next is not to begin before the pause in between. */
	return i == 0 || (!s->pausing && !part->pause_ms);
}

/* Asks for as much as may be asked for; silent parts are through at once. */
static void fill(struct speech *s)
{
	/* One after the other: Speech Dispatcher has some in store. */
	int most = s->served ? 1 : SPEECH_PARTS;

	while (s->fds[0] < 0 && !s->serve.active) {
		if (waits(s))
			return;
		if (!is_silent(s, &s->text.parts[s->heard]))
			break;
		if (part_heard(s))
			return;
	}
	for (int i = 0; i < most; i++) {
		if (s->fds[i] >= 0 || s->serve.active)
			continue;
		if (!may_ask(s, (size_t)i))
			return;
		if (ask(s, i) < 0) {
			fail(s);
			return;
		}
	}
}

void speech_start(struct speech *s, struct text *text,
		  const struct settings *settings, bool echo)
{
	speech_stop(s);
	s->text = *text;
	*text = (struct text){0};
	s->heard = s->next_mark = 0;
	s->serial++;
	s->pausing = s->waited = false;
	s->active = true;
	settings_apply(settings, &s->how, &s->voice, &s->language);
	s->how.deadline_ms = echo ? ECHO_MS : SENTENCE_MS;
	puts("701 BEGIN");
	/* A key is over before anybody could follow where it is. */
	if (echo)
		tell_marks(s, 0);
	/* Before the first word can be heard. Without, marks come late. */
	for (size_t i = 0; i < s->text.n; i++) {
		if (s->text.parts[i].n_marks && !s->served && !echo) {
			word_events_open(&s->words, s->client);
			break;
		}
	}
	fill(s);
}

void speech_stop(struct speech *s)
{
	if (s->active)
		end(s, "703 STOP");
}

void speech_pause(struct speech *s)
{
	if (!s->active)
		return;
	s->pausing = true;
	if (s->fds[1] >= 0)
		close(s->fds[1]);
	s->fds[1] = -1;
}

void speech_poll(const struct speech *s, struct pollfd fds[SPEECH_FDS])
{
	for (int i = 0; i < SPEECH_PARTS; i++)
		fds[i] = (struct pollfd){.fd = s->fds[i], .events = POLLIN};
	if (s->served)
		fds[0].fd = serve_fd(&s->serve);
	fds[SPEECH_PARTS] = (struct pollfd){
		.fd = word_events_fd(&s->words), .events = POLLIN,
	};
}

int speech_timeout(const struct speech *s)
{
	uint64_t now;

	if (s->active && s->serve.active && s->serve.more)
		return 0;
	if (!s->active || !s->waits_ms)
		return -1;
	now = now_ms();
	return now < s->waits_ms ? (int)(s->waits_ms - now) : 0;
}

/* The part was not spoken. */
static void refused(struct speech *s, int r)
{
	if (r == -ECANCELED)
		end(s, "703 STOP");
	else
		fail(s);
}

/* One block of sound, or one word. */
static void serve_on(struct speech *s)
{
	size_t at;
	int r = serve_step(&s->serve, &at);

	s->serve.more = r > 0;
	if (r == 2)
		tell_marks(s, utf8_bytes(s->text.parts[s->heard].text, at));
	if (r >= 0)
		return;
	serve_stop(&s->serve);
	if (r != -ENODATA)
		refused(s, r);
	else if (!part_heard(s))
		fill(s);
}

void speech_step(struct speech *s, const struct pollfd fds[SPEECH_FDS])
{
	char tag[WORD_TAG_ROOM];
	size_t at;
	int r;

	if (s->active && fds[SPEECH_PARTS].revents) {
		tag_of(s, s->heard, tag);
		while (word_events_next(&s->words, tag, &at))
			tell_marks(s, at);
	}
	if (s->active && s->serve.active) {
		serve_on(s);
		return;
	}
	if (s->active && s->waits_ms)
		fill(s);
	/* A stop may have been read since poll(). */
	while (s->active && s->fds[0] >= 0 && s->fds[0] == fds[0].fd &&
	       fds[0].revents) {
		r = barkd_client_say_finish(s->client, s->fds[0]);
		s->fds[0] = -1;
		if (r < 0) {
			refused(s, r);
			return;
		}
		if (part_heard(s))
			return;
		s->fds[0] = s->fds[1];
		s->fds[1] = -1;
		fill(s);
	}
}
