/* SPDX-License-Identifier: MIT */
/* The device that is heard, as PipeWire's pw-dump describes it: some sleep. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

static const struct {
	const char *name;  /* of the kind */
	const char *words[2]; /* one of them stands in a property */
} sleepers[] = {
	{"Bluetooth", {"bluez", "bluetooth"}},
	{"HDMI or DisplayPort", {"hdmi", "displayport"}},
	{"USB", {"usb", "usb"}},
};

/* By which a device's kind can be told. */
static const char *const properties[] = {
	"node.name", "device.api", "device.bus", "api.alsa.path",
	"api.alsa.pcm.name", "node.description",
};

static json_t *dump(void)
{
	FILE *f = popen("timeout 5 pw-dump 2>/dev/null", "re");
	json_t *all;

	if (!f)
		return NULL;
	all = json_loadf(f, 0, NULL);
	pclose(f);
	return all;
}

static const char *string_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* The session manager's choice: the name of a node, or NULL. */
static const char *default_sink(const json_t *all)
{
	const json_t *object, *entry;
	size_t i, k;

	json_array_foreach(all, i, object)
		json_array_foreach(json_object_get(object, "metadata"), k, entry) {
			const char *key = string_of(entry, "key");

			if (key && strcmp(key, "default.audio.sink") == 0)
				return string_of(json_object_get(entry, "value"),
						 "name");
		}
	return NULL;
}

/* The properties of a sink by its node's name or serial, or NULL. */
static const json_t *find_sink(const json_t *all, const char *name)
{
	const json_t *object;
	size_t i;

	json_array_foreach(all, i, object) {
		const json_t *props = json_object_get(
			json_object_get(object, "info"), "props");
		const char *class = string_of(props, "media.class");
		const char *node = string_of(props, "node.name");
		char serial[24];

		if (!class || strcmp(class, "Audio/Sink") != 0)
			continue;
		snprintf(serial, sizeof(serial), "%lld",
			 (long long)json_integer_value(json_object_get(
				 props, "object.serial")));
		if ((node && strcmp(node, name) == 0) ||
		    strcmp(serial, name) == 0)
			return props;
	}
	return NULL;
}

static bool is_of_kind(const json_t *props, size_t kind)
{
	for (size_t i = 0; i < sizeof(properties) / sizeof(*properties); i++) {
		const char *value = string_of(props, properties[i]);

		if (value && (strcasestr(value, sleepers[kind].words[0]) ||
			      strcasestr(value, sleepers[kind].words[1])))
			return true;
	}
	return false;
}

static const char *kind_of(const json_t *props)
{
	for (size_t i = 0; i < sizeof(sleepers) / sizeof(*sleepers); i++)
		if (is_of_kind(props, i))
			return sleepers[i].name;
	return NULL;
}

void doctor_device(struct doctor *d)
{
	json_t *all = dump();
	const char *name = d->conf.output.target ? d->conf.output.target :
						   default_sink(all);
	const json_t *props = name ? find_sink(all, name) : NULL;
	const char *kind = props ? kind_of(props) : NULL;
	unsigned ms = d->conf.output.lead_in_ms;

	if (kind && ms)
		doctor_say(d, FINDING_OK, "device", NULL,
			   "%s (%s) has %u ms to wake up", name, kind, ms);
	else if (kind)
		doctor_say(d, FINDING_WARN, "device",
			   "if it does, set lead_in_ms = 400 under [output] in barkd.ini",
			   "%s (%s) may sleep and lose the first syllable", name,
			   kind);
	json_decref(all);
}
