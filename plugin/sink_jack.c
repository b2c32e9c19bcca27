/* SPDX-License-Identifier: MIT */
/*
 * The JACK sink: one mono port, client_name:out_1.
 *
 * A helper thread does everything that may block or is forbidden inside
 * JACK's callbacks: opening, (de)activating, connecting, closing. Callbacks
 * only store into atomics and signal it through an eventfd. Corked means
 * deactivated: the server then leaves us out of its graph, and the port keeps
 * its name. The connections that a person made are put back when it runs.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <jack/jack.h>

#include "sink.h"

#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 1000
/* A server that dies at a bad moment says nothing: no cycle in so many times
 * so long is the end of it as well. */
#define WATCH_MS 1000
#define WATCH_TIMES 3
/* libjack cancels its notification thread when a client is closed, also in the
 * middle of a notification, and then waits for that thread's mutex for ever
 * (jack2's JackLibClient::ClientNotifyImp). A server that ends sends the last
 * ones, about other clients, within this time. */
#define SETTLE_MS 500
/* A mono voice is heard on both sides. */
#define MAX_AUTO_PORTS 2

struct barkd_sink {
	const struct barkd_sink_host *host;
	char *target, *client_name, *server;
	bool connect;

	pthread_t thread;
	int event; /* eventfd: wakes the helper */
	atomic_bool want_run, quit;

	/* Set by JACK's callbacks, read by the helper. */
	atomic_bool gone;
	_Atomic uint32_t rate;
	atomic_uint cycles;
	/* Connected: from now on what is pulled is heard. */
	atomic_bool listening;
	/* Frames from our port to the listener, read by the callback. */
	_Atomic uint32_t latency;

	/* The helper's own. */
	jack_client_t *client;
	jack_port_t *port;
	const char **connections; /* as they were when corked, or NULL */
	char *ports[MAX_AUTO_PORTS]; /* connected by policy, NULL: none */
	bool active;
	int retry_ms;
	unsigned cycles_seen;
	int times_still; /* watched without a cycle */
	int reported; /* enum barkd_sink_state, -1: nothing yet */
	uint32_t reported_rate;
};

/* Async-signal safe, as the shutdown callback must be. */
static void wake(struct barkd_sink *s)
{
	eventfd_write(s->event, 1);
}

static void report(struct barkd_sink *s, enum barkd_sink_state state,
		   const char *why)
{
	uint32_t rate = atomic_load(&s->rate);

	if ((int)state == s->reported && rate == s->reported_rate)
		return;
	s->reported = state;
	s->reported_rate = rate;
	s->host->changed(s->host->data, state, rate, why);
}

/* --- JACK's callbacks --- */

/* RT safe. */
static int on_process(jack_nframes_t n, void *data)
{
	struct barkd_sink *s = data;
	float *out = jack_port_get_buffer(s->port, n);

	atomic_fetch_add_explicit(&s->cycles, 1, memory_order_relaxed);
	if (!atomic_load_explicit(&s->listening, memory_order_acquire)) {
		memset(out, 0, n * sizeof(*out));
		return 0;
	}
	s->host->pull(s->host->data, out, n);
	s->host->delay(s->host->data,
		       atomic_load_explicit(&s->latency,
					    memory_order_relaxed));
	return 0;
}

static int on_xrun(void *data)
{
	struct barkd_sink *s = data;

	s->host->xrun(s->host->data);
	return 0;
}

static void read_latency(struct barkd_sink *s)
{
	jack_latency_range_t range = { 0 };

	jack_port_get_latency_range(s->port, JackPlaybackLatency, &range);
	atomic_store_explicit(&s->latency, range.max, memory_order_relaxed);
}

static void on_latency(jack_latency_callback_mode_t mode, void *data)
{
	if (mode == JackPlaybackLatency)
		read_latency(data);
}

static int on_buffer_size(jack_nframes_t n, void *data)
{
	/* The callback writes where JACK says: only the latency is new. */
	read_latency(data);
	return 0;
}

static int on_rate(jack_nframes_t rate, void *data)
{
	struct barkd_sink *s = data;

	if (atomic_exchange(&s->rate, rate) != rate)
		wake(s);
	return 0;
}

static void on_port(jack_port_id_t port, int registered, void *data)
{
	wake(data);
}

/* A client's ports go with it, without a word of their own. */
static void on_client(const char *name, int registered, void *data)
{
	wake(data);
}

static void on_shutdown(jack_status_t code, const char *reason, void *data)
{
	struct barkd_sink *s = data;

	atomic_store(&s->gone, true);
	wake(s);
}

static void say_nothing(const char *message)
{
}

/* --- the helper's steps --- */

static void forget_ports(struct barkd_sink *s)
{
	for (int i = 0; i < MAX_AUTO_PORTS; i++) {
		free(s->ports[i]);
		s->ports[i] = NULL;
	}
}

static void client_close(struct barkd_sink *s)
{
	if (s->client && atomic_load(&s->gone))
		poll(NULL, 0, SETTLE_MS);
	if (s->client)
		jack_client_close(s->client);
	s->client = NULL;
	atomic_store(&s->listening, false);
	s->active = false;
	forget_ports(s);
	if (s->connections)
		jack_free(s->connections);
	s->connections = NULL;
}

static int client_open(struct barkd_sink *s)
{
	jack_client_t *c;

	atomic_store(&s->gone, false);
	if (s->server)
		c = jack_client_open(s->client_name,
				     JackNoStartServer | JackServerName, NULL,
				     s->server);
	else
		c = jack_client_open(s->client_name, JackNoStartServer, NULL);
	if (!c)
		return -EHOSTDOWN;
	s->client = c;
	s->port = jack_port_register(c, "out_1", JACK_DEFAULT_AUDIO_TYPE,
				     JackPortIsOutput | JackPortIsTerminal, 0);
	if (!s->port) {
		client_close(s);
		return -EHOSTDOWN;
	}
	atomic_store(&s->rate, jack_get_sample_rate(c));
	jack_set_process_callback(c, on_process, s);
	jack_set_xrun_callback(c, on_xrun, s);
	jack_set_latency_callback(c, on_latency, s);
	jack_set_buffer_size_callback(c, on_buffer_size, s);
	jack_set_sample_rate_callback(c, on_rate, s);
	jack_set_port_registration_callback(c, on_port, s);
	jack_set_client_registration_callback(c, on_client, s);
	jack_on_info_shutdown(c, on_shutdown, s);
	return 0;
}

static void connect_by_policy(struct barkd_sink *s)
{
	const char *from = jack_port_name(s->port), **ports;
	int n = 0;

	forget_ports(s);
	ports = jack_get_ports(s->client, s->target, JACK_DEFAULT_AUDIO_TYPE,
			       JackPortIsInput |
				       (s->target ? 0 : JackPortIsPhysical));
	for (int i = 0; ports && ports[i] && i < MAX_AUTO_PORTS; i++)
		if (!jack_connect(s->client, from, ports[i]))
			s->ports[n++] = strdup(ports[i]);
	if (ports)
		jack_free(ports);
}

/* Whether to connect by policy: at first, and when the ports it chose have
 * gone. What a person disconnects stays disconnected. */
static bool ports_wanted(struct barkd_sink *s)
{
	if (!s->connect || jack_port_connected(s->port))
		return false;
	for (int i = 0; i < MAX_AUTO_PORTS; i++)
		if (s->ports[i] && jack_port_by_name(s->client, s->ports[i]))
			return false;
	return true;
}

static void connect_again(struct barkd_sink *s)
{
	const char *from = jack_port_name(s->port);

	for (int i = 0; s->connections && s->connections[i]; i++)
		jack_connect(s->client, from, s->connections[i]);
	if (s->connections)
		jack_free(s->connections);
	s->connections = NULL;
}

/* Nothing is pulled until the port that is asked for is there and, so that
 * the first word is not lost, the new graph is in use. */
static void listen_when_connected(struct barkd_sink *s)
{
	if (ports_wanted(s)) {
		atomic_store(&s->listening, false);
		connect_by_policy(s);
		if (!s->ports[0])
			return;
	}
	if (!atomic_load(&s->listening))
		read_latency(s); /* waits for the new graph */
	atomic_store(&s->listening, true);
}

/* Only an active client can be connected. */
static int client_run(struct barkd_sink *s)
{
	if (jack_activate(s->client))
		return -EIO;
	s->active = true;
	s->times_still = 0;
	connect_again(s);
	return 0;
}

static void client_cork(struct barkd_sink *s)
{
	s->connections = jack_port_get_all_connections(s->client, s->port);
	jack_deactivate(s->client);
	atomic_store(&s->listening, false);
	s->active = false;
}

/* One step towards what is wanted. Returns ms until the next, -1: none. */
static int step(struct barkd_sink *s)
{
	bool run = atomic_load(&s->want_run);
	int wait;

	if (s->client && (atomic_load(&s->gone) ||
			  (s->active && s->times_still >= WATCH_TIMES))) {
		/* Closing waits for a server that hangs. */
		report(s, BARKD_SINK_DOWN,
		       atomic_load(&s->gone) ? "the JACK server went away"
					     : "the JACK server stands still");
		client_close(s);
	}
	if (!s->client && client_open(s) < 0) {
		report(s, BARKD_SINK_DOWN, "no JACK server");
		goto later;
	}
	if (run && !s->active && client_run(s) < 0) {
		client_close(s);
		report(s, BARKD_SINK_DOWN, "the JACK server refused to run");
		goto later;
	}
	if (!run && s->active)
		client_cork(s);
	s->retry_ms = RETRY_MIN_MS;
	if (s->active)
		listen_when_connected(s);
	if (!s->active)
		report(s, BARKD_SINK_IDLE, NULL);
	else if (atomic_load(&s->listening))
		report(s, BARKD_SINK_RUNNING, NULL);
	else {
		/* A connection that a busy server refused is tried again. */
		report(s, BARKD_SINK_DOWN, "no JACK port to play to");
		return RETRY_MAX_MS;
	}
	return s->active ? WATCH_MS : -1;
later:
	wait = s->retry_ms;
	s->retry_ms = wait * 2 < RETRY_MAX_MS ? wait * 2 : RETRY_MAX_MS;
	return wait;
}

/* WATCH_MS have passed. */
static void watch(struct barkd_sink *s)
{
	unsigned cycles = atomic_load_explicit(&s->cycles,
					       memory_order_relaxed);

	s->times_still = cycles == s->cycles_seen ? s->times_still + 1 : 0;
	s->cycles_seen = cycles;
}

static void *helper(void *data)
{
	struct barkd_sink *s = data;
	struct pollfd p = { .fd = s->event, .events = POLLIN };
	eventfd_t count;

	while (!atomic_load(&s->quit)) {
		if (poll(&p, 1, step(s)) > 0)
			eventfd_read(s->event, &count);
		else if (s->active)
			watch(s);
	}
	return NULL;
}

/* --- struct barkd_sink_ops --- */

static int copy(char **ret, const char *from)
{
	if (from && !(*ret = strdup(from)))
		return -ENOMEM;
	return 0;
}

static void sink_free(struct barkd_sink *s)
{
	client_close(s);
	if (s->event >= 0)
		close(s->event);
	free(s->target);
	free(s->client_name);
	free(s->server);
	free(s);
}

static int sink_open(struct barkd_sink **ret,
		     const struct barkd_sink_config *config,
		     const struct barkd_sink_host *host, bool once)
{
	struct barkd_sink *s = calloc(1, sizeof(*s));
	int r = -ENOMEM;

	if (!s)
		return -ENOMEM;
	s->host = host;
	s->reported = -1;
	s->connect = config->connect;
	s->retry_ms = RETRY_MIN_MS;
	s->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->event < 0 || copy(&s->target, config->target) ||
	    copy(&s->server, config->server) ||
	    copy(&s->client_name,
		 config->client_name ? config->client_name : "barkd"))
		goto fail;
	/* A missing server is normal here: the owner is told, not stderr. */
	jack_set_error_function(say_nothing);
	jack_set_info_function(say_nothing);
	if (once) {
		r = client_open(s);
		if (r < 0)
			goto fail;
	}
	r = -pthread_create(&s->thread, NULL, helper, s);
	if (r < 0)
		goto fail;
	*ret = s;
	return 0;
fail:
	sink_free(s);
	return r;
}

static void sink_close(struct barkd_sink *s)
{
	if (!s)
		return;
	atomic_store(&s->quit, true);
	wake(s);
	pthread_join(s->thread, NULL);
	sink_free(s);
}

static int sink_run(struct barkd_sink *s, bool run)
{
	if (atomic_exchange(&s->want_run, run) != run)
		wake(s);
	return 0;
}

__attribute__((visibility("default")))
const struct barkd_sink_ops barkd_sink_ops = {
	.abi = BARKD_SINK_ABI,
	.name = "jack",
	.open = sink_open,
	.close = sink_close,
	.run = sink_run,
};
