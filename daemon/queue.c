/* SPDX-License-Identifier: MIT */
#include "queue.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

const char *const queue_priority_names[QUEUE_N_PRIORITIES] = {
	"important", "message", "text", "notification", "progress",
};

int queue_priority_parse(const char *name)
{
	for (int i = 0; i < QUEUE_N_PRIORITIES; i++)
		if (strcmp(queue_priority_names[i], name) == 0)
			return i;
	return -EINVAL;
}

void queue_init(struct queue *q,
		void (*drop)(void *data, struct queue_item *item), void *data)
{
	*q = (struct queue){.drop = drop, .data = data};
}

/* --- lists --- */

/* Keeps a list in the order of arrival. */
static void insert(struct queue *q, struct queue_item *item)
{
	struct queue_item **at = &q->waiting[item->priority];

	while (*at && (*at)->id < item->id)
		at = &(*at)->next;
	item->next = *at;
	*at = item;
	q->n_waiting++;
}

/* Drops the waiting items of a priority that came before `before`. */
static void drop_waiting(struct queue *q, enum queue_priority priority,
			 uint64_t before)
{
	while (q->waiting[priority] && q->waiting[priority]->id < before) {
		struct queue_item *item = q->waiting[priority];

		q->waiting[priority] = item->next;
		item->next = NULL;
		q->n_waiting--;
		q->drop(q->data, item);
	}
}

static void drop_current(struct queue *q)
{
	struct queue_item *item = q->current;

	q->current = NULL;
	q->drop(q->data, item);
}

static void drop_kept(struct queue *q)
{
	struct queue_item *item = q->kept;

	if (!item)
		return;
	q->kept = NULL;
	q->n_waiting--;
	q->drop(q->data, item);
}

static void keep(struct queue *q, struct queue_item *item)
{
	drop_kept(q);
	q->kept = item;
	q->n_waiting++;
}

/* A progress that waits and has not begun is the newest of its series: it
 * steps back behind what came rather than being lost. */
static void put_progress_back(struct queue *q)
{
	struct queue_item *item = q->waiting[QUEUE_PROGRESS];

	if (!item)
		return;
	q->waiting[QUEUE_PROGRESS] = NULL;
	q->n_waiting--;
	keep(q, item);
}

static bool any_waiting(const struct queue *q)
{
	return q->n_waiting > 0;
}

static bool current_is(const struct queue *q, enum queue_priority first,
		       enum queue_priority last)
{
	return q->current && q->current->priority >= first &&
	       q->current->priority <= last;
}

/* --- the rules --- */

void queue_push(struct queue *q, struct queue_item *item)
{
	assert(item->priority < QUEUE_N_PRIORITIES);
	item->next = NULL;
	if (item->patient && item->priority != QUEUE_PROGRESS) {
		insert(q, item);
		return;
	}

	switch (item->priority) {
	case QUEUE_IMPORTANT:
		if (current_is(q, QUEUE_MESSAGE, QUEUE_PROGRESS))
			drop_current(q);
		drop_waiting(q, QUEUE_NOTIFICATION, UINT64_MAX);
		put_progress_back(q);
		break;
	case QUEUE_MESSAGE:
	case QUEUE_TEXT:
		if (current_is(q, QUEUE_TEXT, QUEUE_PROGRESS))
			drop_current(q);
		drop_waiting(q, QUEUE_TEXT, UINT64_MAX);
		drop_waiting(q, QUEUE_NOTIFICATION, UINT64_MAX);
		put_progress_back(q);
		break;
	case QUEUE_NOTIFICATION:
		drop_waiting(q, QUEUE_NOTIFICATION, UINT64_MAX);
		if (current_is(q, QUEUE_NOTIFICATION, QUEUE_NOTIFICATION))
			drop_current(q);
		if (q->current || any_waiting(q)) {
			q->drop(q->data, item);
			return;
		}
		break;
	case QUEUE_PROGRESS:
		drop_waiting(q, QUEUE_NOTIFICATION, UINT64_MAX);
		if (current_is(q, QUEUE_NOTIFICATION, QUEUE_NOTIFICATION))
			drop_current(q);
		/* Newer than one that waits to begin: takes its place. */
		drop_waiting(q, QUEUE_PROGRESS, UINT64_MAX);
		if (q->current || any_waiting(q)) {
			keep(q, item);
			return;
		}
		break;
	case QUEUE_N_PRIORITIES:
		return;
	}
	insert(q, item);
}

/* The kept progress becomes a message: as if that had come when it did. */
static void promote(struct queue *q)
{
	struct queue_item *item = q->kept;

	if (!item || q->waiting[QUEUE_PROGRESS])
		return;
	q->kept = NULL;
	q->n_waiting--;
	item->priority = QUEUE_MESSAGE;
	drop_waiting(q, QUEUE_TEXT, item->id);
	drop_waiting(q, QUEUE_NOTIFICATION, UINT64_MAX);
	insert(q, item);
}

struct queue_item *queue_next(struct queue *q)
{
	assert(!q->current);
	promote(q);
	for (int p = 0; p < QUEUE_N_PRIORITIES; p++) {
		struct queue_item *item = q->waiting[p];

		if (!item)
			continue;
		q->waiting[p] = item->next;
		item->next = NULL;
		q->n_waiting--;
		q->current = item;
		return item;
	}
	return NULL;
}

struct queue_item *queue_peek(const struct queue *q)
{
	struct queue_item *message = q->waiting[QUEUE_MESSAGE];

	if (q->waiting[QUEUE_IMPORTANT])
		return q->waiting[QUEUE_IMPORTANT];
	if (q->kept && (!message || q->kept->id < message->id))
		return q->kept;
	for (int p = QUEUE_MESSAGE; p < QUEUE_N_PRIORITIES; p++)
		if (q->waiting[p])
			return q->waiting[p];
	return NULL;
}

void queue_done(struct queue *q)
{
	q->current = NULL;
}

bool queue_remove(struct queue *q, struct queue_item *item)
{
	if (q->current == item) {
		q->current = NULL;
		return true;
	}
	if (q->kept == item) {
		q->kept = NULL;
		q->n_waiting--;
		return true;
	}
	for (struct queue_item **at = &q->waiting[item->priority]; *at;
	     at = &(*at)->next) {
		if (*at != item)
			continue;
		*at = item->next;
		item->next = NULL;
		q->n_waiting--;
		return true;
	}
	return false;
}

struct queue_item *queue_find(const struct queue *q, uint64_t id)
{
	if (q->current && q->current->id == id)
		return q->current;
	if (q->kept && q->kept->id == id)
		return q->kept;
	for (int p = 0; p < QUEUE_N_PRIORITIES; p++)
		for (struct queue_item *i = q->waiting[p]; i; i = i->next)
			if (i->id == id)
				return i;
	return NULL;
}

void queue_each(const struct queue *q,
		void (*visit)(void *data, const struct queue_item *item),
		void *data)
{
	const struct queue_item *kept = q->kept;

	for (int p = 0; p < QUEUE_N_PRIORITIES; p++) {
		for (const struct queue_item *i = q->waiting[p]; i;
		     i = i->next) {
			if (p == QUEUE_MESSAGE && kept && kept->id < i->id) {
				visit(data, kept);
				kept = NULL;
			}
			visit(data, i);
		}
		if (p == QUEUE_MESSAGE && kept)
			visit(data, kept);
	}
}
