/* SPDX-License-Identifier: MIT */
/*
 * Who speaks next: Speech Dispatcher's five priorities (SSIP, "Priority
 * Categories") as a state machine without I/O. An item is spoken (the
 * current one), waiting, or kept: the newest `progress` that found others
 * before it, spoken as a `message` when they are through, so that the end of
 * a series is always heard.
 *
 * Items belong to the caller, who embeds a struct queue_item; the queue links
 * them. Leaving it by the rules is told by `drop`, once an item, after it was
 * unlinked; the callback may free the item but not call the queue.
 */
#ifndef BARKD_QUEUE_H
#define BARKD_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum queue_priority {
	QUEUE_IMPORTANT,
	QUEUE_MESSAGE,
	QUEUE_TEXT,
	QUEUE_NOTIFICATION,
	QUEUE_PROGRESS,
	QUEUE_N_PRIORITIES,
};

/* The priorities' names, in order. */
extern const char *const queue_priority_names[QUEUE_N_PRIORITIES];
/* -EINVAL for an unknown name. */
int queue_priority_parse(const char *name);

struct queue_item {
	uint64_t id;                  /* rises with arrival; set by the caller */
	enum queue_priority priority; /* a kept progress becomes a message */
	bool patient; /* waits and drops nothing; of no matter to progress */
	struct queue_item *next;      /* the queue's */
};

struct queue {
	struct queue_item *waiting[QUEUE_N_PRIORITIES]; /* oldest first */
	struct queue_item *current; /* being spoken, or NULL */
	struct queue_item *kept;    /* progress, or NULL */
	size_t n_waiting;           /* kept included */
	void (*drop)(void *data, struct queue_item *item);
	void *data;
};

void queue_init(struct queue *q,
		void (*drop)(void *data, struct queue_item *item), void *data);

/*
 * A new item arrives: drops what it interrupts or replaces, the current item
 * included (then q->current is NULL). The item itself may be dropped.
 */
void queue_push(struct queue *q, struct queue_item *item);

/*
 * When nothing is spoken: takes the next item, makes it current. NULL: none.
 */
struct queue_item *queue_next(struct queue *q);
/* What queue_next() would take were the current item through; changes
 * nothing. */
struct queue_item *queue_peek(const struct queue *q);

/* The current item was spoken or given up. Not told by `drop`. */
void queue_done(struct queue *q);
/* Takes one item out, current or not; false when it is not in the queue. Not
 * told by `drop`. */
bool queue_remove(struct queue *q, struct queue_item *item);

/* The item of an id, current or waiting, or NULL. */
struct queue_item *queue_find(const struct queue *q, uint64_t id);

/* Calls visit for each waiting item in the order of speaking. */
void queue_each(const struct queue *q,
		void (*visit)(void *data, const struct queue_item *item),
		void *data);

#endif
