/* SPDX-License-Identifier: MIT */
/*
 * A sink: the edge between the daemon's audio pump and an audio server or a
 * file. Sinks are modules (barkd-sink-NAME.so) opened at run time, so that
 * the daemon runs where a server's library is absent.
 *
 * The pump writes mono float samples at the sink's rate into a lock-free ring
 * (one producer, one consumer); the sink's real-time callback reads them. The
 * callback takes no lock, allocates nothing and logs nothing.
 */
#ifndef BARKD_SINK_H
#define BARKD_SINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BARKD_SINK_ABI 1
#define BARKD_SINK_SYMBOL "barkd_sink_ops"

enum barkd_sink_state {
	BARKD_SINK_DOWN,    /* no server or no device; the sink keeps trying */
	BARKD_SINK_IDLE,    /* connected, stream corked */
	BARKD_SINK_RUNNING, /* the callback is being called */
	BARKD_SINK_FAILED,  /* will not come back by itself */
};

struct barkd_sink_config {
	const char *target;    /* node, port pattern or file; NULL: default */
	const char *role;      /* PipeWire's media.role */
	const char *client_name;
	const char *server;    /* JACK's server name, PipeWire's remote */
	bool connect;          /* connect ports by itself (JACK) */
	unsigned latency;      /* wished frames a quantum, 0: default */
	unsigned rate;         /* wished rate, 0: the server's or 48,000 */
};

/*
 * What the pump gives the sink. All of it may be called from the sink's
 * real-time callback but where said; implemented by the daemon.
 */
struct barkd_sink_host {
	void *data;
	/*
	 * RT safe. Fills out[0..n-1] with the next samples, fading or padding
	 * with silence as needed; returns the number that was sound (0: the
	 * rest is silence). The sink calls it once a cycle.
	 */
	size_t (*pull)(void *data, float *out, size_t n);
	/*
	 * RT safe. Frames between what pull just returned and the listener
	 * (the server's and device's latency), told once a cycle.
	 */
	void (*delay)(void *data, uint32_t frames);
	/* RT safe. The server said that samples were lost. */
	void (*xrun)(void *data);
	/* Not from the callback. State or rate changed; why: for the log,
	 * may be NULL, copied. May come from the sink's own thread. */
	void (*changed)(void *data, enum barkd_sink_state state, uint32_t rate,
			const char *why);
};

struct barkd_sink; /* the module's own */

struct barkd_sink_ops {
	uint32_t abi; /* BARKD_SINK_ABI */
	const char *name; /* "pipewire", "jack", "file" */

	/*
	 * Connects, or starts trying to (0 even when there is no server yet,
	 * unless `once` is set: then -EHOSTDOWN if there is none, so that
	 * `auto` can try the next sink). host outlives the sink. Takes at most
	 * a second.
	 */
	int (*open)(struct barkd_sink **ret,
		    const struct barkd_sink_config *config,
		    const struct barkd_sink_host *host, bool once);
	/* Stops the callback, frees. NULL is fine. */
	void (*close)(struct barkd_sink *sink);
	/* Runs (true) or corks (false) the stream. Returns at once. */
	int (*run)(struct barkd_sink *sink, bool run);
	/* Drops what the server has buffered beyond the last pull, as far as
	 * it can. Not from the callback. May be NULL. */
	void (*flush)(struct barkd_sink *sink);
	/*
	 * For a sink that is not driven by a clock (file): takes samples at
	 * once instead of calling pull. NULL for servers.
	 */
	int (*write)(struct barkd_sink *sink, const float *pcm, size_t n);
};

#endif
