/* SPDX-License-Identifier: MIT */
#include "chat.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "chat_filter.h"
#include "chat_text.h"
#include "clean_text.h"
#include "log.h"
#include "utf8.h"

#define USER_CHARACTERS 30
#define VOICE_ROOM 128

const char *const chat_verdict_names[] = {
	[CHAT_SPEAK] = "spoken",
	[CHAT_USER] = "ignored_user",
	[CHAT_COMMAND] = "command",
	[CHAT_COOLDOWN] = "cooldown",
	[CHAT_USER_COOLDOWN] = "user_cooldown",
	[CHAT_QUEUE] = "queue_full",
	[CHAT_USER_QUEUE] = "user_queue_full",
	[CHAT_LINK] = "link",
	[CHAT_WORD] = "filtered_word",
	[CHAT_EMPTY] = "empty",
};

struct user {
	char name[CHAT_USER_MAX + 1]; /* "": free */
	uint64_t at;
};

struct chat {
	/* The configuration's, copied; the middle two folded. */
	char *template, *ignored, *prefixes, *voices;
	unsigned max_length, user_queue, queue;
	double cooldown_s, user_cooldown_s;
	int links;
	bool hashed_voices;
	bool closed; /* the filter's words could not be read */
	struct chat_filter *filter; /* or NULL */

	struct user users[CHAT_USERS_KEPT];
	uint64_t last;
	bool any;
	char voice[VOICE_ROOM];
};

/* --- lists --- */

/* Whether a list of words, separated by spaces, has this one. */
static bool list_has(const char *list, const char *word)
{
	size_t n = strlen(word);

	while (list && *list) {
		size_t k;

		list += strspn(list, " ");
		k = strcspn(list, " ");
		if (k == n && n && strncmp(list, word, n) == 0)
			return true;
		list += k;
	}
	return false;
}

/* Bytes of the first character. */
static size_t first_length(const char *s)
{
	size_t n = 1;

	while (*s && !utf8_begins(s[n]))
		n++;
	return n;
}

/* Whether the first character is one of those that begin commands. */
static bool is_command(const struct chat *c, const char *folded)
{
	size_t n;

	folded += strspn(folded, " \t\r\n");
	n = first_length(folded);
	for (const char *p = c->prefixes; p && *p && *folded;
	     p += first_length(p))
		if (strncmp(p, folded, n) == 0)
			return true;
	return false;
}

/* --- the text --- */

static char *fill_in(const char *template, const char *user, const char *text)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	while (f && *template) {
		if (strncmp(template, "{user}", 6) == 0) {
			fputs(user, f);
			template += 6;
		} else if (strncmp(template, "{text}", 6) == 0) {
			fputs(text, f);
			template += 6;
		} else {
			fputc(*template++, f);
		}
	}
	if (!f || fclose(f) != 0) {
		free(out);
		return NULL;
	}
	return out;
}

/* "some_user42" is "some user". */
static char *name_of(const char *user)
{
	char *name = clean_text(user, false, USER_CHARACTERS);
	size_t n;

	for (char *p = name; p && *p; p++)
		if (*p == '_')
			*p = ' ';
	n = name ? strlen(name) : 0;
	while (n > 1 && (isdigit((unsigned char)name[n - 1]) ||
			 name[n - 1] == ' '))
		name[--n] = '\0';
	return name;
}

/* --- cool-downs --- */

static struct user *find_user(struct chat *c, const char *name)
{
	struct user *oldest = c->users;

	for (struct user *u = c->users; u < c->users + CHAT_USERS_KEPT; u++) {
		if (strcasecmp(u->name, name) == 0)
			return u;
		if (u->at < oldest->at)
			oldest = u;
	}
	/* One who has not written for longest is forgotten. */
	*oldest = (struct user){""};
	return oldest;
}

static bool too_soon(uint64_t last, uint64_t now, double seconds)
{
	return (double)(now - last) < seconds * 1000;
}

/* Who may write, and when. */
static enum chat_verdict judge_user(struct chat *c,
				    const struct chat_message *m,
				    const struct user *u, const char *folded,
				    bool command, uint64_t now)
{
	if (list_has(c->ignored, folded))
		return CHAT_USER;
	if (command)
		return CHAT_COMMAND;
	if (m->user_waiting >= c->user_queue)
		return CHAT_USER_QUEUE;
	if (m->waiting >= c->queue)
		return CHAT_QUEUE;
	if (*u->name && too_soon(u->at, now, c->user_cooldown_s))
		return CHAT_USER_COOLDOWN;
	if (c->any && too_soon(c->last, now, c->cooldown_s))
		return CHAT_COOLDOWN;
	return CHAT_SPEAK;
}

/* Without memory to judge by, it is not spoken. */
static bool is_filtered(const struct chat *c, const char *text)
{
	return c->filter && chat_filter_finds(c->filter, text) != 0;
}

static bool is_command_text(const struct chat *c, const char *text)
{
	char *folded = chat_fold(text);
	bool command = !folded || is_command(c, folded);

	free(folded);
	return command;
}

/* What would be said, and whether there was an address. */
static enum chat_verdict judge_text(const struct chat *c, const char *name,
				    const char *said, bool link)
{
	if (link && c->links == CONF_LINKS_NO)
		return CHAT_LINK;
	if (c->closed || is_filtered(c, said) || is_filtered(c, name))
		return CHAT_WORD;
	return *said ? CHAT_SPEAK : CHAT_EMPTY;
}

/* name: as it is said. */
static enum chat_verdict judge(struct chat *c, const struct chat_message *m,
			       struct user *u, const char *name, uint64_t now,
			       char **ret_text)
{
	const struct chat_text_rules rules = {
		.emotes = m->emotes,
		.links = (enum conf_links)c->links,
		.max = c->max_length,
	};
	bool link = false;
	char *said = chat_text(m->text, &rules, &link);
	char *user = chat_fold(m->user);
	enum chat_verdict verdict = CHAT_SPEAK;

	*ret_text = NULL;
	if (user && said) {
		verdict = judge_user(c, m, u, user,
				     is_command_text(c, m->text) ||
					     is_command_text(c, said),
				     now);
		if (verdict == CHAT_SPEAK)
			verdict = judge_text(c, name, said, link);
		if (verdict == CHAT_SPEAK)
			*ret_text = fill_in(c->template, name, said);
	}
	free(user);
	free(said);
	return verdict;
}

enum chat_verdict chat_decide(struct chat *c, const struct chat_message *m,
			      uint64_t now, char **ret_text)
{
	struct user *u = find_user(c, m->user);
	char *name = name_of(m->user);
	enum chat_verdict verdict = CHAT_SPEAK;

	*ret_text = NULL;
	if (name)
		verdict = judge(c, m, u, name, now, ret_text);
	free(name);
	if (verdict != CHAT_SPEAK)
		return verdict;
	snprintf(u->name, sizeof(u->name), "%s", m->user);
	u->at = c->last = now;
	c->any = true;
	return CHAT_SPEAK;
}

/* --- voices --- */

/* "alice:slt bob:v2/en_speaker_3" */
static bool given_voice(struct chat *c, const char *user)
{
	size_t n = strlen(user);
	const char *p = c->voices;

	while (p && *p) {
		size_t k;

		p += strspn(p, " ");
		k = strcspn(p, " ");
		if (k > n + 1 && p[n] == ':' && strncasecmp(p, user, n) == 0 &&
		    k - n - 1 < sizeof(c->voice)) {
			memcpy(c->voice, p + n + 1, k - n - 1);
			c->voice[k - n - 1] = '\0';
			return true;
		}
		p += k;
	}
	return false;
}

const char *chat_voice(struct chat *c, const char *user,
		       const char *const *voices, size_t n)
{
	uint32_t h = 2166136261u;

	if (given_voice(c, user))
		return c->voice;
	if (!c->hashed_voices || n == 0)
		return NULL;
	/* FNV-1a (Fowler, Noll, Vo). */
	for (; *user; user++)
		h = (h ^ (unsigned char)tolower((unsigned char)*user)) *
		    16777619u;
	return voices[h % n];
}

/* --- the rules --- */

static void clear_settings(struct chat *c)
{
	chat_filter_free(c->filter);
	free(c->template);
	free(c->ignored);
	free(c->prefixes);
	free(c->voices);
	c->filter = NULL;
	c->template = c->ignored = c->prefixes = c->voices = NULL;
}

static char *copy(const char *s, bool *failed)
{
	char *made = s ? strdup(s) : NULL;

	*failed |= s && !made;
	return made;
}

static char *fold(const char *s, bool *failed)
{
	char *made = s ? chat_fold(s) : NULL;

	*failed |= s && !made;
	return made;
}

int chat_configure(struct chat *c, const struct conf *conf)
{
	bool failed = false;
	int r = 0;

	clear_settings(c);
	c->template = copy(conf->chat.template, &failed);
	c->ignored = fold(conf->chat.ignore_users, &failed);
	c->prefixes = fold(conf->chat.ignore_prefixes, &failed);
	c->voices = copy(conf->chat.user_voices, &failed);
	c->max_length = conf->chat.max_length;
	c->user_queue = conf->chat.user_queue;
	c->queue = conf->chat.queue;
	c->cooldown_s = conf->chat.cooldown_s;
	c->user_cooldown_s = conf->chat.user_cooldown_s;
	c->links = conf->chat.links;
	c->hashed_voices = conf->chat.voices;
	c->closed = false;
	if (failed || !c->template)
		return -ENOMEM;
	if (!conf->chat.filter)
		return 0;
	r = chat_filter_load(&c->filter, conf->chat.filter);
	if (r < 0 && r != -ENOMEM) {
		/* Speaking what was to be kept back would be worse. */
		log_error("chat: %s: %s; no message is spoken",
			  conf->chat.filter, strerror(-r));
		c->closed = true;
		r = 0;
	}
	return r;
}

int chat_new(struct chat **ret)
{
	struct chat *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	*ret = c;
	return 0;
}

void chat_free(struct chat *c)
{
	if (!c)
		return;
	clear_settings(c);
	free(c);
}
