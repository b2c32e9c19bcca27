/* SPDX-License-Identifier: MIT */
#include "studio.h"

#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "find.h"
#include "log.h"
#include "worker.h"

#define VOICES_MAX 16

struct voice {
	char *path;
	struct bark_voice *voice;
};

/* The worker's: what is loaded. Touched by jobs alone, one after another. */
struct core {
	struct bark_engine *engine;
	unsigned threads, nice, nice_ahead; /* as asked for */
	struct bark_model *model;
	char *path;
	struct voice voices[VOICES_MAX];
	unsigned n_voices;
};

struct settings {
	char *name, *voice;
	char *label; /* the model's own name */
	enum bark_precision precision;
	unsigned threads, nice, nice_ahead;
	struct bark_session_options session;
};

struct studio {
	struct worker *worker, *reaper;
	void (*changed)(void *data);
	void *data;
	struct core core;
	struct settings settings;
	bool stale;       /* settings are newer than what was loaded last */

	enum studio_state state;
	unsigned loads;   /* under way */
	char *path, *error;
	const char *kernels;
	unsigned threads, rate, sessions;
	size_t memory;
	double load_ms;
};

static void set_state(struct studio *s, enum studio_state state)
{
	if (s->state == state)
		return;
	s->state = state;
	s->changed(s->data);
}

/* --- the core --- */

static void core_drop_model(struct core *core)
{
	for (unsigned i = 0; i < core->n_voices; i++) {
		bark_voice_unref(core->voices[i].voice);
		free(core->voices[i].path);
	}
	core->n_voices = 0;
	bark_model_unref(core->model);
	core->model = NULL;
	free(core->path);
	core->path = NULL;
}

/* ret NULL with 0: the voice "none". */
static int core_voice(struct core *core, const char *name,
		      struct bark_voice **ret, struct bark_error *err)
{
	struct bark_voice *voice;
	char *path;
	int r;

	r = barkd_voice_find(&path, core->path, name);
	if (r < 0) {
		snprintf(err->message, sizeof(err->message),
			 "there is no voice \"%s\"", name);
		return r == -ENOMEM ? r : -ESRCH;
	}
	if (!path) {
		*ret = NULL;
		return 0;
	}
	for (unsigned i = 0; i < core->n_voices; i++) {
		if (strcmp(core->voices[i].path, path) == 0) {
			free(path);
			*ret = core->voices[i].voice;
			return 0;
		}
	}
	r = bark_voice_open(&voice, core->model, path, err);
	if (r < 0) {
		free(path);
		return r;
	}
	if (core->n_voices == VOICES_MAX) {
		bark_voice_unref(core->voices[0].voice);
		free(core->voices[0].path);
		memmove(core->voices, core->voices + 1,
			(VOICES_MAX - 1) * sizeof(*core->voices));
		core->n_voices--;
	}
	core->voices[core->n_voices].path = path;
	core->voices[core->n_voices++].voice = voice;
	*ret = voice;
	return 0;
}

/* --- loading --- */

struct load_job {
	struct job job;
	struct studio *studio;
	char *name;
	enum bark_precision precision;
	unsigned threads, nice, nice_ahead;
	int r;
	struct bark_error err;
	char *path;
	const char *kernels;
	unsigned n_threads, rate;
	size_t memory;
	double ms;
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int load_engine(struct load_job *j, struct core *core,
		       struct bark_engine **ret)
{
	struct bark_engine_options opts = {
		.threads = j->threads, .nice = (int)j->nice,
		.nice_ahead = (int)j->nice_ahead,
	};
	int r;

	if (core->engine && core->threads == j->threads &&
	    core->nice == j->nice && core->nice_ahead == j->nice_ahead) {
		*ret = core->engine;
		return 0;
	}
	r = bark_engine_new(ret, &opts);
	if (r < 0)
		snprintf(j->err.message, sizeof(j->err.message),
			 "cannot start the engine: %s", strerror(-r));
	return r;
}

static void load_run(struct job *job)
{
	struct load_job *j = (struct load_job *)job;
	struct core *core = &j->studio->core;
	struct bark_model_options opts = {.precision = j->precision};
	struct bark_engine *engine = NULL;
	struct bark_model *model;
	double start = now_ms();
	char *path = NULL;

	j->r = barkd_model_find(&path, j->name);
	if (j->r < 0)
		snprintf(j->err.message, sizeof(j->err.message),
			 "there is no model \"%s\"", j->name);
	if (j->r == 0)
		j->r = load_engine(j, core, &engine);
	if (j->r == 0)
		j->r = bark_model_open(&model, path, &opts, &j->err);
	if (j->r < 0) {
		if (engine != core->engine)
			bark_engine_unref(engine);
		free(path);
		return;
	}
	core_drop_model(core);
	if (engine != core->engine)
		bark_engine_unref(core->engine);
	core->engine = engine;
	core->threads = j->threads;
	core->nice = j->nice;
	core->nice_ahead = j->nice_ahead;
	core->model = model;
	core->path = path;
	j->path = strdup(path);
	j->kernels = bark_engine_kernels(engine);
	j->n_threads = bark_engine_threads(engine);
	j->rate = bark_model_rate(model);
	j->memory = bark_model_memory(model);
	j->ms = now_ms() - start;
}

static void load_done(struct job *job)
{
	struct load_job *j = (struct load_job *)job;
	struct studio *s = j->studio;

	s->loads--;
	free(s->error);
	s->error = NULL;
	if (j->r < 0) {
		s->error = strdup(j->err.message);
		log_error("model %s: %s", j->name, j->err.message);
	} else {
		free(s->path);
		s->path = j->path;
		s->kernels = j->kernels;
		s->threads = j->n_threads;
		s->rate = j->rate;
		s->memory = j->memory;
		s->load_ms = j->ms;
		log_info("model %s loaded in %.0f ms: %.1f MB, %s, %u threads",
			 j->name, j->ms, (double)j->memory / 1e6, j->kernels,
			 j->n_threads);
	}
	if (!s->loads)
		set_state(s, s->memory ? STUDIO_READY : STUDIO_FAILED);
	free(j->name);
	free(j);
}

static void start_load(struct studio *s)
{
	struct load_job *j = calloc(1, sizeof(*j));
	char *name = strdup(s->settings.name);

	if (!j || !name) {
		free(j);
		free(name);
		log_error("no memory to load the model");
		return;
	}
	j->job.run = load_run;
	j->job.done = load_done;
	j->studio = s;
	j->name = name;
	j->precision = s->settings.precision;
	j->threads = s->settings.threads;
	j->nice = s->settings.nice;
	j->nice_ahead = s->settings.nice_ahead;
	s->stale = false;
	s->loads++;
	set_state(s, STUDIO_LOADING);
	worker_give(s->worker, &j->job);
}

void studio_load(struct studio *s)
{
	bool have = s->state == STUDIO_READY || s->state == STUDIO_LOADING;

	if (!have || s->stale)
		start_load(s);
}

/* --- unloading --- */

struct unload_job {
	struct job job;
	struct core *core;
};

static void unload_run(struct job *job)
{
	struct unload_job *j = (struct unload_job *)job;

	core_drop_model(j->core);
	/* The C library keeps what was freed; give it back. */
	malloc_trim(0);
	free(j);
}

void studio_unload(struct studio *s)
{
	struct unload_job *j;

	if (s->state != STUDIO_READY || s->sessions)
		return;
	j = calloc(1, sizeof(*j));
	if (!j)
		return;
	j->job.run = unload_run;
	j->core = &s->core;
	s->memory = 0;
	worker_give(s->worker, &j->job);
	log_info("model %s unloaded", s->settings.name);
	set_state(s, STUDIO_UNLOADED);
}

/* --- sessions --- */

struct studio_order {
	struct job job;
	struct studio *studio;
	bool cancelled; /* the loop's */
	char *text, *voice, *language;
	size_t n_text;
	char must_speak[LANGUAGE_ROOM];
	struct bark_session_options options;
	void (*done)(void *data, int r, struct bark_session *session,
		     const char *why);
	void *data;
	int r;
	struct bark_session *session;
	struct bark_error err;
};

static void order_run(struct job *job)
{
	struct studio_order *o = (struct studio_order *)job;
	struct core *core = &o->studio->core;
	struct bark_voice *voice = NULL;

	if (!core->model) {
		snprintf(o->err.message, sizeof(o->err.message),
			 "no model is loaded");
		o->r = -ENOENT;
		return;
	}
	if (!bark_model_speaks(core->model, o->must_speak)) {
		snprintf(o->err.message, sizeof(o->err.message),
			 "the model does not speak \"%s\"", o->must_speak);
		o->r = -ENOTSUP;
		return;
	}
	if (o->voice)
		o->r = core_voice(core, o->voice, &voice, &o->err);
	if (o->r == 0)
		o->r = bark_session_new(&o->session, core->engine, core->model,
					voice, &o->options, &o->err);
	if (o->r == 0)
		o->r = bark_session_start(o->session, o->text, o->n_text,
					  &o->err);
	if (o->r < 0 && !o->err.message[0])
		snprintf(o->err.message, sizeof(o->err.message),
			 "cannot speak: %s", strerror(-o->r));
}

static void order_free(struct studio_order *o)
{
	free(o->text);
	free(o->voice);
	free(o->language);
	free(o);
}

static void order_done(struct job *job)
{
	struct studio_order *o = (struct studio_order *)job;
	struct studio *s = o->studio;
	struct bark_session *session = o->session;

	if (o->r < 0 || o->cancelled) {
		s->sessions--;
		if (session) {
			s->sessions++;
			studio_return(s, session);
			session = NULL;
		}
	}
	if (!o->cancelled)
		o->done(o->data, o->r, session,
			o->r == -ENOENT && s->error ? s->error
						    : o->err.message);
	order_free(o);
}

int studio_order(struct studio *s, struct studio_order **ret,
		 const struct studio_request *request,
		 void (*done)(void *data, int r, struct bark_session *session,
			      const char *why),
		 void *data)
{
	const char *voice = request->voice ? request->voice
					   : s->settings.voice;
	struct studio_order *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->job.run = order_run;
	o->job.done = order_done;
	o->studio = s;
	o->text = malloc(request->n_text + 1);
	o->voice = voice ? strdup(voice) : NULL;
	o->language = request->language ? strdup(request->language) : NULL;
	if (!o->text || (voice && !o->voice) ||
	    (request->language && !o->language)) {
		order_free(o);
		return -ENOMEM;
	}
	memcpy(o->text, request->text, request->n_text);
	o->n_text = request->n_text;
	strcpy(o->must_speak, request->must_speak);
	o->options = s->settings.session;
	o->options.seed = request->seed;
	o->options.language = o->language;
	if (!request->has_seed &&
	    getrandom(&o->options.seed, sizeof(o->options.seed), 0) < 0)
		o->options.seed = (uint64_t)now_ms();
	o->done = done;
	o->data = data;
	studio_load(s);
	s->sessions++;
	worker_give(s->worker, &o->job);
	*ret = o;
	return 0;
}

void studio_cancel(struct studio_order *order)
{
	if (order)
		order->cancelled = true;
}

struct return_job {
	struct job job;
	struct bark_session *session;
	struct studio *studio;
};

static void return_run(struct job *job)
{
	struct return_job *j = (struct return_job *)job;

	bark_session_free(j->session);
}

static void return_done(struct job *job)
{
	struct return_job *j = (struct return_job *)job;

	j->studio->sessions--;
	free(j);
}

void studio_return(struct studio *s, struct bark_session *session)
{
	struct return_job *j;

	if (!session)
		return;
	bark_session_cancel(session);
	j = calloc(1, sizeof(*j));
	if (!j) {
		/* Late rather than never. */
		bark_session_free(session);
		s->sessions--;
		return;
	}
	j->job.run = return_run;
	j->job.done = return_done;
	j->session = session;
	j->studio = s;
	worker_give(s->reaper, &j->job);
}

/* --- the studio --- */

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void settings_clear(struct settings *s)
{
	free(s->name);
	free(s->voice);
	free(s->label);
}

int studio_configure(struct studio *s, const struct conf *conf)
{
	static const enum bark_precision precisions[] = {
		[CONF_PRECISION_DEFAULT] = BARK_PRECISION_DEFAULT,
		[CONF_PRECISION_F32] = BARK_PRECISION_F32,
		[CONF_PRECISION_F16] = BARK_PRECISION_F16,
		[CONF_PRECISION_BF16] = BARK_PRECISION_BF16,
		[CONF_PRECISION_INT8] = BARK_PRECISION_INT8,
		[CONF_PRECISION_Q4] = BARK_PRECISION_Q4,
	};
	_Static_assert(sizeof(precisions) / sizeof(*precisions) ==
			       CONF_PRECISIONS,
		       "every precision has its own");
	struct settings new = {
		.name = strdup(conf->model.name ? conf->model.name
						: BARKD_DEFAULT_MODEL),
		.voice = conf->model.voice ? strdup(conf->model.voice) : NULL,
		.precision = precisions[conf->model.precision],
		.threads = conf->model.threads,
		.nice = conf->model.nice, .nice_ahead = conf->model.nice_ahead,
		.session = {
			.mode = conf->model.mode == CONF_MODE_EXACT
					? BARK_MODE_EXACT
					: BARK_MODE_LOW_LATENCY,
			.semantic_temperature =
				(float)conf->model.semantic_temperature,
			.coarse_temperature =
				(float)conf->model.coarse_temperature,
			.fine_temperature = (float)conf->model.fine_temperature,
			.top_k = conf->model.top_k,
			.top_p = (float)conf->model.top_p,
			.min_eos_p = (float)conf->model.min_eos_p,
			.coarse_history = conf->model.coarse_history,
			.fine_lookahead = conf->model.fine_lookahead,
			.ahead_ms = conf->model.ahead_ms,
		},
	};
	struct settings *old = &s->settings;

	int r = barkd_model_label(&new.label, conf->model.name);

	if (r < 0 || !new.name || (conf->model.voice && !new.voice)) {
		settings_clear(&new);
		return r < 0 ? r : -ENOMEM;
	}
	if (old->name &&
	    (!same(new.name, old->name) || new.precision != old->precision ||
	     new.threads != old->threads || new.nice != old->nice ||
	     new.nice_ahead != old->nice_ahead))
		s->stale = true;
	settings_clear(old);
	*old = new;
	if (s->stale && s->state != STUDIO_UNLOADED)
		start_load(s);
	return 0;
}

int studio_new(struct studio **ret, sd_event *event,
	       void (*changed)(void *data), void *data)
{
	struct studio *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->changed = changed;
	s->data = data;
	s->load_ms = -1;
	r = worker_new(&s->worker, event, "barkd-load");
	if (r == 0)
		r = worker_new(&s->reaper, event, "barkd-reap");
	if (r < 0) {
		studio_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void studio_free(struct studio *s)
{
	if (!s)
		return;
	worker_free(s->worker);
	worker_free(s->reaper);
	core_drop_model(&s->core);
	bark_engine_unref(s->core.engine);
	settings_clear(&s->settings);
	free(s->path);
	free(s->error);
	free(s);
}

struct studio_info studio_info(const struct studio *s)
{
	return (struct studio_info){
		.state = s->state,
		.name = s->settings.label,
		.path = s->path,
		.error = s->error,
		.kernels = s->kernels,
		.threads = s->threads,
		.rate = s->rate,
		.memory = s->memory,
		.load_ms = s->load_ms,
		.sessions = s->sessions,
	};
}
