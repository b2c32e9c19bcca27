/* SPDX-License-Identifier: MIT */
/* What the daemon shows of itself: the answers to GET. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "utf8.h"
#include "voice_names.h"

#define PREVIEW_CHARACTERS 60

/* --- the queue --- */

static json_t *view_utterance(struct daemon *d, const struct utterance *u,
			      const char *state, double played_ms)
{
	const char *text = u->request.text;
	const char *voice = u->request.voice ? u->request.voice
					     : voice_default(d);

	return json_pack("{s:I, s:s, s:s, s:s, s:s%, s:I, s:I}", "id",
			 (json_int_t)u->item.id, "state", state, "priority",
			 queue_priority_names[u->request.priority], "voice",
			 voice, "text", text,
			 utf8_bytes(text, PREVIEW_CHARACTERS), "characters",
			 (json_int_t)utf8_characters(text,
						     u->request.n_text), "played_ms",
			 (json_int_t)played_ms);
}

struct listing {
	struct daemon *d;
	json_t *array;
	int failed;
};

static void list_item(void *data, const struct queue_item *item)
{
	struct listing *l = data;

	l->failed |= json_array_append_new(
		l->array,
		view_utterance(l->d, (const struct utterance *)item, "queued",
			       0));
}

json_t *view_queue(struct daemon *d)
{
	struct listing l = {d, json_array(), 0};
	const struct utterance *u = (struct utterance *)d->queue.current;
	json_t *current = json_null();

	if (u) {
		double ms = speaker_busy(d->speaker)
				    ? speaker_played_ms(d->speaker)
				    : 0;
		const char *state = d->paused ? "paused"
				    : speaker_busy(d->speaker) &&
						    speaker_first_sound(
							    d->speaker)
					    ? "speaking"
					    : "preparing";

		current = view_utterance(d, u, state, ms);
	}
	if (l.array)
		queue_each(&d->queue, list_item, &l);
	if (!current || !l.array || l.failed) {
		json_decref(current);
		json_decref(l.array);
		return NULL;
	}
	return json_pack("{s:b, s:o, s:o}", "paused", d->paused, "current",
			 current, "waiting", l.array);
}

/* --- status --- */

int64_t view_resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long long size, resident = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%lld %lld", &size, &resident) != 2)
		resident = 0;
	fclose(f);
	return resident * sysconf(_SC_PAGESIZE);
}

double view_cpu_s(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) < 0)
		return 0;
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

const char *view_state(const struct daemon *d)
{
	if (d->stopping)
		return "stopping";
	if (d->paused)
		return "paused";
	switch (studio_info(d->studio).state) {
	case STUDIO_UNLOADED:
		return "unloaded";
	case STUDIO_LOADING:
		return "loading";
	case STUDIO_FAILED:
		return "failed";
	case STUDIO_READY:
		break;
	}
	return idle_busy(d) ? "speaking" : "idle";
}

/* null for what is negative, not known. */
static json_t *number_or_null(double v)
{
	return v < 0 ? json_null() : json_real(v);
}

static json_t *integer_or_null(json_int_t v)
{
	return v ? json_integer(v) : json_null();
}

static json_t *view_model(const struct daemon *d, const struct studio_info *i)
{
	return json_pack("{s:s, s:s?, s:b, s:I, s:o, s:s}", "name", i->name,
			 "path", i->path, "loaded", i->memory > 0,
			 "memory_bytes", (json_int_t)i->memory, "load_ms",
			 number_or_null(i->load_ms), "precision",
			 conf_precisions[d->conf.model.precision]);
}

static json_t *view_sink(const struct daemon *d, const struct sinks_info *i)
{
	double ms = i->rate ? 1000.0 * outlet_delay(d->outlet) / i->rate : 0;

	return json_pack("{s:s?, s:s, s:o, s:f, s:s?, s:b}", "name", i->name,
			 "state", sinks_state_name(i->state), "rate",
			 integer_or_null(i->rate), "delay_ms", ms, "why",
			 i->why, "memory_locked", outlet_locked(d->outlet));
}

static json_t *view_counters(const struct daemon *d)
{
	const struct counters *c = &d->counters;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "spoken",
			 (json_int_t)c->spoken, "stopped",
			 (json_int_t)c->stopped, "dropped",
			 (json_int_t)c->dropped, "failed",
			 (json_int_t)c->failed, "stops", (json_int_t)c->stops,
			 "underruns", (json_int_t)outlet_underruns(d->outlet),
			 "xruns", (json_int_t)outlet_xruns(d->outlet));
}

static json_t *view_short(const struct daemon *d)
{
	struct supply_info i = supply_info(d->supply);

	return json_pack("{s:b, s:I, s:I, s:I, s:I}", "fast_voice", i.fast,
			 "cached", (json_int_t)i.cached, "fast",
			 (json_int_t)i.spoken, "cache_entries",
			 (json_int_t)i.entries, "cache_bytes",
			 (json_int_t)i.bytes);
}

static json_t *view_renders(const struct daemon *d)
{
	const struct counters *c = &d->counters;

	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "making",
			 (json_int_t)d->n_renders, "limit",
			 (json_int_t)d->conf.http.streams, "done",
			 (json_int_t)c->rendered, "failed",
			 (json_int_t)c->render_failed, "gone",
			 (json_int_t)c->render_gone);
}

json_t *view_status(struct daemon *d)
{
	struct studio_info m = studio_info(d->studio);
	struct sinks_info s = sinks_info(d->sinks);
	const struct queue_item *current = d->queue.current;
	bool sink_away = s.state == BARKD_SINK_DOWN ||
			 s.state == BARKD_SINK_FAILED;
	const char *error = m.error ? m.error : sink_away ? s.why : NULL;

	return json_pack(
		"{s:s, s:s, s:s?, s:o, s:{s:s?, s:o, s:s}, s:o,"
		" s:{s:I, s:I, s:o, s:I}, s:o, s:o, s:o, s:o, s:o, s:I, s:f, s:f}",
		"version", BARKD_VERSION, "state", view_state(d), "error", error,
		"model", view_model(d, &m), "engine", "kernels", m.kernels,
		"threads", integer_or_null(m.threads), "mode",
		conf_modes[d->conf.model.mode], "sink", view_sink(d, &s),
		"queue", "length", (json_int_t)d->queue.n_waiting, "limit",
		(json_int_t)d->conf.service.queue_length, "current",
		integer_or_null(current ? (json_int_t)current->id : 0),
		"played_ms",
		(json_int_t)(speaker_busy(d->speaker)
				     ? speaker_played_ms(d->speaker)
				     : 0),
		"counters", view_counters(d), "renders", view_renders(d),
		"short", view_short(d),
		"first_audio_ms",
		number_or_null(d->first_audio_ms), "first_sound_ms",
		number_or_null(d->first_sound_ms), "memory_bytes",
		(json_int_t)view_resident_bytes(), "cpu_s", view_cpu_s(),
		"uptime_s",
		(double)(daemon_now_ns() - d->started) / 1e9);
}

/* --- voices --- */

static json_t *view_voice(struct daemon *d, const char *name)
{
	const char *model = studio_info(d->studio).name;
	bool own = strcmp(name, model) == 0;
	char language[4];

	voice_language(language, name);
	return json_pack("{s:s, s:s, s:s?, s:s?, s:b}", "name", name, "model",
			 model, "language",
			 own ? d->conf.model.language
			     : language[0] ? language : NULL,
			 "gender", voice_gender(name),
			 "default", strcmp(name, voice_default(d)) == 0);
}

json_t *view_voices(struct daemon *d)
{
	json_t *array = json_array();
	/* The model itself, then its presets. */
	int r = json_array_append_new(
		array, view_voice(d, studio_info(d->studio).name));

	voices_use(d->voices);
	for (size_t i = 0; r == 0 && i < voices_count(d->voices); i++)
		r = json_array_append_new(
			array, view_voice(d, voices_name(d->voices, i)));
	if (r < 0) {
		json_decref(array);
		return NULL;
	}
	return array;
}

json_t *view_audio_voices(struct daemon *d)
{
	json_t *all = view_voices(d), *array = json_array(), *v;
	size_t i;
	int r = all && array ? 0 : -1;

	json_array_foreach(all, i, v) {
		json_t *name = json_object_get(v, "name");

		if (r == 0)
			r = json_array_append_new(
				array, json_pack("{s:O, s:O, s:O}", "id", name,
						 "name", name, "language",
						 json_object_get(v,
								 "language")));
	}
	json_decref(all);
	if (r < 0) {
		json_decref(array);
		return NULL;
	}
	return json_pack("{s:o}", "voices", array);
}

json_t *view_audio_model(const char *name)
{
	/* When it was made nobody knows; clients want a number. */
	return json_pack("{s:s, s:s, s:s, s:i, s:s}", "id", name, "name", name,
			 "object", "model", "created", 0, "owned_by", "barkd");
}

json_t *view_audio_models(struct daemon *d)
{
	json_t *list = json_pack(
		"[o, o]", view_audio_model(studio_info(d->studio).name),
		view_audio_model("tts-1"));

	/* "data" is OpenAI's list, "models" what Open WebUI reads. */
	return list ? json_pack("{s:s, s:O, s:o}", "object", "list", "data",
				list, "models", list)
		    : NULL;
}

