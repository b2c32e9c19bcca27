/* SPDX-License-Identifier: MIT */
/*
 * The sink in use: which module, opening it without making the loop wait,
 * trying again when there is no server. `auto` takes PipeWire, then JACK, and
 * lets go of one whose server stays away.
 */
#ifndef BARKD_SINKS_H
#define BARKD_SINKS_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "conf.h"
#include "outlet.h"
#include "sink.h"

struct sinks;

struct sinks_info {
	const char *name; /* "pipewire" ...; NULL: none is open */
	enum barkd_sink_state state; /* DOWN while none is open */
	uint32_t rate;    /* 0: not known */
	const char *why;  /* the sink's last words, or NULL */
	bool writes;      /* takes samples by sinks_write(), never pulls */
};

/*
 * The outlet is what sinks pull from; it is put on hold whenever the sink is
 * gone or its rate changed, until the owner, told by changed(), lets it go.
 * Errors: -ENOMEM, -EAGAIN.
 */
int sinks_new(struct sinks **ret, sd_event *event, struct outlet *outlet,
	      void (*changed)(void *data), void *data);
/* Closes the sink; waits for one being opened. NULL is fine. */
void sinks_free(struct sinks *s);

/* Takes the configuration's [output]; reopens if that is another sink.
 * Errors: -ENOMEM. */
int sinks_configure(struct sinks *s, const struct conf *conf);
/* Whether there is something to hear: runs or corks the stream. While there
 * is, and no sink is open, opening is tried again and again. */
void sinks_want(struct sinks *s, bool want);
/* Drops what the server has buffered, as far as it can. */
void sinks_flush(struct sinks *s);
/* For a sink that writes. Negative errno of the sink. */
int sinks_write(struct sinks *s, const float *pcm, size_t n);

struct sinks_info sinks_info(const struct sinks *s);
const char *sinks_state_name(enum barkd_sink_state state);

#endif
