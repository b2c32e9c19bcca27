/* SPDX-License-Identifier: MIT */
#include "sinks.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "locked.h"
#include "log.h"
#include "modules.h"
#include "priority.h"
#include "worker.h"

#define RETRY_FIRST_US 250000u
#define RETRY_MOST_US 2000000u
/* In auto, a sink whose server stays away this long is let go. */
#define PATIENCE_US 5000000u

/* What `auto` tries, in this order. */
static const char *const automatic[] = {"pipewire", "jack"};

#define N_AUTO (sizeof(automatic) / sizeof(*automatic))

struct settings {
	int sink;
	char *target, *role, *client_name, *server;
	bool connect;
	unsigned latency, rate;
};

/* What a sink's host functions need; they come from the sink's threads. */
struct report {
	pthread_mutex_t lock;
	int fd;
	struct outlet *outlet;
	_Atomic uint32_t rate; /* of the samples in the outlet; 0: none */
	/* Under lock. */
	enum barkd_sink_state state;
	uint32_t new_rate;
	char why[256];
	bool has_why;
};

struct sinks {
	struct worker *worker;
	struct outlet *outlet;
	void (*changed)(void *data);
	void *data;
	sd_event_source *io, *timer;
	struct report report;
	struct barkd_sink_host host;
	struct settings settings;

	const struct barkd_sink_ops *ops; /* NULL: none is open */
	struct barkd_sink *sink;
	bool busy;      /* the worker opens or closes one */
	bool reopen;    /* the settings changed meanwhile */
	bool want, running;
	uint64_t wait;  /* us until the next try */
	struct sinks_info info;
	char why[256];
};

const char *sinks_state_name(enum barkd_sink_state state)
{
	static const char *const words[] = {"down", "idle", "running",
					    "failed"};

	return words[state];
}

/* --- the host's functions --- */

/* RT safe. */
static size_t host_pull(void *data, float *out, size_t n)
{
	struct report *r = data;

	return outlet_pull(r->outlet, out, n);
}

/* RT safe. */
static void host_delay(void *data, uint32_t frames)
{
	struct report *r = data;

	outlet_set_delay(r->outlet, frames);
}

/* RT safe. */
static void host_xrun(void *data)
{
	struct report *r = data;

	outlet_count_xrun(r->outlet);
}

static void host_changed(void *data, enum barkd_sink_state state,
			 uint32_t rate, const char *why)
{
	struct report *r = data;

	/* What is in the ring must not be played at another rate, and sound
	 * that was cut off comes back by a fade. */
	if (state == BARKD_SINK_DOWN || state == BARKD_SINK_FAILED ||
	    (rate && rate != atomic_load(&r->rate)))
		outlet_hold(r->outlet, true);
	pthread_mutex_lock(&r->lock);
	r->state = state;
	if (rate)
		r->new_rate = rate;
	r->has_why = why != NULL;
	snprintf(r->why, sizeof(r->why), "%s", why ? why : "");
	pthread_mutex_unlock(&r->lock);
	eventfd_write(r->fd, 1);
}

/* --- modules --- */

static int load_module(const struct barkd_sink_ops **ret, const char *name,
		       char *why, size_t n_why)
{
	const struct barkd_sink_ops *ops;
	char file[64];

	snprintf(file, sizeof(file), "barkd-sink-%s.so", name);
	ops = module_symbol(file, BARKD_SINK_SYMBOL, BARKD_SINK_ABI, why,
			    n_why);
	if (!ops)
		return -ENOENT;
	if (strcmp(ops->name, name) != 0) {
		snprintf(why, n_why, "%s is another sink", file);
		return -ENOENT;
	}
	*ret = ops;
	return 0;
}

/* --- opening and closing, on the worker --- */

struct open_job {
	struct job job;
	struct sinks *sinks;
	/* Closed first. */
	const struct barkd_sink_ops *old_ops;
	struct barkd_sink *old;
	bool open; /* and then one is opened */
	struct settings settings;
	const struct barkd_sink_ops *ops;
	struct barkd_sink *sink;
	int r;
	char why[256];
};

static void settings_clear(struct settings *s)
{
	free(s->target);
	free(s->role);
	free(s->client_name);
	free(s->server);
	*s = (struct settings){0};
}

static int copy_string(char **ret, const char *s)
{
	*ret = s ? strdup(s) : NULL;
	return s && !*ret ? -ENOMEM : 0;
}

static int settings_copy(struct settings *ret, const struct settings *s)
{
	struct settings c = *s;
	int r = copy_string(&c.target, s->target);

	r |= copy_string(&c.role, s->role);
	r |= copy_string(&c.client_name, s->client_name);
	r |= copy_string(&c.server, s->server);
	if (r < 0) {
		settings_clear(&c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

static int open_one(struct open_job *j, const char *name, bool once)
{
	const struct settings *s = &j->settings;
	struct barkd_sink_config config = {
		.target = s->target,
		.role = s->role,
		.client_name = s->client_name,
		.server = s->server,
		.connect = s->connect,
		.latency = s->latency,
		.rate = s->rate,
	};
	const struct barkd_sink_ops *ops;
	int r = load_module(&ops, name, j->why, sizeof(j->why));

	if (r < 0)
		return r;
	r = ops->open(&j->sink, &config, &j->sinks->host, once);
	if (r < 0) {
		snprintf(j->why, sizeof(j->why), "%s: %s", name,
			 r == -EHOSTDOWN ? "no server" : strerror(-r));
		return r;
	}
	locked_code((const void *)ops->open);
	j->ops = ops;
	return 0;
}

static void open_run(struct job *job)
{
	struct open_job *j = (struct open_job *)job;
	char whys[N_AUTO][sizeof(j->why)];

	if (j->old_ops)
		j->old_ops->close(j->old);
	outlet_unplug(j->sinks->outlet);
	if (!j->open)
		return;
	if (j->settings.sink != CONF_SINK_AUTO) {
		j->r = open_one(j, conf_sinks[j->settings.sink], false);
		return;
	}
	for (size_t i = 0; i < N_AUTO; i++) {
		j->r = open_one(j, automatic[i], true);
		if (j->r == 0)
			return;
		memcpy(whys[i], j->why, sizeof(j->why));
	}
	snprintf(j->why, sizeof(j->why), "%.120s; %.120s", whys[0], whys[1]);
}

static void try_later(struct sinks *s)
{
	if (!s->want) {
		sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time_relative(s->timer, s->wait);
	sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
	s->wait = s->wait * 2 < RETRY_MOST_US ? s->wait * 2 : RETRY_MOST_US;
}

static void start_job(struct sinks *s, bool open);

static void apply_run(struct sinks *s)
{
	int r;

	if (!s->ops || s->running == s->want)
		return;
	s->running = s->want;
	r = s->ops->run(s->sink, s->want);
	if (r < 0)
		log_warning("sink %s: %s", s->ops->name, strerror(-r));
}

static void open_done(struct job *job)
{
	struct open_job *j = (struct open_job *)job;
	struct sinks *s = j->sinks;
	bool again = s->reopen;

	s->busy = s->reopen = false;
	s->ops = j->ops;
	s->sink = j->sink;
	s->running = false;
	if (j->r < 0 && j->open) {
		if (strcmp(s->why, j->why) != 0)
			log_warning("no sink: %s", j->why);
		snprintf(s->why, sizeof(s->why), "%s", j->why);
		s->info.why = s->why;
	}
	if (s->ops)
		log_info("sink %s", s->ops->name);
	settings_clear(&j->settings);
	free(j);
	if (again) {
		start_job(s, true);
		return;
	}
	s->info.name = s->ops ? s->ops->name : NULL;
	s->info.writes = s->ops && s->ops->write;
	if (!s->ops)
		try_later(s);
	apply_run(s);
	/* What the sink said while it was opened was kept until now. */
	eventfd_write(s->report.fd, 1);
}

/* Closes what is open and, if asked to, opens by the settings. */
static void start_job(struct sinks *s, bool open)
{
	struct open_job *j;

	if (s->busy) {
		s->reopen = true;
		return;
	}
	j = calloc(1, sizeof(*j));
	if (!j || settings_copy(&j->settings, &s->settings) < 0) {
		free(j);
		try_later(s);
		return;
	}
	outlet_hold(s->outlet, true);
	atomic_store(&s->report.rate, 0);
	j->job.run = open_run;
	j->job.done = open_done;
	j->sinks = s;
	j->open = open;
	j->old_ops = s->ops;
	j->old = s->sink;
	s->ops = NULL;
	s->sink = NULL;
	s->info.name = NULL;
	s->info.writes = false;
	s->info.state = BARKD_SINK_DOWN;
	s->busy = true;
	pthread_mutex_lock(&s->report.lock);
	s->report.state = BARKD_SINK_DOWN;
	s->report.new_rate = 0;
	pthread_mutex_unlock(&s->report.lock);
	sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	worker_give(s->worker, &j->job);
}

/* --- the loop --- */

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct sinks *s = userdata;

	if (s->busy || !s->want)
		return 0;
	/* Nothing is open, or what is open has been away for long. */
	start_job(s, true);
	return 0;
}

static void on_state(struct sinks *s, enum barkd_sink_state before)
{
	enum barkd_sink_state now = s->info.state;

	if (now != before)
		log_info("sink %s: %s%s%s", s->ops->name,
			 sinks_state_name(now), s->info.why ? ", " : "",
			 s->info.why ? s->info.why : "");
	if (now == BARKD_SINK_FAILED) {
		start_job(s, false);
		return;
	}
	if (now != BARKD_SINK_DOWN) {
		s->wait = RETRY_FIRST_US;
		sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	} else if (s->settings.sink == CONF_SINK_AUTO &&
		   before != BARKD_SINK_DOWN) {
		sd_event_source_set_time_relative(s->timer, PATIENCE_US);
		sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
	}
}

static int on_report(sd_event_source *source, int fd, uint32_t revents,
		     void *userdata)
{
	struct sinks *s = userdata;
	struct report *r = &s->report;
	enum barkd_sink_state before = s->info.state;
	eventfd_t n;

	eventfd_read(fd, &n);
	if (s->busy)
		return 0;
	if (s->ops) {
		pthread_mutex_lock(&r->lock);
		s->info.state = r->state;
		s->info.rate = r->new_rate;
		if (r->has_why)
			memcpy(s->why, r->why, sizeof(s->why));
		s->info.why = r->has_why ? s->why : NULL;
		pthread_mutex_unlock(&r->lock);
		on_state(s, before);
	}
	atomic_store(&r->rate, s->info.rate);
	s->changed(s->data);
	return 0;
}

void sinks_want(struct sinks *s, bool want)
{
	bool begins = want && !s->want;

	s->want = want;
	if (begins && !s->ops && !s->busy) {
		s->wait = RETRY_FIRST_US;
		start_job(s, true);
	}
	if (!want && !s->ops)
		sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	apply_run(s);
}

void sinks_flush(struct sinks *s)
{
	if (s->ops && s->ops->flush)
		s->ops->flush(s->sink);
}

int sinks_write(struct sinks *s, const float *pcm, size_t n)
{
	if (!s->ops || !s->ops->write)
		return -ENOTCONN;
	return s->ops->write(s->sink, pcm, n);
}

struct sinks_info sinks_info(const struct sinks *s)
{
	return s->info;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

int sinks_configure(struct sinks *s, const struct conf *conf)
{
	struct settings view = {
		.sink = conf->output.sink,
		.target = conf->output.target,
		.role = conf->output.role,
		.client_name = conf->output.client_name
				       ? conf->output.client_name
				       : (char *)"barkd",
		.server = conf->output.server,
		.connect = conf->output.connect,
		.latency = conf->output.latency,
		.rate = conf->output.rate,
	};
	struct settings new, *old = &s->settings;
	int r;

	if (old->client_name && view.sink == old->sink &&
	    view.connect == old->connect && view.latency == old->latency &&
	    view.rate == old->rate && same(view.target, old->target) &&
	    same(view.role, old->role) && same(view.server, old->server) &&
	    same(view.client_name, old->client_name))
		return 0;
	r = settings_copy(&new, &view);
	if (r < 0)
		return r;
	settings_clear(old);
	*old = new;
	start_job(s, true);
	return 0;
}

int sinks_new(struct sinks **ret, sd_event *event, struct outlet *outlet,
	      void (*changed)(void *data), void *data)
{
	struct sinks *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->outlet = s->report.outlet = outlet;
	s->changed = changed;
	s->data = data;
	s->wait = RETRY_FIRST_US;
	pthread_mutex_init(&s->report.lock, NULL);
	s->host = (struct barkd_sink_host){
		.data = &s->report,
		.pull = host_pull,
		.delay = host_delay,
		.xrun = host_xrun,
		.changed = host_changed,
	};
	s->report.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = s->report.fd < 0 ? -errno : worker_new(&s->worker, event,
						   "barkd-sink");
	if (r == 0)
		r = sd_event_add_io(event, &s->io, s->report.fd, EPOLLIN,
				    on_report, s);
	if (r >= 0)
		r = sd_event_source_set_priority(s->io, PRIORITY_SOUND);
	if (r >= 0)
		r = sd_event_add_time_relative(event, &s->timer,
					       CLOCK_MONOTONIC, 0, 10000,
					       on_timer, s);
	if (r >= 0)
		r = sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	if (r < 0) {
		sinks_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void sinks_free(struct sinks *s)
{
	if (!s)
		return;
	s->reopen = false;
	worker_free(s->worker);
	if (s->ops)
		s->ops->close(s->sink);
	sd_event_source_disable_unref(s->io);
	sd_event_source_disable_unref(s->timer);
	if (s->report.fd >= 0)
		close(s->report.fd);
	pthread_mutex_destroy(&s->report.lock);
	settings_clear(&s->settings);
	free(s);
}
