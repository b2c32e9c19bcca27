/* SPDX-License-Identifier: MIT */
/*
 * The daemon as a whole: what its parts share. Everything here belongs to the
 * loop's thread.
 */
#ifndef BARKD_DAEMON_H
#define BARKD_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "api_speak.h"
#include "chat.h"
#include "conf.h"
#include "crashes.h"
#include "events.h"
#include "gate.h"
#include "http.h"
#include "listen.h"
#include "metrics.h"
#include "outlet.h"
#include "queue.h"
#include "render.h"
#include "sinks.h"
#include "speaker.h"
#include "studio.h"
#include "supply.h"
#include "voices.h"

enum outcome {
	OUTCOME_DONE,    /* heard to its end */
	OUTCOME_STOPPED, /* by a client, or as the daemon ends */
	OUTCOME_DROPPED, /* by the priority rules */
	OUTCOME_FAILED,
};

/* One text, from its request to its end. */
struct utterance {
	struct queue_item item; /* first: the queue's items are utterances */
	struct daemon *daemon;
	struct speak_request request;
	struct http_request *waiter; /* to be answered at the end, or NULL */
	/* What supply.c holds for it. */
	struct studio_order *order;  /* a session is being made */
	struct fast_speech *fast;    /* the fast voice is asked, or speaks */
	struct bark_session *session;
	struct source *source;       /* NULL: not supplied yet */
	bool by_fast;                /* the fast voice speaks it */
	bool unspeakable;            /* the model cannot say it */
	uint64_t asked;    /* CLOCK_MONOTONIC ns */
	double played_ms;
	uint64_t end;      /* speaker_end(), once it was taken by the sink */
	struct utterance_events events;
	/* Why it fails, or ends without sound. */
	unsigned status;
	const char *code;
	char why[256];
	struct utterance *next; /* in daemon.tail */
};

struct counters {
	uint64_t spoken, stopped, dropped, failed, stops;
	/* For clients: to the end, failed, and left by the client. */
	uint64_t rendered, render_failed, render_gone;
};

#define VOICES_MISSING_MAX 16

struct daemon {
	sd_event *event;
	char *conf_path; /* NULL: defaults alone */
	bool conf_given; /* by --config: it must be there */
	struct conf conf;
	struct crashes crashes;
	struct listener listener;
	struct http_server *http;
	struct gate *gate;
	struct outlet *outlet;
	struct sinks *sinks;
	struct studio *studio;
	struct speaker *speaker;
	struct events *events;
	struct supply *supply;
	struct chat *chat;
	struct voices *voices;

	struct queue queue;
	uint64_t last_id;
	bool paused, stopping;
	struct utterance *ahead; /* the waiting one that has a session */
	struct utterance *tail;  /* taken by the sink, not heard yet */
	struct render *renders;  /* being made for clients */
	unsigned n_renders;
	uint64_t sink_away;      /* ns since when there is none; 0: there is */
	unsigned connections, gate_connections;

	sd_event_source *step;       /* deferred control_step() */
	sd_event_source *tail_timer, *sink_timer, *flush_timer;
	sd_event_source *cork_timer, *unload_timer, *exit_timer;

	struct counters counters;
	double first_audio_ms, first_sound_ms; /* < 0: not yet */
	struct histogram first_sound;
	uint64_t started;  /* ns */
	char *missing[VOICES_MISSING_MAX]; /* voices, told in the log; owned */
};

uint64_t daemon_now_ns(void);

/* --- control.c: utterances --- */

/* Timers and the queue. Errors: -ENOMEM and sd-event's. */
int control_init(struct daemon *d);
void control_clear(struct daemon *d);

/*
 * Queues a text; takes what the request owns, whatever happens. waiter is
 * answered at the end, or NULL. *ret_dropped: the rules refused it at once
 * (a waiter has its answer then). Errors: -ENOMEM, -ENOBUFS (queue full).
 */
int control_speak(struct daemon *d, struct speak_request *request,
		  struct http_request *waiter, uint64_t *ret_id,
		  bool *ret_dropped);
/* Takes u, which nobody has heard anything of, out of the queue, without a
 * word to anybody. */
void control_forget(struct daemon *d, struct utterance *u);
/* id 0: everything, and a pause ends. Returns how many it ended. */
unsigned control_stop(struct daemon *d, uint64_t id);
/* The id of what was skipped, 0: nothing was spoken. */
uint64_t control_skip(struct daemon *d);
void control_pause(struct daemon *d, bool pause);
/* supply.c: u->source is there, or why not: r as of studio_order()'s done(). */
void control_supplied(struct utterance *u, int r, const char *why);
/* Something changed: does what is to be done next, soon. */
void control_wake(struct daemon *d);
/* The sinks' and the studio's changed(). */
void control_sink_changed(void *data);
void control_studio_changed(void *data);

/* --- idle.c: what to let go of when nothing is spoken --- */

int idle_init(struct daemon *d);
void idle_clear(struct daemon *d);
/* Whether something is spoken, waits, or is being heard. */
bool idle_busy(const struct daemon *d);
/* Starts or stops the clocks; to be called when that may have changed. */
void idle_update(struct daemon *d);

/* --- api.c: routes --- */

/* http.h's admit(): how long a route's body may be. */
bool api_admit(void *data, struct http_request *req);
void api_handle(void *data, struct http_request *req);
void api_connections(void *data, unsigned n);
void api_gate_connections(void *data, unsigned n);
/* POST /v1/chat */
void api_chat(struct daemon *d, struct http_request *req);
/* Answers the client that waits for u. */
void api_answer(struct utterance *u, enum outcome outcome);

/* --- views.c: what GET answers; NULL without memory --- */

json_t *view_queue(struct daemon *d);
json_t *view_status(struct daemon *d);
/* As GET /v1/status has it. */
const char *view_state(const struct daemon *d);
/* Of the process. */
int64_t view_resident_bytes(void);
double view_cpu_s(void);
json_t *view_voices(struct daemon *d);
/* As clients of OpenAI-style services ask for them. */
json_t *view_audio_voices(struct daemon *d);
json_t *view_audio_models(struct daemon *d);
json_t *view_audio_model(const char *name);

/* --- voice_choice.c: which voice and language speak a text --- */

/* What a voice is called where none was asked for. */
const char *voice_default(const struct daemon *d);
/* "en" of "en_speaker_6" and "v2/en_speaker_6", as suno's presets are named;
 * "" otherwise. */
void voice_language(char ret[4], const char *name);
/* Whether the configured model has the voice, as far as voices.h knows. */
bool voice_exists(struct daemon *d, const char *name);
/* The first voice of a language, to be freed, or NULL: none, or the
 * default speaks it. */
char *voice_for_language(struct daemon *d, const char *language);
/* Says in the log that another voice speaks; once for each name. */
void voice_missing(struct daemon *d, const char *voice);
/* What to order of the studio for a text in a voice and language, both as they
 * were asked for, or NULL. Strings are not copied. The model must speak the
 * text's language where another voice could. */
struct studio_request voice_request(const struct daemon *d, const char *text,
				      size_t n_text, const char *voice,
				      const char *language);

/* --- service.c: systemd, signals, the configuration --- */

/* Reads the file. Errors as conf_load(); they have been logged. */
int service_load_conf(struct daemon *d, struct conf *ret);
/* Gives the configuration to all parts. Errors: -ENOMEM. */
int service_apply_conf(struct daemon *d);
/* Signals and the watchdog. */
int service_init(struct daemon *d);
/* READY=1 and what is going on. */
void service_ready(struct daemon *d);
void service_status(struct daemon *d);
/* Silence, answers to all who wait, and the end of the loop. */
void service_stop(struct daemon *d);

#endif
