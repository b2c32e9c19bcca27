/* SPDX-License-Identifier: MIT */
/* A session's inside, shared by session.c (its owner's side) and work.c and
 * engine.c (the scheduler's side). */
#ifndef BARK_SESSION_H
#define BARK_SESSION_H

#include <pthread.h>

#include "bark.h"
#include "codec.h"
#include "level.h"
#include "segments.h"
#include "stages.h"
#include "trim.h"

/* A scheduler's thread and its helpers, of one niceness. */
struct bark_crew {
	struct bark_engine *engine;
	struct bk_pool *pool;
	int nice;
	pthread_t thread;
	pthread_cond_t turn; /* it is this crew's */
};

/* An unprivileged thread can become nicer, but never less nice again: hence
 * two crews that take turns. */
enum {
	BARK_CREW_SOON,  /* for what is needed soon */
	BARK_CREW_AHEAD, /* for what is computed far ahead */
	BARK_CREWS,
};

struct bark_engine {
	atomic_uint refs;
	/* Of the crew whose turn it is. */
	struct bark_compute compute;
	struct bark_crew crews[BARK_CREWS];
	unsigned n_crews, at_work;
	pthread_mutex_t lock; /* before any session's lock */
	pthread_cond_t wake;  /* work for the scheduler, or a unit is over */
	struct bark_session *sessions;
	bool stop;
};

/* A text, cut up and tokenised; made by start, consumed by the scheduler. */
struct bark_utterance {
	struct bark_segment *segments;
	int32_t *ids;      /* of all segments, one after another */
	size_t n_segments;
	size_t *ends;      /* frame behind each segment, once known */
};

enum bark_session_state {
	BARK_SESSION_IDLE,      /* nothing started, or read to its end */
	BARK_SESSION_SPEAKING,
	BARK_SESSION_COMPLETE,  /* all sound is in the ring */
	BARK_SESSION_CANCELLED,
};

struct bark_session {
	struct bark_engine *engine;
	struct bark_session *next;
	struct bark_model *model;
	struct bark_voice *voice;
	struct bark_session_options options;
	char *language; /* what options.language points to */

	/* Under lock. */
	pthread_mutex_t lock;
	pthread_cond_t readable;
	enum bark_session_state state;
	struct bark_utterance *pending; /* not yet taken by the scheduler */
	/* What the scheduler holds is of no use, nor what it is computing;
	 * within a unit read without the lock. */
	atomic_bool dropped;
	float *ring;       /* [ring_cap] */
	size_t ring_cap, ring_at, ring_fill;
	struct bark_event *events; /* [events_cap], of the utterance */
	size_t events_cap, n_events, events_taken;
	int fd;
	bool signalled;
	double started, first_audio; /* CLOCK_MONOTONIC seconds */
	double wanted;     /* when a listener comes; 0: is there */

	/* Under the engine's lock. */
	bool busy;         /* a unit is being computed */
	bool leaving;      /* no more units */

	/* The scheduler's own. */
	struct bark_timeline timeline;
	struct bark_codec *codec;
	/* The first segment's history for the next ones, where no voice was
	 * given and the model takes histories. */
	struct bark_voice carried;
	struct bark_utterance *utterance;
	size_t next_segment; /* to be generated */
	bool generating;     /* segment next_segment - 1 is under way */
	size_t ids_at;
	size_t taken_frames; /* of the segment under way, in the queue */
	int32_t *queue;      /* [queue_cap][n_total] frames for the codec */
	size_t queue_cap;
	uint64_t pushed, popped; /* frames */
	size_t decoding;     /* segment being decoded */
	bool segment_open;   /* its begin was told */
	uint64_t samples;    /* of the utterance, in the ring so far */
	size_t ahead;        /* samples */
	int32_t *codes;      /* a batch's frames */
	float *pcm;          /* and its sound */
	struct bark_level level; /* where the model has a loudness */
	struct bark_trim trim; /* unless options.keep_silence */
};

/* Frames decoded a unit. */
#define BARK_DECODE_FRAMES 15

/* Speaks given text ids as one segment. */
int bark_session_start_ids(struct bark_session *s, const int32_t *ids,
			   size_t n);

double bark_now(void);
void bark_utterance_free(struct bark_utterance *u);

/* Scheduler: the time at which sound is needed if a unit can run; else < 0. */
double bark_session_deadline(struct bark_session *s);
/* Scheduler: computes one unit. */
void bark_session_work(struct bark_session *s);
/* Under the session's lock: makes fd and waiting readers notice. */
void bark_session_signal(struct bark_session *s);

void bark_engine_wake(struct bark_engine *e);
void bark_engine_add(struct bark_engine *e, struct bark_session *s);
/* Waits for the unit in progress, at most. */
void bark_engine_remove(struct bark_engine *e, struct bark_session *s);

#endif
