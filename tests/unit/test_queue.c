/* SPDX-License-Identifier: MIT */
/*
 * Speech Dispatcher's priorities, rule by rule as SSIP's manual states them,
 * then random arrivals against what must always hold.
 */
#include "queue.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

/* A scenario is a line: letters arrive (I M T N P, lower-case ones patient),
 * '>' takes the next, '.' ends the current. Items are numbered by arrival from
 * 1. What happens is written as: sN spoken, dN dropped. */
struct run {
	struct queue q;
	struct queue_item items[64];
	unsigned n;
	char log[1024];
	bool dropped[64];
};

static void note(struct run *r, char what, const struct queue_item *item)
{
	size_t n = strlen(r->log);

	snprintf(r->log + n, sizeof(r->log) - n, "%s%c%u", n ? " " : "", what,
		 (unsigned)item->id);
}

static void on_drop(void *data, struct queue_item *item)
{
	struct run *r = data;

	note(r, 'd', item);
	if (r->dropped[item->id])
		abort();
	r->dropped[item->id] = true;
}

static void arrive(struct run *r, char letter)
{
	static const char letters[] = "IMTNPimtnp";
	struct queue_item *item = &r->items[r->n++];
	int place = (int)(strchr(letters, letter) - letters);

	item->id = r->n;
	item->priority = (enum queue_priority)(place % QUEUE_N_PRIORITIES);
	item->patient = place >= QUEUE_N_PRIORITIES;
	queue_push(&r->q, item);
}

static void next(struct run *r)
{
	struct queue_item *peek, *item;

	if (r->q.current)
		return;
	peek = queue_peek(&r->q);
	item = queue_next(&r->q);
	if (peek != item)
		abort();
	if (item)
		note(r, 's', item);
}

static void play(struct run *r, const char *script)
{
	for (const char *p = script; *p; p++) {
		if (*p == '>')
			next(r);
		else if (*p == '.')
			queue_done(&r->q);
		else
			arrive(r, *p);
	}
}

static const struct {
	const char *what, *script, *want;
} scenarios[] = {
	{"important interrupts message", "M>I>", "s1 d1 s2"},
	{"important interrupts text", "T>I>", "s1 d1 s2"},
	{"important interrupts notification", "N>I>", "s1 d1 s2"},
	{"important interrupts progress", "P>I>", "s1 d1 s2"},
	{"important is queued with important", "I>I>.>", "s1 s2"},
	{"important postpones waiting message and text", "I>MTI.>.>.>",
	 "s1 s4 s2 s3"},
	{"important drops waiting notification", "NI>.>", "d1 s2"},
	{"important puts waiting progress off", "PI>.>", "s2 s1"},
	{"nothing interrupts important", "I>MTNP", "s1 d4"},

	{"message interrupts text", "T>M>", "s1 d1 s2"},
	{"message interrupts notification", "N>M>", "s1 d1 s2"},
	{"message interrupts progress", "P>M>", "s1 d1 s2"},
	{"message does not interrupt message", "M>M.>.>", "s1 s2"},
	{"message drops waiting text", "I>TM.>.>", "s1 d2 s3"},
	{"messages keep their order", "M>MMM.>.>.>.>", "s1 s2 s3 s4"},

	{"text interrupts text", "T>T>", "s1 d1 s2"},
	{"of waiting texts the last is spoken", "M>TTT.>.>", "s1 d2 d3 s4"},
	{"text waits for message", "M>T.>", "s1 s2"},
	{"text waits for important", "I>T.>", "s1 s2"},
	{"text goes behind waiting messages", "M>MT.>.>.>", "s1 s2 s3"},
	{"text interrupts notification", "N>T>", "s1 d1 s2"},
	{"text interrupts progress", "P>T>", "s1 d1 s2"},
	{"text drops waiting notification", "NT>", "d1 s2"},

	{"notification is spoken when alone", "N>.", "s1"},
	{"notification is dropped by important", "I>N.>", "s1 d2"},
	{"notification is dropped by message", "M>N.>", "s1 d2"},
	{"notification is dropped by text", "T>N.>", "s1 d2"},
	{"notification is dropped by progress", "P>N.>", "s1 d2"},
	{"notification is dropped by a waiting text", "TN>.>", "d2 s1"},
	{"notification interrupts notification", "N>N>", "s1 d1 s2"},
	{"of waiting notifications the last is spoken", "NNN>.>",
	 "d1 d2 s3"},

	{"progress is spoken when alone", "P>.>", "s1"},
	{"progress does not interrupt progress", "P>P.>", "s1 s2"},
	{"of a series the first and the last are spoken", "P>PPPP.>.>",
	 "s1 d2 d3 d4 s5"},
	{"the last of a series is spoken after a text", "T>PPP.>.>",
	 "s1 d2 d3 s4"},
	{"the last of a series counts as a message", "T>P.>T.>.>",
	 "s1 s2 s3"},
	{"the last of a series drops notifications", "T>P.N>", "s1 d3 s2"},
	{"progress drops notification", "N>P>", "s1 d1 s2"},
	{"progress put off stands before newer messages", "M>PM.>.>.>",
	 "s1 s2 s3"},
	{"progress put off stands behind older messages", "M>MP.>.>.>",
	 "s1 s2 s3"},
	{"progress put off drops older text only", "I>TPT.>.>.>",
	 "s1 d2 s3 s4"},
	{"progress put off drops older text that still waits", "I>TP.>.>.>",
	 "s1 d2 s3"},
	{"a patient message waits for text", "T>m.>", "s1 s2"},
	{"a patient message goes before waiting texts", "M>Tm.>.>", "s1 s3 s2"},
	{"a patient important waits", "T>i.>", "s1 s2"},
	{"patient notifications wait for one another", "n>nn.>.>.>",
	 "s1 s2 s3"},
	{"a patient notification waits for text", "T>n.>", "s1 s2"},
	{"a patient message drops no notification", "n>nm.>.>",
	 "s1 s3 s2"},
	{"a text that comes later drops patient notifications", "M>nnT.>",
	 "s1 d2 d3 s4"},
	{"a patient progress is one like others", "P>ppp.>", "s1 d2 d3 s4"},
	{"a newer progress replaces one that waits to begin", "PP>.>",
	 "d1 s2"},
};

static void test_scenarios(void)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++) {
		struct run r = {0};
		char name[128];

		queue_init(&r.q, on_drop, &r);
		play(&r, scenarios[i].script);
		snprintf(name, sizeof(name), "queue: %s", scenarios[i].what);
		if (strcmp(r.log, scenarios[i].want) != 0)
			tap_not_ok(name, "%s gave \"%s\", not \"%s\"",
				   scenarios[i].script, r.log,
				   scenarios[i].want);
		else
			tap_ok(name);
	}
}

struct seen {
	unsigned n;
	uint64_t first;
};

static void on_each(void *data, const struct queue_item *item)
{
	struct seen *s = data;

	if (s->n++ == 0)
		s->first = item->id;
}

static void test_random(void)
{
	const char *name = "queue: random arrivals";

	srand(1);
	for (int round = 0; round < 20000; round++) {
		struct run r = {0};
		unsigned spoken = 0, dropped = 0;
		bool done[65] = {false};

		queue_init(&r.q, on_drop, &r);
		for (int step = 0; step < 60; step++) {
			struct seen seen = {0};
			struct queue_item *was = r.q.current;
			int what = rand() % 8;
			bool patient = round % 2 && rand() % 2;

			r.log[0] = '\0';
			if (what < 5) {
				arrive(&r, (patient ? "imtnp"
						     : "IMTNP")[what]);
				/* Never interrupted, never lost. */
				TAP_CHECK(name, !was ||
					  was->priority != QUEUE_IMPORTANT ||
					  r.q.current == was);
				TAP_CHECK(name,
					  what > 1 || !r.dropped[r.n]);
			} else if (what == 5) {
				next(&r);
				if (r.q.current && r.q.current != was)
					done[r.q.current->id] = true;
			} else if (what == 6) {
				queue_done(&r.q);
			} else if (r.n) {
				struct queue_item *it =
					&r.items[(unsigned)rand() % r.n];
				bool in = queue_remove(&r.q, it);

				/* Only what is in can be taken out. */
				TAP_CHECK(name, !in || !r.dropped[it->id]);
				if (in)
					done[it->id] = true;
			}
			queue_each(&r.q, on_each, &seen);
			TAP_CHECK(name, seen.n == r.q.n_waiting);
			TAP_CHECK(name, seen.n == 0 ||
				  queue_peek(&r.q)->id == seen.first);
			TAP_CHECK(name, !r.q.waiting[QUEUE_PROGRESS] ||
				  !r.q.waiting[QUEUE_PROGRESS]->next);
			if (round % 2)
				continue;
			/* At most one of each of these can wait. */
			TAP_CHECK(name, !r.q.waiting[QUEUE_TEXT] ||
				  !r.q.waiting[QUEUE_TEXT]->next);
			TAP_CHECK(name, !r.q.waiting[QUEUE_NOTIFICATION] ||
				  r.q.n_waiting == 1);
			TAP_CHECK(name, !r.q.waiting[QUEUE_PROGRESS] ||
				  r.q.n_waiting == 1);
		}
		/* Everything ends: spoken, removed or dropped, not twice. */
		queue_done(&r.q);
		for (int i = 0; i < 200; i++) {
			r.log[0] = '\0';
			next(&r);
			if (!r.q.current)
				break;
			done[r.q.current->id] = true;
			queue_done(&r.q);
		}
		TAP_CHECK(name, r.q.n_waiting == 0);
		for (unsigned id = 1; id <= r.n; id++) {
			spoken += done[id];
			dropped += r.dropped[id] && !done[id];
		}
		TAP_CHECK(name, spoken + dropped == r.n);
	}
	tap_ok(name);
}

int main(void)
{
	test_scenarios();
	test_random();
	return tap_failed;
}
