/* SPDX-License-Identifier: MIT */
/*
 * barkctl doctor: looks at all that speech needs and says what to do. A check
 * adds one or more findings and never ends the command.
 */
#ifndef CLIENT_DOCTOR_H
#define CLIENT_DOCTOR_H

#include <jansson.h>
#include <stdbool.h>

#include "conf.h"

enum finding {
	FINDING_OK,
	FINDING_WARN, /* it speaks, but not as it could */
	FINDING_FAIL, /* it does not speak */
};

struct doctor {
	bool as_json;
	json_t *findings;
	unsigned n[3];
	struct conf conf; /* barkd.ini's, or the defaults */
	json_t *status;   /* the daemon's, or NULL */
};

/* What was found about `name`; advice: what to do, NULL for nothing. */
__attribute__((format(printf, 5, 6))) void
doctor_say(struct doctor *d, enum finding finding, const char *name,
	   const char *advice, const char *fmt, ...);

void doctor_configuration(struct doctor *d); /* fills conf */
void doctor_permissions(struct doctor *d);
void doctor_daemon(struct doctor *d);        /* fills status */
void doctor_units(struct doctor *d);
void doctor_sound(struct doctor *d);
void doctor_device(struct doctor *d);        /* PipeWire's, if it answers */
void doctor_model(struct doctor *d);
void doctor_machine(struct doctor *d);
void doctor_speechd(struct doctor *d);
void doctor_shell(struct doctor *d);

#endif
