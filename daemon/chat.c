/* SPDX-License-Identifier: MIT */
#include "chat.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clean_text.h"
#include "log.h"

#define WORD_MAX 64      /* bytes */
#define REPEATED_MAX 3   /* the same character in a row */
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
	/* The configuration's, copied. */
	char *template, *ignored, *prefixes, *voices;
	unsigned max_length, user_queue, queue;
	double cooldown_s, user_cooldown_s;
	bool links, hashed_voices;
	bool closed; /* the filter's words could not be read */
	char **words; /* sorted, in lower case */
	size_t n_words;

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
		if (k == n && n && strncasecmp(list, word, n) == 0)
			return true;
		list += k;
	}
	return false;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void lower(char *s)
{
	for (; *s; s++)
		*s = (char)tolower((unsigned char)*s);
}

static int read_words(struct chat *c, const char *path)
{
	char line[256];
	FILE *f = fopen(path, "re");
	int r = 0;

	if (!f)
		return -errno;
	while (r == 0 && c->n_words < CHAT_WORDS_MAX &&
	       fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\r\n")] = '\0';
		if (!*line || *line == '#' || strlen(line) > WORD_MAX)
			continue;
		lower(line);
		c->words[c->n_words] = strdup(line);
		if (!c->words[c->n_words])
			r = -ENOMEM;
		else
			c->n_words++;
	}
	fclose(f);
	qsort(c->words, c->n_words, sizeof(*c->words), compare);
	return r;
}

/* Letters of any script: what a word is made of. */
static bool is_letter(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 ||
	       c == '\'';
}

static bool has_filtered_word(const struct chat *c, const char *text)
{
	char word[WORD_MAX + 1], *key = word;

	while (*text && c->n_words) {
		size_t n = 0;

		while (*text && !is_letter(*text))
			text++;
		while (is_letter(text[n]))
			n++;
		if (n > 0 && n <= WORD_MAX) {
			memcpy(word, text, n);
			word[n] = '\0';
			lower(word);
			if (bsearch(&key, c->words, c->n_words,
				    sizeof(*c->words), compare))
				return true;
		}
		text += n;
	}
	return false;
}

/* --- the text --- */

static bool is_emote(const struct chat_message *m, const char *word, size_t n)
{
	for (const char *const *e = m->emotes; e && *e; e++)
		if (strlen(*e) == n && memcmp(*e, word, n) == 0)
			return true;
	return false;
}

/* Without emotes, and without "looooool". */
static char *shorten(const struct chat_message *m)
{
	char *out = malloc(strlen(m->text) + 1), *at = out;
	const char *p = m->text;

	if (!out)
		return NULL;
	while (*p) {
		size_t n = strcspn(p, " \t\r\n");
		unsigned repeated = 0;

		if (n && is_emote(m, p, n)) {
			p += n;
			continue;
		}
		for (size_t i = 0; i < n; i++) {
			repeated = i && p[i] == p[i - 1] ? repeated + 1 : 1;
			if (repeated <= REPEATED_MAX)
				*at++ = p[i];
		}
		p += n;
		if (*p)
			*at++ = *p++;
	}
	*at = '\0';
	return out;
}

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

static enum chat_verdict judge(struct chat *c, const struct chat_message *m,
			       const struct user *u, uint64_t now)
{
	if (list_has(c->ignored, m->user))
		return CHAT_USER;
	if (c->prefixes && *m->text && strchr(c->prefixes, *m->text))
		return CHAT_COMMAND;
	if (m->user_waiting >= c->user_queue)
		return CHAT_USER_QUEUE;
	if (m->waiting >= c->queue)
		return CHAT_QUEUE;
	if (*u->name && too_soon(u->at, now, c->user_cooldown_s))
		return CHAT_USER_COOLDOWN;
	if (c->any && too_soon(c->last, now, c->cooldown_s))
		return CHAT_COOLDOWN;
	if (!c->links && (strcasestr(m->text, "http://") ||
			  strcasestr(m->text, "https://")))
		return CHAT_LINK;
	if (c->closed || has_filtered_word(c, m->text))
		return CHAT_WORD;
	return CHAT_SPEAK;
}

enum chat_verdict chat_decide(struct chat *c, const struct chat_message *m,
			      uint64_t now, char **ret_text)
{
	struct user *u = find_user(c, m->user);
	enum chat_verdict verdict = judge(c, m, u, now);
	char *name, *plain, *text;

	if (verdict != CHAT_SPEAK)
		return verdict;
	plain = shorten(m);
	text = plain ? clean_text(plain, false, c->max_length) : NULL;
	free(plain);
	if (text && !*text) {
		free(text);
		return CHAT_EMPTY;
	}
	name = name_of(m->user);
	*ret_text = text && name ? fill_in(c->template, name, text) : NULL;
	free(name);
	free(text);
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
	for (size_t i = 0; i < c->n_words; i++)
		free(c->words[i]);
	free(c->words);
	free(c->template);
	free(c->ignored);
	free(c->prefixes);
	free(c->voices);
	c->words = NULL;
	c->n_words = 0;
	c->template = c->ignored = c->prefixes = c->voices = NULL;
}

static char *copy(const char *s, bool *failed)
{
	char *made = s ? strdup(s) : NULL;

	*failed |= s && !made;
	return made;
}

int chat_configure(struct chat *c, const struct conf *conf)
{
	bool failed = false;
	int r = 0;

	clear_settings(c);
	c->template = copy(conf->chat.template, &failed);
	c->ignored = copy(conf->chat.ignore_users, &failed);
	c->prefixes = copy(conf->chat.ignore_prefixes, &failed);
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
	c->words = calloc(CHAT_WORDS_MAX, sizeof(*c->words));
	r = c->words ? read_words(c, conf->chat.filter) : -ENOMEM;
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
