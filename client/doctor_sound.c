/* SPDX-License-Identifier: MIT */
/* What is heard, and from where: audio servers, model, voice. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "doctor.h"
#include "find.h"
#include "model.h"
#include "models.h"
#include "paths.h"

/* Larger models are not read from end to end. */
#define QUICK_BYTES 400000000

/* --- audio servers --- */

static bool has_module(const char *sink)
{
	const char *dirs[2];
	unsigned n = barkd_module_dirs(dirs);

	for (unsigned i = 0; i < n; i++) {
		char *path;
		bool is;

		if (asprintf(&path, "%s/barkd-sink-%s.so", dirs[i], sink) < 0)
			continue;
		is = !access(path, R_OK);
		free(path);
		if (is)
			return true;
	}
	return false;
}

/* 0 if somebody listens there, else negative errno. */
static int try_connect(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, r = 0;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		r = -errno;
	close(fd);
	return r;
}

static const char *first_of(const char *a, const char *b, const char *c)
{
	return a && *a ? a : b && *b ? b : c;
}

static int ask_pipewire(struct doctor *d, char *where, size_t size)
{
	const char *dir = first_of(getenv("PIPEWIRE_RUNTIME_DIR"),
				   getenv("XDG_RUNTIME_DIR"), NULL);
	const char *name = first_of(d->conf.output.server,
				    getenv("PIPEWIRE_REMOTE"), "pipewire-0");

	if (name[0] == '/')
		snprintf(where, size, "%s", name);
	else
		snprintf(where, size, "%s/%s", dir ? dir : "no session", name);
	return try_connect(where);
}

/* JACK's sockets have names of their own making; one left by a server that was
 * killed answers no more. */
static int ask_jack(struct doctor *d, char *where, size_t size)
{
	const char *name = first_of(d->conf.output.server,
				    getenv("JACK_DEFAULT_SERVER"), "default");
	char pattern[300];
	glob_t found;
	int r = -ENOENT;

	snprintf(where, size, "server %s", name);
	snprintf(pattern, sizeof(pattern), "/dev/shm/jack_%.200s_*", name);
	if (glob(pattern, 0, NULL, &found))
		return r;
	for (size_t i = 0; i < found.gl_pathc && r; i++)
		r = try_connect(found.gl_pathv[i]);
	globfree(&found);
	return r;
}

struct server {
	const char *sink, *name, *advice;
	int (*ask)(struct doctor *d, char *where, size_t size);
};

static const struct server pipewire = {
	"pipewire", "PipeWire",
	"systemctl --user enable --now pipewire wireplumber, or set 'sink' under [output] in barkd.ini",
	ask_pipewire,
};
static const struct server jack = {
	"jack", "JACK",
	"start jackd, or set 'sink' under [output] in barkd.ini",
	ask_jack,
};

static bool check_server(struct doctor *d, const struct server *s,
			 enum finding otherwise)
{
	char where[256];
	int r;

	if (!has_module(s->sink)) {
		doctor_say(d, otherwise, "audio",
			   "install the library's development files and build again",
			   "this barkd was built without %s", s->name);
		return false;
	}
	r = s->ask(d, where, sizeof(where));
	if (r)
		doctor_say(d, otherwise, "audio", s->advice,
			   "%s does not answer (%s): %s", s->name, where,
			   strerror(-r));
	else
		doctor_say(d, FINDING_OK, "audio", NULL, "%s answers (%s)",
			   s->name, where);
	if (r == 0 && s == &pipewire)
		doctor_device(d);
	return !r;
}

/* What the daemon's own sink has to say: a server may have no device. */
static void check_sink(struct doctor *d)
{
	const json_t *sink = json_object_get(d->status, "sink");
	const char *name = json_string_value(json_object_get(sink, "name"));
	const char *state = json_string_value(json_object_get(sink, "state"));
	const char *why = json_string_value(json_object_get(sink, "why"));

	if (!name || !state)
		return;
	doctor_say(d, why ? FINDING_WARN : FINDING_OK, "sink",
		   why ? "pw-link -o -l or jack_lsp shows what devices there are"
		       : NULL,
		   "%s is %s%s%s", name, state, why ? ": " : "",
		   why ? why : "");
}

/* The daemon's word for it: its limits are not ours. */
static void check_memory_locked(struct doctor *d)
{
	const json_t *locked = json_object_get(
		json_object_get(d->status, "sink"), "memory_locked");

	if (!locked)
		return;
	if (json_is_true(locked))
		doctor_say(d, FINDING_OK, "real-time", NULL,
			   "what the audio callback reads is locked into memory");
	else
		doctor_say(d, FINDING_WARN, "real-time",
			   "raise LimitMEMLOCK= of user@.service, or memlock in /etc/security/limits.conf, to 8 MB",
			   "what the audio callback reads may be swapped out: the limit for locked memory is too low");
}

void doctor_sound(struct doctor *d)
{
	const char *sink = conf_sinks[d->conf.output.sink];
	char where[256];

	if (d->conf.output.sink == CONF_SINK_AUTO) {
		/* JACK alone will do. */
		if (!has_module("jack") || ask_jack(d, where, sizeof(where)))
			check_server(d, &pipewire, FINDING_FAIL);
		else if (!check_server(d, &pipewire, FINDING_WARN))
			check_server(d, &jack, FINDING_FAIL);
	} else if (strcmp(sink, pipewire.sink) == 0) {
		check_server(d, &pipewire, FINDING_FAIL);
	} else if (strcmp(sink, jack.sink) == 0) {
		check_server(d, &jack, FINDING_FAIL);
	} else if (!has_module(sink)) {
		doctor_say(d, FINDING_FAIL, "audio",
			   "build it, or set 'sink' under [output] in barkd.ini",
			   "there is no barkd-sink-%s.so", sink);
	} else {
		doctor_say(d, FINDING_OK, "audio", NULL,
			   "barkd.ini has the sink %s", sink);
	}
	check_sink(d);
	check_memory_locked(d);
}

/* --- model and voice --- */

static off_t folder_bytes(const char *dir)
{
	char *pattern;
	off_t sum = 0;
	glob_t found;

	if (asprintf(&pattern, "%s/*", dir) < 0)
		return 0;
	if (!glob(pattern, 0, NULL, &found)) {
		struct stat st;

		for (size_t i = 0; i < found.gl_pathc; i++) {
			if (!stat(found.gl_pathv[i], &st) &&
			    S_ISREG(st.st_mode))
				sum += st.st_size;
		}
		globfree(&found);
	}
	free(pattern);
	return sum;
}

static void check_voice(struct doctor *d, const struct bark_model *model,
			const char *dir)
{
	struct barkd_entries list = {0};
	struct bark_voice *voice;
	struct bark_error err;
	char *path;

	if (barkd_voices_list(&list, dir))
		return;
	if (!d->conf.model.voice || !strcmp(d->conf.model.voice, "none")) {
		doctor_say(d, FINDING_OK, "voice", NULL,
			   "the model's own; %zu others", list.n);
	} else if (barkd_voice_find(&path, dir, d->conf.model.voice)) {
		doctor_say(d, FINDING_FAIL, "voice",
			   "barkctl voice list has the names for 'voice' under [model] in barkd.ini",
			   "there is no voice '%s'", d->conf.model.voice);
	} else {
		if (path && bark_voice_open(&voice, model, path, &err)) {
			doctor_say(d, FINDING_FAIL, "voice",
				   "barkctl voice list has others", "%s",
				   err.message);
		} else {
			doctor_say(d, FINDING_OK, "voice", NULL,
				   "%s; %zu in all", d->conf.model.voice,
				   list.n);
			if (path)
				bark_voice_unref(voice);
		}
		free(path);
	}
	barkd_entries_clear(&list);
}

void doctor_model(struct doctor *d)
{
	const char *name = d->conf.model.name ? d->conf.model.name :
						BARKD_DEFAULT_MODEL;
	struct bark_model *model;
	struct bark_error err;
	bool quick;
	char *dir;

	if (barkd_model_find(&dir, name)) {
		doctor_say(d, FINDING_FAIL, "model",
			   "barkctl model list has those that are here; barkctl model fetch brings one",
			   "there is no model '%s'", name);
		return;
	}
	quick = folder_bytes(dir) <= QUICK_BYTES;
	if (bark_model_open(&model, dir, NULL, &err)) {
		doctor_say(d, FINDING_FAIL, "model",
			   "barkctl model remove and fetch or import it again",
			   "%s", err.message);
		free(dir);
		return;
	}
	if (quick && bark_model_check(model, &err))
		doctor_say(d, FINDING_FAIL, "model",
			   "barkctl model remove and fetch or import it again",
			   "%s", err.message);
	else
		doctor_say(d, FINDING_OK, "model",
			   quick ? NULL :
				   "barkctl model verify reads every weight",
			   "%s, %.1f MB of %s weights%s", name,
			   (double)bark_model_memory(model) / 1e6,
			   models_precision(bark_model_precision(model)),
			   quick ? ", verified" : "");
	check_voice(d, model, dir);
	bark_model_unref(model);
	free(dir);
}
