/* SPDX-License-Identifier: MIT */
/*
 * Plays the daemon to one sink module: its pull is a slow chirp, unique at
 * every moment, and what was pulled is saved, so that a test can compare it
 * with what the audio server was given.
 *
 *     sink_host MODULE.so [--once] [--no-connect] [--target T] [--server S]
 *               [--role R] [--rate N] [--latency N] [--save FILE.wav]
 *
 * Standard input takes one command a line: run, cork, flush, mute, unmute,
 * write N (samples, for the file sink), count, close, quit. Each is answered
 * `did COMMAND NS`; `count` prints `count PULLED XRUNS DELAY` first. A change
 * of state prints `state NAME RATE WHY`.
 */
#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sink.h"
#include "tape.h"

struct host {
	struct tape tape;
	_Atomic uint32_t rate, delay, xruns;
	atomic_bool muted;
	uint64_t pos; /* pull only */
};

static float chirp(uint64_t pos, uint32_t rate)
{
	double t = (double)pos / rate;

	/* 100 Hz rising by 20 Hz a second, with a slow tremolo. */
	return (float)(0.4 * (1 + 0.3 * sin(9.7 * t)) *
		       sin(2 * M_PI * (100 + 10 * t) * t));
}

static size_t pull(void *data, float *out, size_t n)
{
	struct host *h = data;
	uint32_t rate = atomic_load(&h->rate);

	if (atomic_load(&h->muted)) {
		memset(out, 0, n * sizeof(*out));
		tape_append(&h->tape, out, n, tape_now());
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = chirp(h->pos++, rate ? rate : 48000);
	tape_append(&h->tape, out, n, tape_now());
	return n;
}

static void delay(void *data, uint32_t frames)
{
	struct host *h = data;

	atomic_store(&h->delay, frames);
}

static void xrun(void *data)
{
	struct host *h = data;

	atomic_fetch_add(&h->xruns, 1);
}

static void changed(void *data, enum barkd_sink_state state, uint32_t rate,
		    const char *why)
{
	static const char *const names[] = { "down", "idle", "running",
					     "failed" };
	struct host *h = data;

	atomic_store(&h->rate, rate);
	printf("state %s %" PRIu32 " %s\n", names[state], rate, why ? why : "");
}

static int write_some(struct host *h, const struct barkd_sink_ops *ops,
		      struct barkd_sink *sink, size_t n)
{
	float block[1024];
	int r = 0;

	while (n && !r) {
		size_t now = n < 1024 ? n : 1024;

		pull(h, block, now);
		r = ops->write(sink, block, now);
		n -= now;
	}
	return r;
}

static int command(struct host *h, const struct barkd_sink_ops *ops,
		   struct barkd_sink **sink, char *line)
{
	int r = 0;

	if (!strcmp(line, "run") || !strcmp(line, "cork"))
		r = ops->run(*sink, line[0] == 'r');
	else if (!strcmp(line, "flush") && ops->flush)
		ops->flush(*sink);
	else if (!strcmp(line, "mute") || !strcmp(line, "unmute"))
		atomic_store(&h->muted, line[0] == 'm');
	else if (!strncmp(line, "write ", 6) && ops->write)
		r = write_some(h, ops, *sink, strtoul(line + 6, NULL, 10));
	else if (!strcmp(line, "count"))
		printf("count %zu %" PRIu32 " %" PRIu32 "\n",
		       atomic_load(&h->tape.n), atomic_load(&h->xruns),
		       atomic_load(&h->delay));
	else if (!strcmp(line, "close")) {
		ops->close(*sink);
		*sink = NULL;
	} else
		r = -EINVAL;
	return r;
}

static void usage(void)
{
	fputs("usage: sink_host MODULE.so [options]\n", stderr);
	exit(2);
}

static const char *parse(struct barkd_sink_config *c, bool *once, int argc,
			 char **argv)
{
	static const struct option options[] = {
		{ "once", no_argument, NULL, 'o' },
		{ "no-connect", no_argument, NULL, 'n' },
		{ "target", required_argument, NULL, 't' },
		{ "server", required_argument, NULL, 's' },
		{ "role", required_argument, NULL, 'R' },
		{ "rate", required_argument, NULL, 'r' },
		{ "latency", required_argument, NULL, 'l' },
		{ "save", required_argument, NULL, 'w' },
		{ 0 },
	};
	const char *save = NULL;
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (o) {
		case 'o': *once = true; break;
		case 'n': c->connect = false; break;
		case 't': c->target = optarg; break;
		case 's': c->server = optarg; break;
		case 'R': c->role = optarg; break;
		case 'r': c->rate = (unsigned)atoi(optarg); break;
		case 'l': c->latency = (unsigned)atoi(optarg); break;
		case 'w': save = optarg; break;
		default: usage();
		}
	return save;
}

int main(int argc, char **argv)
{
	static struct host h;
	struct barkd_sink_host host = { &h, pull, delay, xrun, changed };
	struct barkd_sink_config config = { .connect = true,
					    .client_name = "barkd-test" };
	const struct barkd_sink_ops *ops;
	struct barkd_sink *sink = NULL;
	bool once = false;
	char line[128];
	const char *save = parse(&config, &once, argc, argv);
	void *module;
	int r;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (optind != argc - 1)
		usage();
	module = dlopen(argv[optind], RTLD_NOW | RTLD_LOCAL);
	ops = module ? dlsym(module, BARKD_SINK_SYMBOL) : NULL;
	if (!ops || ops->abi != BARKD_SINK_ABI || tape_init(&h.tape)) {
		fprintf(stderr, "sink_host: %s\n", module ? "no ops" :
							     dlerror());
		return 1;
	}
	r = ops->open(&sink, &config, &host, once);
	printf("open %d\n", r);
	if (r < 0)
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "quit"))
			break;
		r = command(&h, ops, &sink, line);
		printf("did %s %" PRId64 " %d\n", line, tape_now(), r);
	}
	ops->close(sink);
	if (save && tape_save(&h.tape, save,
			      atomic_load(&h.rate) ? h.rate : 48000) < 0)
		return 1;
	return 0;
}
