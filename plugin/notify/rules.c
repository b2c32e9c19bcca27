/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clean_text.h"

#define APP_CHARACTERS 60
#define SUMMARY_CHARACTERS 200

const char *const verdict_names[] = {
	[VERDICT_SPEAK] = "spoken",
	[VERDICT_AGAIN] = "delivered a second time",
	[VERDICT_PAUSED] = "paused",
	[VERDICT_APP] = "the application's rule",
	[VERDICT_URGENCY] = "its urgency",
	[VERDICT_SILENT] = "it asks for no sound",
	[VERDICT_LOCKED] = "the screen is locked",
	[VERDICT_INACTIVE] = "the session is not active",
	[VERDICT_DISTURBED] = "do not disturb",
	[VERDICT_SCREEN_READER] = "a screen reader speaks it",
	[VERDICT_QUIET] = "quiet hours",
	[VERDICT_REPEAT] = "said a moment ago",
	[VERDICT_FLOOD] = "too many",
	[VERDICT_EMPTY] = "nothing to say",
};

/* --- repeats --- */

/* FNV-1a (Fowler, Noll, Vo). Digits count as one: "41 %" is "42 %" for a
 * notification that replaces another. */
static uint64_t hash(const char *s, uint64_t h, bool digits)
{
	for (; *s; s++) {
		char c = !digits && isdigit((unsigned char)*s) ? '0' : *s;

		if (!digits && c == '0' && s[1] && isdigit((unsigned char)s[1]))
			continue;
		h = (h ^ (unsigned char)c) * 1099511628211u;
	}
	return (h ^ 0xff) * 1099511628211u;
}

static uint64_t hash_app(const struct notification *n)
{
	return hash(n->app, 14695981039346656037u, true);
}

static uint64_t hash_text(const struct notification *n)
{
	bool digits = n->replaces_id == 0;

	return hash(n->body, hash(n->summary, hash_app(n), digits), digits);
}

static bool said_before(const struct memory *m, const struct notification *n,
			int64_t since)
{
	uint64_t text = hash_text(n);

	for (size_t i = 0; i < RULES_REMEMBERED; i++)
		if (m->spoken[i].id && m->spoken[i].text == text &&
		    m->spoken[i].replaces_id == n->replaces_id &&
		    (m->spoken[i].waiting || m->spoken[i].at > since))
			return true;
	return false;
}

/* Whether there are as many as may be, waiting or heard in the last minute. */
static bool are_many(const struct settings *s, const struct memory *m,
		     const struct notification *n, int64_t now)
{
	bool critical = n->urgency == URGENCY_CRITICAL;
	uint64_t app = hash_app(n);
	unsigned waiting = 0, of_app = 0, minute = 0;

	for (size_t i = 0; i < RULES_REMEMBERED; i++) {
		bool same = m->spoken[i].app == app;

		if (!m->spoken[i].id || m->spoken[i].critical != critical)
			continue;
		waiting += m->spoken[i].waiting;
		of_app += same && m->spoken[i].waiting;
		minute += same && (m->spoken[i].waiting ||
				   m->spoken[i].at > now - 60);
	}
	if (critical)
		return waiting >= RULES_CRITICAL_WAITING;
	return waiting >= RULES_WAITING || of_app >= RULES_APP_WAITING ||
	       (s->per_minute && minute >= s->per_minute);
}

static uint64_t remember(struct memory *m, const struct notification *n,
			 int64_t now)
{
	uint64_t id = ++m->last_id;

	m->spoken[m->next].id = id;
	m->spoken[m->next].app = hash_app(n);
	m->spoken[m->next].text = hash_text(n);
	m->spoken[m->next].replaces_id = n->replaces_id;
	m->spoken[m->next].critical = n->urgency == URGENCY_CRITICAL;
	m->spoken[m->next].waiting = true;
	m->spoken[m->next].at = now;
	m->next = (m->next + 1) % RULES_REMEMBERED;
	return id;
}

void rules_ended(struct memory *m, uint64_t id, bool heard, int64_t now)
{
	for (size_t i = 0; i < RULES_REMEMBERED; i++) {
		if (m->spoken[i].id != id)
			continue;
		m->spoken[i].waiting = false;
		m->spoken[i].at = now;
		if (!heard)
			m->spoken[i].id = 0;
	}
}

/* --- rules --- */

static bool names(const char *pattern, const char *name)
{
	return name && fnmatch(pattern, name, FNM_CASEFOLD) == 0;
}

static const struct app_rule *rule_of(const struct settings *s,
				      const struct notification *n)
{
	for (size_t i = 0; i < s->n_apps; i++)
		if (names(s->apps[i].name, n->app) ||
		    names(s->apps[i].name, n->name) ||
		    names(s->apps[i].name, n->desktop_entry))
			return &s->apps[i];
	return NULL;
}

static bool is_quiet(const struct settings *s, int minute)
{
	if (s->quiet_from <= s->quiet_to)
		return minute >= s->quiet_from && minute < s->quiet_to;
	/* Over midnight. */
	return minute >= s->quiet_from || minute < s->quiet_to;
}

static enum verdict judge(const struct settings *s, const struct memory *m,
			  const struct desktop *d,
			  const struct notification *n,
			  const struct app_rule *rule, enum worth worth,
			  int64_t now, int minute)
{
	bool critical = n->urgency == URGENCY_CRITICAL;

	if (n->again)
		return VERDICT_AGAIN;
	if (d->paused)
		return VERDICT_PAUSED;
	if (rule && rule->speak >= 0 ? !rule->speak : !rule && !s->others)
		return VERDICT_APP;
	if (worth == WORTH_NOTHING)
		return VERDICT_URGENCY;
	if (n->suppress_sound && !s->suppress_sound)
		return VERDICT_SILENT;
	if (d->inactive)
		return VERDICT_INACTIVE;
	if (d->locked && !s->when_locked)
		return VERDICT_LOCKED;
	/* Desktops show critical ones then, too. */
	if (d->disturbed && !s->when_disturbed && !critical)
		return VERDICT_DISTURBED;
	if (d->screen_reader && !s->with_screen_reader)
		return VERDICT_SCREEN_READER;
	if (is_quiet(s, minute) && !(critical && s->quiet_critical))
		return VERDICT_QUIET;
	if (said_before(m, n, now - (int64_t)s->repeat_s))
		return VERDICT_REPEAT;
	if (are_many(s, m, n, now))
		return VERDICT_FLOOD;
	return VERDICT_SPEAK;
}

/* --- the text --- */

static bool has_end(const char *s)
{
	size_t n = strlen(s);

	return n && strchr(".!?:;,", s[n - 1]);
}

/* Fills in {app}, {summary} and {body}. What is empty takes the punctuation
 * behind it along. */
static char *fill_in(const char *template, const char *app,
		     const char *summary, const char *body)
{
	const struct {
		const char *name, *value;
	} fields[] = {{"{app}", app}, {"{summary}", summary},
		      {"{body}", body}};
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	for (const char *p = template; f && *p;) {
		size_t i = 0, k;

		while (i < 3 && strncmp(p, fields[i].name,
					strlen(fields[i].name)) != 0)
			i++;
		if (i == 3) {
			fputc(*p++, f);
			continue;
		}
		p += strlen(fields[i].name);
		fputs(fields[i].value, f);
		k = strspn(p, ".:;, ");
		/* No two full stops, none behind nothing. */
		if (!*fields[i].value)
			p += k;
		else if (has_end(fields[i].value))
			p += strspn(p, ".:;,");
	}
	if (!f || fclose(f) != 0) {
		free(text);
		return NULL;
	}
	while (size && text[size - 1] == ' ')
		text[--size] = '\0';
	return text;
}

/* NULL: nothing to say, or no memory for it. */
static char *text_of(const struct settings *s, const struct app_rule *rule,
		     const struct notification *n)
{
	char *app = clean_text(n->name ? n->name : n->app, false,
			       APP_CHARACTERS);
	char *summary = clean_text(n->summary, false, SUMMARY_CHARACTERS);
	char *body = clean_text(n->body, true, s->max_length);
	char *text = NULL;

	if (app && summary && body && (*summary || *body))
		text = fill_in(rule && rule->template ? rule->template
						      : s->template,
			       app, summary, body);
	free(app);
	free(summary);
	free(body);
	return text;
}

enum verdict rules_decide(const struct settings *s, struct memory *m,
			  const struct desktop *desktop,
			  const struct notification *n, int64_t now,
			  int minute, struct decision *ret)
{
	const struct app_rule *rule = rule_of(s, n);
	enum worth worth = (enum worth)s->worth[n->urgency];
	enum verdict verdict;
	char *text;

	if (rule && rule->worth[n->urgency] >= 0)
		worth = (enum worth)rule->worth[n->urgency];
	verdict = judge(s, m, desktop, n, rule, worth, now, minute);
	if (verdict != VERDICT_SPEAK)
		return verdict;
	text = text_of(s, rule, n);
	if (!text)
		return VERDICT_EMPTY;
	ret->id = remember(m, n, now);
	ret->text = text;
	ret->voice = rule && rule->voice ? rule->voice : s->voice;
	ret->worth = worth;
	return VERDICT_SPEAK;
}
