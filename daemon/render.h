/* SPDX-License-Identifier: MIT */
/*
 * Speech for a client instead of the sink: a session whose samples are
 * encoded as they come and sent with the answer, no faster than the client
 * takes them and no further ahead than the model's ahead_ms. It never passes
 * the queue, so several are made at a time, beside what is spoken.
 */
#ifndef BARKD_RENDER_H
#define BARKD_RENDER_H

#include "api_speech.h"
#include "http.h"

struct daemon;

/*
 * Answers req with the speech; takes what the request owns, whatever happens.
 * Errors, with req not answered: -ENOMEM, -EBUSY (as many as may be are being
 * made), -EIO (the encoder).
 */
int render_start(struct daemon *d, struct http_request *req,
		 struct speech_request *request);
/* The clients of all that are being made see that something is missing. */
void render_clear(struct daemon *d);

#endif
