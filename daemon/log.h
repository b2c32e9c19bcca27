/* SPDX-License-Identifier: MIT */
/*
 * Lines on standard error: with the journal's <N> prefix when that is where
 * they go, with a name in front otherwise. Spoken text never goes here.
 * Any thread, but not the sink's callback.
 */
#ifndef BARKD_LOG_H
#define BARKD_LOG_H

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* Finds out whether standard error is the journal. */
void log_init(void);
void log_set_level(enum log_level level);

__attribute__((format(printf, 2, 3))) void log_line(enum log_level level,
						    const char *fmt, ...);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
