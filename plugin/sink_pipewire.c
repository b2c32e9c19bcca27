/* SPDX-License-Identifier: MIT */
/*
 * The PipeWire sink: a mono playback stream on a thread loop of its own.
 *
 * Everything but on_process() runs on the loop's thread, driven by three
 * things: PipeWire's events, `kick` (the owner wants something) and `retry`
 * (a timer with back-off). Each of them ends in step(), which brings the
 * connection one step nearer to what is wanted; so the server and the device
 * may come and go at any moment. Nothing is destroyed inside one of its own
 * callbacks: callbacks set a flag and kick.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pipewire/pipewire.h>
#include <spa/param/audio/format-utils.h>

#include "sink.h"

#define DEFAULT_RATE 48000u
/* Keeps stop to silence below 20 ms: two quanta and the fade. */
#define DEFAULT_QUANTUM 256u /* at 48 kHz */
#define RETRY_MIN_MS 50u
#define RETRY_MAX_MS 1000u
/* A stream that should run and does not for so long is made anew: a session
 * manager that was started again does not always take up an old one. */
#define STUCK_MS 5000u

struct barkd_sink {
	const struct barkd_sink_host *host;
	char *target, *role, *client_name, *server;
	unsigned latency, wished_rate;

	struct pw_thread_loop *loop;
	struct pw_context *context;
	struct spa_source *kick, *retry;
	unsigned retry_ms;

	struct pw_core *core;
	struct spa_hook core_listener;
	struct pw_registry *registry;
	struct spa_hook registry_listener;
	int sync_seq;
	bool core_ready; /* the server answered, its rate is known */
	bool core_lost;

	struct pw_stream *stream;
	struct spa_hook stream_listener;
	bool stream_lost;
	bool stream_active;
	char why[128];

	uint32_t rate;        /* constant while there is a stream */
	uint32_t server_rate; /* the graph's */
	int reported; /* enum barkd_sink_state, -1: nothing yet */
	uint32_t reported_rate;

	atomic_bool want_run;
	atomic_bool restarted; /* on_process: forget next_ticks */
	uint64_t next_ticks;   /* on_process only */
};

static void report(struct barkd_sink *s, enum barkd_sink_state state,
		   const char *why)
{
	if ((int)state == s->reported && s->rate == s->reported_rate)
		return;
	s->reported = state;
	s->reported_rate = s->rate;
	s->host->changed(s->host->data, state, s->rate, why);
}

static void kick(struct barkd_sink *s)
{
	pw_loop_signal_event(pw_thread_loop_get_loop(s->loop), s->kick);
}

static void retry_after(struct barkd_sink *s, unsigned ms)
{
	struct timespec at = { ms / 1000, (long)(ms % 1000) * 1000000 };

	pw_loop_update_timer(pw_thread_loop_get_loop(s->loop), s->retry, &at,
			     NULL, false);
}

static void retry_later(struct barkd_sink *s)
{
	retry_after(s, s->retry_ms);
	s->retry_ms = SPA_MIN(s->retry_ms * 2, RETRY_MAX_MS);
}

/* --- the stream --- */

/* RT safe. Frames at our rate until the device plays what is queued next. */
static uint32_t delay_of(const struct barkd_sink *s, const struct pw_time *t)
{
	int64_t frames = (int64_t)(t->queued + t->buffered);

	if (t->rate.denom)
		frames += t->delay * t->rate.num * s->rate / t->rate.denom;
	return (uint32_t)SPA_CLAMP(frames, 0, UINT32_MAX);
}

/* RT safe. The graph's clock ran on without asking us for a cycle. */
static bool missed_cycle(struct barkd_sink *s, const struct pw_time *t,
			 uint32_t frames)
{
	uint64_t next = s->next_ticks, quantum;

	if (!t->rate.num || !s->rate)
		return false;
	quantum = (uint64_t)frames * t->rate.denom /
		  ((uint64_t)t->rate.num * s->rate);
	/* Half a quantum of slack: the resampler's requests vary. */
	s->next_ticks = t->ticks + quantum + quantum / 2;
	if (atomic_exchange_explicit(&s->restarted, false,
				     memory_order_relaxed))
		return false;
	return t->ticks > next;
}

/* RT safe. */
static void on_process(void *data)
{
	struct barkd_sink *s = data;
	struct pw_buffer *b = pw_stream_dequeue_buffer(s->stream);
	struct pw_time t = { 0 };
	struct spa_data *d;
	uint32_t n;

	if (!b)
		return;
	d = &b->buffer->datas[0];
	n = d->data ? d->maxsize / sizeof(float) : 0;
	if (b->requested)
		n = SPA_MIN(n, (uint32_t)b->requested);
	if (n)
		s->host->pull(s->host->data, d->data, n);
	d->chunk->offset = 0;
	d->chunk->stride = sizeof(float);
	d->chunk->size = n * sizeof(float);
	b->size = n;
	/* Before queueing, so that `queued` is what lies ahead of us. */
	if (pw_stream_get_time_n(s->stream, &t, sizeof(t)) >= 0) {
		s->host->delay(s->host->data, delay_of(s, &t));
		if (missed_cycle(s, &t, n))
			s->host->xrun(s->host->data);
	}
	pw_stream_queue_buffer(s->stream, b);
}

static void on_stream_state(void *data, enum pw_stream_state old,
			    enum pw_stream_state state, const char *error)
{
	struct barkd_sink *s = data;

	switch (state) {
	case PW_STREAM_STATE_ERROR:
	case PW_STREAM_STATE_UNCONNECTED:
		s->stream_lost = true;
		snprintf(s->why, sizeof(s->why), "%s",
			 error ? error : "the stream was disconnected");
		kick(s);
		break;
	case PW_STREAM_STATE_PAUSED:
		/* Nobody corked it: the device went away. */
		if (old == PW_STREAM_STATE_STREAMING && s->stream_active) {
			report(s, BARKD_SINK_DOWN, "no audio device");
			retry_after(s, STUCK_MS);
		} else if (!atomic_load(&s->want_run)) {
			report(s, BARKD_SINK_IDLE, NULL);
		}
		/* Else on its way to a device, which may not be there. */
		kick(s); /* what is wanted may have changed meanwhile */
		break;
	case PW_STREAM_STATE_STREAMING:
		s->retry_ms = RETRY_MIN_MS;
		atomic_store(&s->restarted, true);
		report(s, BARKD_SINK_RUNNING, NULL);
		kick(s);
		break;
	case PW_STREAM_STATE_CONNECTING:
		break;
	}
}

static const struct pw_stream_events stream_events = {
	PW_VERSION_STREAM_EVENTS,
	.state_changed = on_stream_state,
	.process = on_process,
};

static struct pw_properties *stream_properties(const struct barkd_sink *s)
{
	unsigned quantum = s->latency ? s->latency :
			   s->rate * DEFAULT_QUANTUM / 48000;
	struct pw_properties *p = pw_properties_new(
		PW_KEY_MEDIA_TYPE, "Audio",
		PW_KEY_MEDIA_CATEGORY, "Playback",
		PW_KEY_MEDIA_ROLE, s->role ? s->role : "Accessibility",
		PW_KEY_MEDIA_NAME, "Speech",
		PW_KEY_NODE_NAME, s->client_name,
		PW_KEY_NODE_DESCRIPTION, s->client_name,
		PW_KEY_APP_NAME, s->client_name,
		PW_KEY_APP_ICON_NAME, "barkd", NULL);

	if (!p)
		return NULL;
	pw_properties_setf(p, PW_KEY_NODE_LATENCY, "%u/%u", quantum, s->rate);
	if (s->target)
		pw_properties_set(p, PW_KEY_TARGET_OBJECT, s->target);
	return p;
}

static void stream_destroy(struct barkd_sink *s)
{
	if (!s->stream)
		return;
	spa_hook_remove(&s->stream_listener);
	pw_stream_destroy(s->stream);
	s->stream = NULL;
	s->stream_lost = false;
}

static int stream_create(struct barkd_sink *s)
{
	uint8_t buf[512];
	struct spa_pod_builder b = SPA_POD_BUILDER_INIT(buf, sizeof(buf));
	struct spa_audio_info_raw info = {
		.format = SPA_AUDIO_FORMAT_F32P,
		.channels = 1,
		.position = { SPA_AUDIO_CHANNEL_MONO },
	};
	struct pw_properties *props;
	const struct spa_pod *params[1];
	int flags = PW_STREAM_FLAG_AUTOCONNECT | PW_STREAM_FLAG_MAP_BUFFERS |
		    PW_STREAM_FLAG_RT_PROCESS;
	int r;

	s->rate = s->wished_rate ? s->wished_rate : s->server_rate;
	info.rate = s->rate;
	params[0] = spa_format_audio_raw_build(&b, SPA_PARAM_EnumFormat,
					       &info);
	props = stream_properties(s);
	if (!props)
		return -ENOMEM;
	s->stream = pw_stream_new(s->core, "Speech", props);
	if (!s->stream)
		return -errno;
	s->stream_lost = false;
	s->stream_active = atomic_load(&s->want_run);
	if (!s->stream_active)
		flags |= PW_STREAM_FLAG_INACTIVE;
	spa_zero(s->stream_listener);
	pw_stream_add_listener(s->stream, &s->stream_listener, &stream_events,
			       s);
	r = pw_stream_connect(s->stream, PW_DIRECTION_OUTPUT, PW_ID_ANY, flags,
			      params, 1);
	if (r < 0)
		stream_destroy(s);
	return r;
}

/* --- the connection --- */

static void on_core_info(void *data, const struct pw_core_info *info)
{
	struct barkd_sink *s = data;
	const char *v = info->props ?
			spa_dict_lookup(info->props, "default.clock.rate") :
			NULL;
	long rate = v ? strtol(v, NULL, 10) : 0;

	/* A later change applies to the next stream. */
	if (rate >= 8000 && rate <= 768000)
		s->server_rate = (uint32_t)rate;
}

static void on_core_done(void *data, uint32_t id, int seq)
{
	struct barkd_sink *s = data;

	if (id == PW_ID_CORE && seq == s->sync_seq) {
		s->core_ready = true;
		kick(s);
	}
}

static void on_core_error(void *data, uint32_t id, int seq, int res,
			  const char *message)
{
	struct barkd_sink *s = data;

	if (id == PW_ID_CORE && res == -EPIPE) {
		s->core_lost = true;
		kick(s);
	}
}

static const struct pw_core_events core_events = {
	PW_VERSION_CORE_EVENTS,
	.info = on_core_info,
	.done = on_core_done,
	.error = on_core_error,
};

static void on_global(void *data, uint32_t id, uint32_t permissions,
		      const char *type, uint32_t version,
		      const struct spa_dict *props)
{
	struct barkd_sink *s = data;
	const char *class;

	if (strcmp(type, PW_TYPE_INTERFACE_Node) || !props)
		return;
	class = spa_dict_lookup(props, PW_KEY_MEDIA_CLASS);
	if (!class || strcmp(class, "Audio/Sink"))
		return;
	if (s->stream && !s->stream_lost)
		return;
	/* The session manager needs a moment to see it as well. */
	s->retry_ms = RETRY_MIN_MS;
	retry_later(s);
}

static const struct pw_registry_events registry_events = {
	PW_VERSION_REGISTRY_EVENTS,
	.global = on_global,
};

static void core_destroy(struct barkd_sink *s)
{
	stream_destroy(s);
	if (s->registry) {
		spa_hook_remove(&s->registry_listener);
		pw_proxy_destroy((struct pw_proxy *)s->registry);
		s->registry = NULL;
	}
	if (s->core) {
		spa_hook_remove(&s->core_listener);
		pw_core_disconnect(s->core);
		s->core = NULL;
	}
	s->core_ready = s->core_lost = false;
}

static int core_create(struct barkd_sink *s)
{
	struct pw_properties *p = NULL;

	if (s->server) {
		p = pw_properties_new(PW_KEY_REMOTE_NAME, s->server, NULL);
		if (!p)
			return -ENOMEM;
	}
	s->core = pw_context_connect(s->context, p, 0);
	if (!s->core)
		return -errno;
	spa_zero(s->core_listener);
	pw_core_add_listener(s->core, &s->core_listener, &core_events, s);
	s->registry = pw_core_get_registry(s->core, PW_VERSION_REGISTRY, 0);
	if (!s->registry) {
		core_destroy(s);
		return -ENOMEM;
	}
	spa_zero(s->registry_listener);
	pw_registry_add_listener(s->registry, &s->registry_listener,
				 &registry_events, s);
	s->sync_seq = pw_core_sync(s->core, PW_ID_CORE, 0);
	return 0;
}

/*
 * Whether the server has followed the last change. Changes that overtake each
 * other can leave the node in an error that nobody is told of (0.3.65).
 */
static bool stream_settled(const struct barkd_sink *s)
{
	return pw_stream_get_state(s->stream, NULL) ==
	       (s->stream_active ? PW_STREAM_STATE_STREAMING :
				   PW_STREAM_STATE_PAUSED);
}

/* One step towards what is wanted; called whenever something changed. */
static void step(struct barkd_sink *s)
{
	bool run = atomic_load(&s->want_run);

	if (s->core_lost) {
		core_destroy(s);
		report(s, BARKD_SINK_DOWN, "the PipeWire server went away");
	}
	if (!s->core) {
		if (core_create(s) < 0) {
			report(s, BARKD_SINK_DOWN, "no PipeWire server");
			retry_later(s);
		}
		return;
	}
	if (!s->core_ready)
		return;
	if (s->stream_lost) {
		stream_destroy(s);
		report(s, BARKD_SINK_DOWN, s->why);
		/* Corked, the registry tells when it is worth trying. */
		if (run)
			retry_later(s);
		return;
	}
	if (!s->stream) {
		if (stream_create(s) < 0) {
			report(s, BARKD_SINK_DOWN, "cannot make a stream");
			retry_later(s);
		} else if (run) {
			retry_after(s, STUCK_MS);
		}
		return;
	}
	if (run != s->stream_active) {
		if (run)
			retry_after(s, STUCK_MS);
		if (stream_settled(s)) {
			s->stream_active = run;
			pw_stream_set_active(s->stream, run);
		}
	}
}

static void on_kick(void *data, uint64_t count)
{
	step(data);
}

static bool stuck(const struct barkd_sink *s)
{
	return s->stream && atomic_load(&s->want_run) &&
	       pw_stream_get_state(s->stream, NULL) !=
		       PW_STREAM_STATE_STREAMING;
}

static void on_retry(void *data, uint64_t count)
{
	struct barkd_sink *s = data;

	if (stuck(s))
		stream_destroy(s);
	step(s);
}

/* --- struct barkd_sink_ops --- */

/* PipeWire 0.3.65 to 1.2 have real-time scheduling in this file only. */
static bool needs_rt_config(void)
{
	int major, minor;

	return sscanf(pw_get_library_version(), "%d.%d", &major, &minor) == 2 &&
	       (major < 1 || (major == 1 && minor < 3));
}

static struct pw_context *context_new(struct pw_loop *loop)
{
	struct pw_context *context = NULL;

	if (needs_rt_config())
		context = pw_context_new(
			loop, pw_properties_new(PW_KEY_CONFIG_NAME,
						"client-rt.conf", NULL), 0);
	return context ? context : pw_context_new(loop, NULL, 0);
}

static int copy(char **ret, const char *from)
{
	if (from && !(*ret = strdup(from)))
		return -ENOMEM;
	return 0;
}

static void sink_close(struct barkd_sink *s)
{
	if (!s)
		return;
	if (s->loop)
		pw_thread_loop_stop(s->loop);
	core_destroy(s);
	if (s->kick)
		pw_loop_destroy_source(pw_thread_loop_get_loop(s->loop),
				       s->kick);
	if (s->retry)
		pw_loop_destroy_source(pw_thread_loop_get_loop(s->loop),
				       s->retry);
	if (s->context)
		pw_context_destroy(s->context);
	if (s->loop)
		pw_thread_loop_destroy(s->loop);
	pw_deinit();
	free(s->target);
	free(s->role);
	free(s->client_name);
	free(s->server);
	free(s);
}

static int sink_open(struct barkd_sink **ret,
		     const struct barkd_sink_config *config,
		     const struct barkd_sink_host *host, bool once)
{
	struct barkd_sink *s = calloc(1, sizeof(*s));
	struct pw_loop *loop;
	int r = -ENOMEM;

	if (!s)
		return -ENOMEM;
	pw_init(NULL, NULL);
	s->host = host;
	s->reported = -1;
	s->latency = config->latency;
	s->wished_rate = config->rate;
	s->server_rate = DEFAULT_RATE;
	s->rate = config->rate ? config->rate : DEFAULT_RATE;
	s->retry_ms = RETRY_MIN_MS;
	if (copy(&s->target, config->target) || copy(&s->role, config->role) ||
	    copy(&s->server, config->server) ||
	    copy(&s->client_name,
		 config->client_name ? config->client_name : "barkd"))
		goto fail;
	s->loop = pw_thread_loop_new("barkd-pipewire", NULL);
	if (!s->loop)
		goto fail;
	loop = pw_thread_loop_get_loop(s->loop);
	s->kick = pw_loop_add_event(loop, on_kick, s);
	s->retry = pw_loop_add_timer(loop, on_retry, s);
	s->context = context_new(loop);
	if (!s->kick || !s->retry || !s->context)
		goto fail;
	if (once && core_create(s) < 0) {
		r = -EHOSTDOWN;
		goto fail;
	}
	r = pw_thread_loop_start(s->loop);
	if (r < 0)
		goto fail;
	kick(s);
	*ret = s;
	return 0;
fail:
	sink_close(s);
	return r;
}

static int sink_run(struct barkd_sink *s, bool run)
{
	if (atomic_exchange(&s->want_run, run) != run)
		kick(s);
	return 0;
}

/*
 * No flush: what is pulled is consumed in the same cycle, so that there is
 * nothing to drop, and pw_stream_flush() leaves a running stream in the state
 * "paused" (seen with 0.3.65).
 */
__attribute__((visibility("default")))
const struct barkd_sink_ops barkd_sink_ops = {
	.abi = BARKD_SINK_ABI,
	.name = "pipewire",
	.open = sink_open,
	.close = sink_close,
	.run = sink_run,
};
