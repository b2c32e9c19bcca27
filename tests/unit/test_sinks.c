/* SPDX-License-Identifier: MIT */
/* Every sink that barkd.ini may name is the one that is opened, with one more
 * than there are, as somebody would enter it. */
#include "sinks.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

/* In place of conf.c's. */
const char *const conf_sinks[] = {"auto", "pipewire", "jack", "file", "another",
				  NULL};

static void on_changed(void *data)
{
	(void)data;
}

/* What the sinks say when one is to be opened where there is none. */
static int why_not(int sink, char *ret, size_t n)
{
	struct conf conf = {.output = {.sink = sink}};
	struct sinks *sinks;
	struct outlet *outlet;
	sd_event *event;
	int r = -1;

	if (sd_event_new(&event) < 0 || outlet_new(&outlet, 4096) < 0 ||
	    sinks_new(&sinks, event, outlet, on_changed, NULL) < 0 ||
	    sinks_configure(sinks, &conf) < 0)
		abort();
	for (int i = 0; i < 100 && r < 0; i++) {
		const char *why = sinks_info(sinks).why;

		if (why) {
			snprintf(ret, n, "%s", why);
			r = 0;
		} else if (sd_event_run(event, 100000) < 0) {
			break;
		}
	}
	sinks_free(sinks);
	outlet_free(outlet);
	sd_event_unref(event);
	return r;
}

static void test_named(void)
{
	const char *name = "every sink of the configuration is opened by its name";

	for (int i = 0; conf_sinks[i]; i++) {
		/* auto begins with PipeWire's. */
		const char *first = i ? conf_sinks[i] : "pipewire";
		char why[512], file[64];

		snprintf(file, sizeof(file), "barkd-sink-%s.so", first);
		TAP_CHECK(name, why_not(i, why, sizeof(why)) == 0);
		TAP_CHECK(name, strstr(why, file) != NULL);
	}
	tap_ok(name);
}

int main(void)
{
	/* Without modules each is missed by its name. */
	setenv("BARKD_SINK_DIR", "/nonexistent", 1);
	test_named();
	return tap_failed;
}
