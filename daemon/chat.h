/* SPDX-License-Identifier: MIT */
/*
 * Which messages of a chat are spoken, and what is said of them: cool-downs,
 * caps, filters, a voice for each user. Texts and names are judged as they
 * would be heard. No I/O but for the list of words; the time is given.
 */
#ifndef BARKD_CHAT_H
#define BARKD_CHAT_H

#include <stddef.h>
#include <stdint.h>

#include "conf.h"

#define CHAT_USER_MAX 64     /* bytes of a name */
#define CHAT_EMOTES_MAX 64
#define CHAT_USERS_KEPT 512  /* whose last message is remembered */

enum chat_verdict {
	CHAT_SPEAK,
	CHAT_USER,          /* one of those who are ignored */
	CHAT_COMMAND,       /* it begins with "!" or the like */
	CHAT_COOLDOWN,      /* somebody has just written */
	CHAT_USER_COOLDOWN, /* this user has */
	CHAT_QUEUE,         /* enough waits already */
	CHAT_USER_QUEUE,    /* of this user */
	CHAT_LINK,
	CHAT_WORD,          /* the filter */
	CHAT_EMPTY,         /* nothing is left to say */
};

/* As the API names them. */
extern const char *const chat_verdict_names[];

struct chat;

/* A message; strings are UTF-8. */
struct chat_message {
	const char *user, *text;
	const char *const *emotes; /* words that are pictures, ended by NULL */
	unsigned waiting, user_waiting; /* chat messages in the queue */
};

/* Errors: -ENOMEM. */
int chat_new(struct chat **ret);
void chat_free(struct chat *c); /* NULL is fine */
/* Reads the list of words. Errors: of the file, logged; -ENOMEM. */
int chat_configure(struct chat *c, const struct conf *conf);

/* Decides; with CHAT_SPEAK *ret_text is to be freed (NULL without memory) and
 * the message counts for the cool-downs. now: milliseconds. */
enum chat_verdict chat_decide(struct chat *c, const struct chat_message *m,
			      uint64_t now, char **ret_text);
/*
 * Whose voice a user has: one that was given to this name, or one of the n
 * voices, always the same; NULL: the default. Valid until the next
 * chat_configure(), or one of the voices.
 */
const char *chat_voice(struct chat *c, const char *user,
		       const char *const *voices, size_t n);

#endif
