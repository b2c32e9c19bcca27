/* SPDX-License-Identifier: MIT */
/*
 * Records its port test-record:in_1, to which others connect, with the time
 * of every block:
 *
 *     jack_record FILE.wav
 *
 * Prints `ready` once it records, then what tape_watch() prints, until SIGTERM
 * or SIGINT or the end of the server; then saves. Which server:
 * JACK_DEFAULT_SERVER.
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include <jack/jack.h>

#include "tape.h"

static struct tape tape;
static jack_port_t *port;
static volatile sig_atomic_t stop;

static int on_process(jack_nframes_t n, void *data)
{
	tape_append(&tape, jack_port_get_buffer(port, n), n, tape_now());
	return 0;
}

static void on_shutdown(void *data)
{
	stop = 1;
}

static void on_signal(int signal)
{
	stop = 1;
}

int main(int argc, char **argv)
{
	const struct timespec tick = { 0, 2000000 };
	struct sigaction sa = { .sa_handler = on_signal };
	jack_client_t *c;
	unsigned rate;
	int ready = 0;

	if (argc != 2 || tape_init(&tape) < 0)
		return 2;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	c = jack_client_open("test-record", JackNoStartServer, NULL);
	if (!c) {
		fputs("jack_record: no server\n", stderr);
		return 1;
	}
	port = jack_port_register(c, "in_1", JACK_DEFAULT_AUDIO_TYPE,
				  JackPortIsInput, 0);
	rate = jack_get_sample_rate(c);
	jack_set_process_callback(c, on_process, NULL);
	jack_on_shutdown(c, on_shutdown, NULL);
	if (!port || jack_activate(c))
		return 1;
	while (!stop) {
		if (!ready && atomic_load(&tape.n)) {
			ready = 1;
			puts("ready");
			fflush(stdout);
		}
		tape_watch(&tape, rate);
		nanosleep(&tick, NULL);
	}
	jack_client_close(c);
	return tape_save(&tape, argv[1], rate) < 0;
}
