/* SPDX-License-Identifier: MIT */
/*
 * barkd-spiel: barkd's voices for programs that use Spiel, over D-Bus. The bus
 * starts it; it ends when it has not been asked for a while. What is spoken
 * is never logged.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "../host.h"
#include "barkd-client.h"
#include "utterance.h"

#define NAME "org.barkd.Speech.Provider"
#define PATH "/org/barkd/Speech/Provider"
#define INTERFACE "org.freedesktop.Speech.Provider"
#define FORMAT "audio/x-spiel,format=S16LE,channels=1,rate=24000"
/* Words, sentences and marks (libspeechprovider, SpeechProviderVoice). */
#define FEATURES (1u << 0 | 1u << 1 | 1u << 3)
#define UTTERANCES_MAX 16
#define IDLE_US 60000000u

struct provider {
	sd_event *event;
	sd_bus *bus;
	sd_event_source *idle;
	struct barkd_client *client;
	struct utterance *utterances[UTTERANCES_MAX];
	unsigned n;
};

/* --- going when nobody asks --- */

static int on_idle(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct provider *p = userdata;

	if (p->n)
		return 0;
	/* Who asks from now on starts the next one. */
	sd_bus_release_name(p->bus, NAME);
	return sd_event_exit(p->event, 0);
}

static void asked(struct provider *p)
{
	sd_event_source_set_time_relative(p->idle, IDLE_US);
	sd_event_source_set_enabled(p->idle, SD_EVENT_ONESHOT);
}

/* --- Synthesize --- */

static void on_ended(void *data, struct utterance *u)
{
	struct provider *p = data;

	for (unsigned i = 0; i < p->n; i++)
		if (p->utterances[i] == u)
			p->utterances[i] = p->utterances[--p->n];
	asked(p);
}

static int on_synthesize(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct utterance_request q = {0};
	struct provider *p = userdata;
	int fd, is_ssml, r;

	asked(p);
	r = sd_bus_message_read(m, "hssddbs", &fd, &q.text, &q.voice, &q.pitch,
				&q.rate, &is_ssml, &q.language);
	if (r < 0)
		return r;
	q.is_ssml = is_ssml;
	if (p->n == UTTERANCES_MAX)
		return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
					 "%d texts are being spoken already",
					 UTTERANCES_MAX);
	/* The message's own is closed with it. */
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return -errno;
	r = utterance_new(&p->utterances[p->n], p->event, fd, &q, on_ended, p);
	if (r < 0)
		return sd_bus_error_setf(error, SD_BUS_ERROR_FAILED,
					 "cannot speak: %s", strerror(-r));
	p->n++;
	return sd_bus_reply_method_return(m, NULL);
}

/* --- voices --- */

static int append_voice(sd_bus_message *reply, const json_t *v)
{
	const char *name = json_string_value(json_object_get(v, "name"));
	const char *language =
		json_string_value(json_object_get(v, "language"));

	if (!name)
		return 0;
	return sd_bus_message_append(reply, "(ssstas)", name, name, FORMAT,
				     (uint64_t)FEATURES, 1,
				     language ? language : "en");
}

static int get_voices(sd_bus *bus, const char *path, const char *interface,
		      const char *property, sd_bus_message *reply,
		      void *userdata, sd_bus_error *error)
{
	struct provider *p = userdata;
	json_t *all = NULL, *v;
	char *text = NULL;
	size_t i;
	int r;

	asked(p);
	/* While barkd is away it has none. */
	if (barkd_client_get(p->client, "/v1/voices", &text) == 0)
		all = json_loads(text, 0, NULL);
	free(text);
	r = sd_bus_message_open_container(reply, 'a', "(ssstas)");
	json_array_foreach(all, i, v)
		if (r >= 0)
			r = append_voice(reply, v);
	json_decref(all);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_name(sd_bus *bus, const char *path, const char *interface,
		    const char *property, sd_bus_message *reply,
		    void *userdata, sd_bus_error *error)
{
	asked(userdata);
	return sd_bus_message_append(reply, "s", "barkd");
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_NAMES("Synthesize", "hssddbs",
				 SD_BUS_PARAM(pipe_fd) SD_BUS_PARAM(text)
				 SD_BUS_PARAM(voice_id) SD_BUS_PARAM(pitch)
				 SD_BUS_PARAM(rate) SD_BUS_PARAM(is_ssml)
				 SD_BUS_PARAM(language),
				 "", , on_synthesize,
				 SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Name", "s", get_name, 0,
			SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Voices", "a(ssstas)", get_voices, 0, 0),
	SD_BUS_VTABLE_END,
};

/* --- the beginning --- */

static int start(struct provider *p)
{
	int r = host_event(&p->event);

	if (r >= 0)
		r = sd_event_add_time_relative(p->event, &p->idle,
					       CLOCK_MONOTONIC, IDLE_US,
					       1000000, on_idle, p);
	if (r >= 0)
		r = barkd_client_new(&p->client, NULL);
	if (r >= 0)
		r = sd_bus_open_user(&p->bus);
	if (r >= 0)
		r = sd_bus_add_object_vtable(p->bus, NULL, PATH, INTERFACE,
					     vtable, p);
	if (r >= 0)
		r = sd_bus_attach_event(p->bus, p->event,
					SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = sd_bus_request_name(p->bus, NAME, 0);
	return r;
}

int main(int argc, char **argv)
{
	struct provider p = {0};
	int r;

	if (argc > 1) {
		bool version = strcmp(argv[1], "--version") == 0;

		if (version)
			puts("barkd-spiel " BARKD_VERSION);
		else
			fputs("barkd-spiel: takes no arguments; the session bus starts it\n",
			      stderr);
		return version ? 0 : 2;
	}
	r = start(&p);
	if (r < 0)
		fprintf(stderr, "barkd-spiel: cannot serve on the session bus: %s\n",
			strerror(-r));
	else
		r = sd_event_loop(p.event);
	while (p.n)
		utterance_free(p.utterances[--p.n]);
	sd_event_source_disable_unref(p.idle);
	sd_bus_flush_close_unref(p.bus);
	barkd_client_free(p.client);
	sd_event_unref(p.event);
	return r < 0 ? 1 : 0;
}
