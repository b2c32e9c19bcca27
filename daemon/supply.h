/* SPDX-License-Identifier: MIT */
/*
 * Where an utterance gets its sound: a session of the model, or the fast voice
 * where the model does not speak the text's language; and for those with a
 * deadline (echoed keys, screen readers) the cache of short texts, or the fast
 * voice where the model would come too late. What the fast voice had
 * to say is computed by the model later, when nothing is spoken, so that it
 * is in the cache the next time.
 */
#ifndef BARKD_SUPPLY_H
#define BARKD_SUPPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"

struct daemon;
struct fast;
struct supply;
struct utterance;

struct supply_info {
	bool fast;               /* there is a fast voice */
	size_t entries, bytes;   /* of the cache */
	uint64_t cached, spoken; /* texts from the cache, by the fast voice */
};

/* Errors: -ENOMEM, -EAGAIN. */
int supply_new(struct supply **ret, struct daemon *d);
/* No utterance has anything of it any more. NULL is fine. */
void supply_free(struct supply *s);
void supply_configure(struct supply *s, const struct conf *conf);

/* Asks for u's sound; control_supplied() is called once, perhaps at once,
 * unless u is released before. */
void supply_order(struct supply *s, struct utterance *u);
/* Whether something has been asked for, or is there. */
bool supply_has(const struct utterance *u);
/* u's sound was read to its end: it may be kept. */
void supply_finished(struct supply *s, struct utterance *u);
/* Gives back what u has. */
void supply_release(struct supply *s, struct utterance *u);

/* The voice for texts in languages that the model does not speak, or NULL. */
struct fast *supply_other_voice(const struct supply *s);
/* Nothing is spoken: the time to compute what was wanted; or not any more. */
void supply_idle(struct supply *s, bool idle);
struct supply_info supply_info(const struct supply *s);

#endif
