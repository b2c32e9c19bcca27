/* SPDX-License-Identifier: MIT */
/*
 * The client library: barkd's HTTP API over its Unix socket, for barkctl and
 * the hosts. Blocking, one request at a time a client; not thread-safe, but
 * clients are cheap. Errors are negative errno; the server's own words are in
 * barkd_client_message().
 */
#ifndef BARKD_CLIENT_H
#define BARKD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BARKD_CLIENT_API __attribute__((visibility("default")))

struct barkd_client;

enum barkd_priority {
	BARKD_PRIORITY_IMPORTANT,
	BARKD_PRIORITY_MESSAGE,
	BARKD_PRIORITY_TEXT,
	BARKD_PRIORITY_NOTIFICATION,
	BARKD_PRIORITY_PROGRESS,
};

/* What to say and how; zero and NULL mean the daemon's defaults. */
struct barkd_say {
	const char *text;     /* UTF-8 */
	const char *voice;
	const char *language; /* BCP-47 */
	double rate, volume, pitch; /* factors around 1; 0: default */
	enum barkd_priority priority;
	bool has_priority;    /* false: text */
	bool wait;            /* return when it was spoken or dropped */
	bool patient;         /* wait for what is spoken, drop nothing */
	bool has_seed;
	unsigned long long seed;
	unsigned deadline_ms; /* must sound so soon; 0: no matter */
	const char *tag;      /* given back in events, or NULL */
	/* A voice that barkd does not have, or a name that is none, is not
	 * refused: another voice speaks. */
	bool fallback;
};

/*
 * socket: path, or NULL for $BARKD_SOCKET, else
 * $XDG_RUNTIME_DIR/barkd/barkd.sock. Does not connect yet.
 */
BARKD_CLIENT_API int barkd_client_new(struct barkd_client **ret,
				      const char *socket);
BARKD_CLIENT_API void barkd_client_free(struct barkd_client *client);
/* How long a hung daemon is waited for; 0: 30 s, as it was. What waits for
 * speech to be heard is not limited. */
BARKD_CLIENT_API void barkd_client_set_timeout(struct barkd_client *client,
					       unsigned ms);
/* The last failure, for a person; "" when there was none. */
BARKD_CLIENT_API const char *
barkd_client_message(const struct barkd_client *client);

/*
 * Queues a text. *ret_id (may be NULL) gets the utterance's id. With wait:
 * 0 when it was spoken to its end, -ECANCELED when it was stopped or dropped.
 * -EHOSTDOWN: no daemon. -EINVAL: refused, see the message.
 */
BARKD_CLIENT_API int barkd_client_say(struct barkd_client *client,
				      const struct barkd_say *say,
				      unsigned long long *ret_id);

/*
 * barkd_client_say() with wait, in two halves for a poll loop: sends the
 * request and gives the connection; when it is readable, the second half
 * returns what barkd_client_say() would and closes it. close() instead stops
 * the utterance. Neither waits for inference; at most 2 s for a hung daemon.
 */
BARKD_CLIENT_API int barkd_client_say_start(struct barkd_client *client,
					    const struct barkd_say *say,
					    int *ret_fd);
BARKD_CLIENT_API int barkd_client_say_finish(struct barkd_client *client,
					     int fd);

/*
 * Answers that come bit by bit, for a poll loop. The client must outlive
 * them.
 */
struct barkd_stream;

#define BARKD_SPEECH_RATE 24000

enum barkd_speech_format {
	BARKD_SPEECH_PCM,   /* 16-bit samples, little endian, one channel */
	BARKD_SPEECH_SPIEL, /* the same in frames of Spiel's audio/x-spiel */
};

/*
 * Speech for the caller instead of the daemon's sink, while it is computed. Of
 * `say` text, voice, language, rate (0.25 to 4), pitch, volume, seed and
 * fallback count.
 * At most 2 s for a hung daemon. Errors: as barkd_client_say().
 */
BARKD_CLIENT_API int barkd_client_speech_start(struct barkd_client *client,
					       const struct barkd_say *say,
					       enum barkd_speech_format format,
					       struct barkd_stream **ret);
/* What happens, as Server-Sent Events (docs/api.md); likewise. */
BARKD_CLIENT_API int barkd_client_events_start(struct barkd_client *client,
					       struct barkd_stream **ret);
/* Polls readable when barkd_stream_read() has something to return; the
 * stream's own. */
BARKD_CLIENT_API int barkd_stream_fd(const struct barkd_stream *stream);
/*
 * Reads at most n bytes, without waiting. Returns their number (may be odd),
 * 0 at the end, -EAGAIN: none yet, or another error, which ends it:
 * -ECONNRESET when barkd broke off; see also barkd_client_message().
 */
BARKD_CLIENT_API ssize_t barkd_stream_read(struct barkd_stream *stream,
					   void *data, size_t n);
/* Before the end: barkd computes no more of it. NULL is fine. */
BARKD_CLIENT_API void barkd_stream_free(struct barkd_stream *stream);

/* verb: "stop", "pause", "resume", "skip". */
BARKD_CLIENT_API int barkd_client_command(struct barkd_client *client,
					  const char *verb);

/*
 * GET of a path such as "/v1/status"; *ret_json is a string to be freed with
 * free(). Other hosts and requests of their own use barkd_client_request().
 */
BARKD_CLIENT_API int barkd_client_get(struct barkd_client *client,
				      const char *path, char **ret_json);

/* body: JSON or NULL; method: "GET" or "POST"; *ret_status: HTTP's. */
BARKD_CLIENT_API int barkd_client_request(struct barkd_client *client,
					  const char *method, const char *path,
					  const char *body, int *ret_status,
					  char **ret_body);

#ifdef __cplusplus
}
#endif

#endif
