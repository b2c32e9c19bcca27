/* SPDX-License-Identifier: MIT */
/*
 * What is shown on standard output while files come in: a bar on a terminal,
 * a line a file elsewhere, JSON lines, or nothing. Sizes are in bytes.
 */
#ifndef CLIENT_PROGRESS_H
#define CLIENT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

enum progress_mode {
	PROGRESS_QUIET,
	PROGRESS_LINES,
	PROGRESS_BAR,
	PROGRESS_JSON,
};

struct progress {
	enum progress_mode mode;
	/* A series of small files that share one bar and one line. */
	const char *series; /* NULL: none */
	unsigned series_at, series_n;

	char file[128];
	uint64_t at, mark_at;
	double mark, shown; /* monotonic seconds */
	double rate;        /* bytes a second, smoothed; 0: not known */
	bool open;          /* a bar stands on the line */
};

/* A bar on a terminal, else lines. */
enum progress_mode progress_default_mode(void);

void progress_begin(struct progress *p, const char *file);
/* Bytes are about to come, from `at` on: what was there does not count for
 * the rate. */
void progress_resume(struct progress *p, uint64_t at);
/* total 0: not known. */
void progress_update(struct progress *p, uint64_t at, uint64_t total);
void progress_end(struct progress *p, uint64_t size);

/* n files that are counted, not listed; name stays the caller's. */
void progress_series(struct progress *p, const char *name, unsigned n);
void progress_series_end(struct progress *p);

/* One line that stays. */
__attribute__((format(printf, 2, 3))) void
progress_note(struct progress *p, const char *fmt, ...);
/* Takes a bar away, so that something else can be printed. */
void progress_clear(struct progress *p);

#endif
