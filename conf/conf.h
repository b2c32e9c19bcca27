/* SPDX-License-Identifier: MIT */
/*
 * barkd.ini: every key the daemon knows, with its default and limits. The
 * commented file beside this header documents them; a test holds the two
 * together.
 */
#ifndef BARKD_CONF_H
#define BARKD_CONF_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "ini_file.h"

enum conf_precision {
	CONF_PRECISION_DEFAULT,
	CONF_PRECISION_F32,
	CONF_PRECISION_F16,
	CONF_PRECISION_BF16,
	CONF_PRECISION_INT8,
	CONF_PRECISION_Q4,
	CONF_PRECISIONS,
};

enum conf_mode {
	CONF_MODE_LOW_LATENCY,
	CONF_MODE_EXACT,
	CONF_MODES,
};

/* The others are known by their names in conf_sinks alone. */
#define CONF_SINK_AUTO 0

enum conf_resampler {
	CONF_RESAMPLER_FASTEST,
	CONF_RESAMPLER_MEDIUM,
	CONF_RESAMPLER_BEST,
	CONF_RESAMPLERS,
};

/* What becomes of addresses in a chat's messages. */
enum conf_links {
	CONF_LINKS_YES, /* their hosts are said */
	CONF_LINKS_NO,  /* the message is not spoken */
	CONF_LINKS_WORD, /* "link" is said */
	CONF_LINKS_OMIT,
	CONF_LINKS,
};

enum conf_log_level {
	CONF_LOG_ERROR,
	CONF_LOG_WARNING,
	CONF_LOG_INFO,
	CONF_LOG_DEBUG,
	CONF_LOG_LEVELS,
};

/* Limits that the HTTP API shares with the file. */
#define CONF_RATE_MIN 0.25
#define CONF_RATE_MAX 6.0
#define CONF_SPEED_MAX 4.0 /* rate of speech for clients, as OpenAI has it */
#define CONF_PITCH_MIN 0.25
#define CONF_PITCH_MAX 4.0
#define CONF_VOLUME_MAX 4.0

#define CONF_TOKEN_MIN 16 /* characters */
#define CONF_ADDRESSES_MAX 4

/* Strings are owned; NULL: not set. Enumerations are ints of those above. */
struct conf {
	struct {
		char *name, *voice, *language;
		int precision, mode;
		unsigned threads, nice, nice_ahead;
		double semantic_temperature, coarse_temperature;
		double fine_temperature, top_p, min_eos_p; /* 0: the model's */
		unsigned top_k, coarse_history, fine_lookahead, ahead_ms;
	} model;
	struct {
		double rate, pitch, volume, gain_db;
		double loudness; /* LUFS; NAN: off */
		bool fast_voice, other_languages;
		unsigned cache_kb;
	} speech;
	struct {
		int sink, resampler;
		char *target, *role, *client_name, *server;
		bool connect;
		unsigned latency, rate, buffer_ms, lead_in_ms;
		double wait_for_sink_s, idle_cork_s; /* INFINITY: never */
	} output;
	struct {
		unsigned port; /* 0: closed */
		unsigned streams;
		char *token, *origins;
		char *address, *hosts; /* lists; numeric, names */
	} http;
	struct {
		char *base;
	} fetch;
	struct {
		char *template, *ignore_users, *ignore_prefixes, *filter;
		char *user_voices;
		unsigned max_length, user_queue, queue;
		double cooldown_s, user_cooldown_s;
		int links;
		bool voices;
	} chat;
	struct {
		unsigned queue_length;
		double idle_unload_s, exit_idle_s; /* INFINITY: never */
		int log_level;
	} service;
};

/* Defaults alone. Errors: -ENOMEM. */
int conf_default(struct conf *ret);
/*
 * Defaults, then the file. Errors: -ENOENT and the like for the file itself,
 * -EINVAL for what is in it, -ENOMEM; err says why. *ret is untouched then.
 */
int conf_load(struct conf *ret, const char *path, struct conf_error *err);
void conf_clear(struct conf *conf);

/* The words of an enumeration, ended by NULL, in its order. */
extern const char *const conf_precisions[];
extern const char *const conf_modes[];
/* output.sink's: auto, then the names of modules, barkd-sink-NAME.so. This is
 * the only list of them. */
extern const char *const conf_sinks[];
extern const char *const conf_links[];

/* For the test: section and name of the i-th key; false past the last. */
bool conf_key(size_t i, const char **ret_section, const char **ret_name);

#endif
