/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "barkd-client.h"
#include "commands.h"
#include "options.h"
#include "style.h"

/* Control characters in a spoken text must not reach the terminal. */
static void print_clean(const char *s)
{
	for (; *s; s++)
		putchar((unsigned char)*s < ' ' || *s == 0x7f ? ' ' : *s);
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "-";
}

static double number_of(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static bool is_set(const json_t *o, const char *key)
{
	return json_is_number(json_object_get(o, key));
}

static void print_uptime(double seconds)
{
	unsigned long s = (unsigned long)seconds;

	printf("uptime      ");
	if (s >= 3600)
		printf("%lu h ", s / 3600);
	if (s >= 60)
		printf("%lu min ", s / 60 % 60);
	printf("%lu s\n", s % 60);
}

static void print_status(const json_t *root)
{
	const json_t *model = json_object_get(root, "model");
	const json_t *engine = json_object_get(root, "engine");
	const json_t *sink = json_object_get(root, "sink");
	const json_t *queue = json_object_get(root, "queue");
	const json_t *counters = json_object_get(root, "counters");

	const bool ill = json_is_string(json_object_get(root, "error"));

	printf("state       %s%s%s\n",
	       style_on(stdout, ill ? STYLE_BAD : STYLE_GOOD),
	       text_of(root, "state"), style_off(stdout));
	if (ill) {
		printf("error       ");
		print_clean(text_of(root, "error"));
		printf("\n");
	}
	printf("model       %s", text_of(model, "name"));
	if (json_is_true(json_object_get(model, "loaded")))
		printf(", %.1f MB, loaded in %.2f s",
		       number_of(model, "memory_bytes") / 1e6,
		       number_of(model, "load_ms") / 1e3);
	printf("\n");
	if (json_is_string(json_object_get(engine, "kernels")))
		printf("engine      %s, %.0f threads, %s\n",
		       text_of(engine, "kernels"),
		       number_of(engine, "threads"), text_of(engine, "mode"));
	printf("sink        %s, %s", text_of(sink, "name"),
	       text_of(sink, "state"));
	if (is_set(sink, "rate"))
		printf(", %.0f Hz", number_of(sink, "rate"));
	if (json_is_string(json_object_get(sink, "why"))) {
		printf(": ");
		print_clean(text_of(sink, "why"));
	}
	printf("\nqueue       %.0f of %.0f waiting\n",
	       number_of(queue, "length"), number_of(queue, "limit"));
	printf("utterances  %.0f spoken, %.0f stopped, %.0f dropped, %.0f failed\n",
	       number_of(counters, "spoken"), number_of(counters, "stopped"),
	       number_of(counters, "dropped"), number_of(counters, "failed"));
	if (is_set(root, "first_sound_ms"))
		printf("first sound %.0f ms\n",
		       number_of(root, "first_sound_ms"));
	printf("memory      %.1f MB\n", number_of(root, "memory_bytes") / 1e6);
	print_uptime(number_of(root, "uptime_s"));
}

static void print_utterance(const json_t *u)
{
	printf("%6.0f  %-9s  %-12s  %-12s  ", number_of(u, "id"),
	       text_of(u, "state"), text_of(u, "priority"),
	       text_of(u, "voice"));
	print_clean(text_of(u, "text"));
	printf("\n");
}

static void print_queue(const json_t *root)
{
	const json_t *current = json_object_get(root, "current");
	const json_t *waiting = json_object_get(root, "waiting");
	size_t i;
	json_t *u;

	if (json_is_object(current))
		print_utterance(current);
	json_array_foreach(waiting, i, u)
		print_utterance(u);
}

static void print_voices(const json_t *root)
{
	size_t i;
	json_t *v;

	json_array_foreach(root, i, v) {
		printf("%-24s %-8s %s%s\n", text_of(v, "name"),
		       text_of(v, "language"), text_of(v, "model"),
		       json_is_true(json_object_get(v, "default")) ?
			       " (default)" :
			       "");
	}
}

static void print_http(const json_t *root)
{
	const char *url = json_string_value(json_object_get(root, "url"));
	const char *token = text_of(root, "token");

	if (!url) {
		printf("barkd listens at no port; see [http] in barkd.ini(5)\n");
		return;
	}
	printf("address  %s/v1\ntoken    %s\n", url, token);
	printf("overlay  %s/overlay#%s\n", url, token);
	printf("control  %s/control#%s\n", url, token);
}

static int show(int argc, char **argv, const char *path,
		void (*print)(const json_t *root))
{
	bool as_json = false;
	const struct option_def defs[] = {
		OPTION_FLAG(0, "json", &as_json),
	};
	struct barkd_client *client;
	int first, r, status;
	json_t *root;
	char *text;

	status = options_parse(argc, argv, defs, ARRAY_LEN(defs), &first);
	if (status)
		return status;
	if (first < argc)
		return options_usage(argv[0], "%s takes no arguments", argv[0]);
	r = barkd_client_new(&client, NULL);
	if (r)
		return options_fail("%s", strerror(-r));
	r = barkd_client_get(client, path, &text);
	if (r) {
		status = options_fail("%s", barkd_client_message(client));
		barkd_client_free(client);
		return status;
	}
	barkd_client_free(client);
	root = json_loads(text, 0, NULL);
	if (!root)
		status = options_fail("barkd's answer is not JSON");
	else if (as_json)
		printf("%s\n", text);
	else
		print(root);
	json_decref(root);
	free(text);
	return status;
}

int cmd_queue(int argc, char **argv)
{
	return show(argc, argv, "/v1/queue", print_queue);
}

int cmd_status(int argc, char **argv)
{
	return show(argc, argv, "/v1/status", print_status);
}

int cmd_voices(int argc, char **argv)
{
	return show(argc, argv, "/v1/voices", print_voices);
}

int cmd_http(int argc, char **argv)
{
	return show(argc, argv, "/v1/http", print_http);
}
