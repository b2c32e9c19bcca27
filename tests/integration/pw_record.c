/* SPDX-License-Identifier: MIT */
/*
 * Records the monitor of a PipeWire sink with the time of every block:
 *
 *     pw_record SINK FILE.wav QUANTUM
 *
 * QUANTUM: frames a cycle that it asks the graph for, at 48 kHz.
 * Prints `ready` at the first block, then what tape_watch() prints, until
 * SIGTERM or SIGINT; then saves and prints `channels DIFFERENCE`, the largest
 * difference between left and right.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <pipewire/pipewire.h>
#include <spa/param/audio/format-utils.h>

#include "tape.h"

#define RATE 48000

struct recorder {
	struct pw_main_loop *loop;
	struct pw_stream *stream;
	struct tape tape;
	float difference; /* on_process only, read after it ended */
	int ready;
};

static void on_process(void *data)
{
	struct recorder *r = data;
	struct pw_buffer *b = pw_stream_dequeue_buffer(r->stream);
	int64_t now = tape_now();
	struct spa_buffer *buf;
	size_t n;

	if (!b)
		return;
	buf = b->buffer;
	n = buf->datas[0].chunk->size / sizeof(float);
	if (buf->datas[0].data && buf->n_datas > 1) {
		const float *left = buf->datas[0].data;
		const float *right = buf->datas[1].data;

		tape_append(&r->tape, left, n, now);
		for (size_t i = 0; i < n; i++)
			r->difference = fmaxf(r->difference,
					      fabsf(left[i] - right[i]));
	}
	pw_stream_queue_buffer(r->stream, b);
}

static void on_state(void *data, enum pw_stream_state old,
		     enum pw_stream_state state, const char *error)
{
	struct recorder *r = data;

	if (state == PW_STREAM_STATE_ERROR) {
		fprintf(stderr, "pw_record: %s\n", error);
		pw_main_loop_quit(r->loop);
	}
}

static const struct pw_stream_events events = {
	PW_VERSION_STREAM_EVENTS,
	.state_changed = on_state,
	.process = on_process,
};

static void on_timer(void *data, uint64_t count)
{
	struct recorder *r = data;

	if (!r->ready && atomic_load(&r->tape.n)) {
		r->ready = 1;
		puts("ready");
		fflush(stdout);
	}
	tape_watch(&r->tape, RATE);
}

static void on_signal(void *data, int signal)
{
	struct recorder *r = data;

	pw_main_loop_quit(r->loop);
}

int main(int argc, char **argv)
{
	static struct recorder r;
	struct timespec tick = { 0, 2000000 };
	struct spa_audio_info_raw info = {
		.format = SPA_AUDIO_FORMAT_F32P,
		.rate = RATE,
		.channels = 2,
		.position = { SPA_AUDIO_CHANNEL_FL, SPA_AUDIO_CHANNEL_FR },
	};
	char latency[32];
	uint8_t mem[512];
	struct spa_pod_builder b = SPA_POD_BUILDER_INIT(mem, sizeof(mem));
	const struct spa_pod *params[1];
	struct pw_context *context;
	struct pw_core *core;
	struct spa_hook listener = { 0 };
	struct spa_source *timer;
	struct pw_loop *loop;

	if (argc != 4 || tape_init(&r.tape) < 0)
		return 2;
	pw_init(NULL, NULL);
	r.loop = pw_main_loop_new(NULL);
	loop = pw_main_loop_get_loop(r.loop);
	pw_loop_add_signal(loop, SIGTERM, on_signal, &r);
	pw_loop_add_signal(loop, SIGINT, on_signal, &r);
	timer = pw_loop_add_timer(loop, on_timer, &r);
	pw_loop_update_timer(loop, timer, &tick, &tick, false);
	snprintf(latency, sizeof(latency), "%d/%d", atoi(argv[3]), RATE);
	/* Real-time, or it would lose cycles on a busy machine. */
	context = pw_context_new(loop, pw_properties_new(PW_KEY_CONFIG_NAME,
							 "client-rt.conf",
							 NULL), 0);
	core = context ? pw_context_connect(context, NULL, 0) : NULL;
	if (!core) {
		fputs("pw_record: no server\n", stderr);
		return 1;
	}
	r.stream = pw_stream_new(
		core, "test record",
		pw_properties_new(PW_KEY_MEDIA_TYPE, "Audio",
				  PW_KEY_MEDIA_CATEGORY, "Capture",
				  PW_KEY_NODE_NAME, "test-record",
				  PW_KEY_NODE_LATENCY, latency,
				  PW_KEY_STREAM_CAPTURE_SINK, "true",
				  PW_KEY_TARGET_OBJECT, argv[1], NULL));
	params[0] = spa_format_audio_raw_build(&b, SPA_PARAM_EnumFormat,
					       &info);
	if (r.stream)
		pw_stream_add_listener(r.stream, &listener, &events, &r);
	if (!r.stream ||
	    pw_stream_connect(r.stream, PW_DIRECTION_INPUT, PW_ID_ANY,
			      PW_STREAM_FLAG_AUTOCONNECT |
				      PW_STREAM_FLAG_MAP_BUFFERS |
				      PW_STREAM_FLAG_RT_PROCESS,
			      params, 1) < 0) {
		fputs("pw_record: cannot connect\n", stderr);
		return 1;
	}
	pw_main_loop_run(r.loop);
	pw_stream_destroy(r.stream);
	printf("channels %g\n", (double)r.difference);
	pw_context_destroy(context);
	pw_main_loop_destroy(r.loop);
	return tape_save(&r.tape, argv[2], RATE) < 0;
}
