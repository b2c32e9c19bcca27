/* SPDX-License-Identifier: MIT */
/*
 * Which notifications are spoken, and how: urgency, applications, quiet hours,
 * repeats, how many, and what is known of the desktop. No I/O but for the file of the
 * settings; the time is given.
 */
#ifndef NOTIFY_RULES_H
#define NOTIFY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ini_file.h"

#define RULES_APPS_MAX 128
#define RULES_REMEMBERED 512
#define RULES_PER_MINUTE_MAX 64
/* Notifications that wait to be heard, of all and of one application. Critical
 * ones do not count. */
#define RULES_WAITING 12
#define RULES_APP_WAITING 5
#define RULES_CRITICAL_WAITING 16

enum urgency { URGENCY_LOW, URGENCY_NORMAL, URGENCY_CRITICAL, N_URGENCIES };

/* What an urgency is worth: nothing, or one of barkd's priorities. */
enum worth { WORTH_NOTHING, WORTH_NOTIFICATION, WORTH_MESSAGE,
	     WORTH_IMPORTANT };

/* [app NAME]; NULL and -1: as for all. */
struct app_rule {
	char *name; /* of the application or its desktop entry; * and ? match */
	int speak;
	char *voice, *template;
	int worth[N_URGENCIES];
};

/* Strings are owned; NULL: not set. */
struct settings {
	char *template, *voice, *language;
	double rate, volume;
	unsigned max_length; /* characters */
	int worth[N_URGENCIES];
	int quiet_from, quiet_to; /* minutes of the day; equal: none */
	bool quiet_critical, when_locked, with_screen_reader, when_disturbed;
	bool suppress_sound;      /* such notifications are spoken too */
	bool others;              /* applications without a rule speak */
	unsigned repeat_s, per_minute;
	struct app_rule apps[RULES_APPS_MAX];
	size_t n_apps;
};

/* The defaults. Errors: -ENOMEM. */
int settings_init(struct settings *s);
/* The defaults, then the file; one that is not there is as good as an empty
 * one. Errors: -EINVAL with err filled, -ENOMEM; *ret is untouched then. */
int settings_load(struct settings *ret, const char *path,
		  struct conf_error *err);
void settings_clear(struct settings *s);

/* A notification, as its sender gave it. */
struct notification {
	const char *app, *desktop_entry; /* the latter may be NULL */
	const char *name; /* for app in what is said, if it is not NULL */
	const char *summary, *body;
	enum urgency urgency;
	uint32_t replaces_id;
	bool suppress_sound;
	bool again; /* the desktop's own second delivery */
};

/* What is known of the desktop. */
struct desktop {
	bool locked, disturbed, screen_reader, inactive, paused;
};

enum verdict {
	VERDICT_SPEAK,
	VERDICT_AGAIN,   /* delivered a second time */
	VERDICT_PAUSED,
	VERDICT_APP,     /* its rule says so */
	VERDICT_URGENCY,
	VERDICT_SILENT,  /* suppress-sound */
	VERDICT_LOCKED,
	VERDICT_INACTIVE,
	VERDICT_DISTURBED,
	VERDICT_SCREEN_READER,
	VERDICT_QUIET,
	VERDICT_REPEAT,
	VERDICT_FLOOD,
	VERDICT_EMPTY,   /* nothing of it can be spoken */
};

extern const char *const verdict_names[];

struct memory {
	struct {
		uint64_t id;        /* 0: free */
		uint64_t app, text; /* hashes */
		uint32_t replaces_id;
		bool waiting, critical;
		int64_t at; /* when it was heard, or was to be spoken */
	} spoken[RULES_REMEMBERED];
	size_t next;
	uint64_t last_id;
};

/* What is to be said: text is to be freed. */
struct decision {
	char *text;
	uint64_t id;
	const char *voice; /* the settings', or NULL */
	enum worth worth;
};

/*
 * Decides; remembers what is to be spoken until rules_ended(). now: seconds
 * that never go back; minute: of the local day. *ret is filled with
 * VERDICT_SPEAK only.
 */
enum verdict rules_decide(const struct settings *s, struct memory *m,
			  const struct desktop *desktop,
			  const struct notification *n, int64_t now,
			  int minute, struct decision *ret);
/* heard: to its end; otherwise it is as if it had not been. */
void rules_ended(struct memory *m, uint64_t id, bool heard, int64_t now);

#endif
