/* SPDX-License-Identifier: MIT */
/*
 * barkd-encode FORMAT HOLD: the daemon's encoder for one client. Reads samples
 * (float, ENCODER_RATE, this machine's order) from its standard input until
 * they end, writes packets as daemon/encoding.c reads them to its standard
 * output. It can do nothing else by then: codec libraries see it all from a
 * process without files, without a network, and without a way to another
 * program.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confine.h"
#include "encoder.h"

#define USAGE_STATUS 2

static int write_all(const void *data, size_t n)
{
	const char *p = data;

	while (n) {
		ssize_t k = write(STDOUT_FILENO, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return -EPIPE;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static int write_packet(const void *data, size_t n)
{
	const uint32_t length = (uint32_t)n;
	int r;

	if (n == 0)
		return 0;
	r = write_all(&length, sizeof(length));
	return r < 0 ? r : write_all(data, n);
}

static int feed(struct encoder *e, const float *pcm, size_t n)
{
	const void *out;
	size_t n_out;
	int r = encoder_feed(e, pcm, n, &out, &n_out);

	return r < 0 ? r : write_packet(out, n_out);
}

static int finish(struct encoder *e)
{
	const uint32_t end = 0;
	const void *out;
	size_t n_out;
	int r = encoder_finish(e, &out, &n_out);

	if (r == 0)
		r = write_packet(out, n_out);
	return r < 0 ? r : write_all(&end, sizeof(end));
}

static int encode(struct encoder *e)
{
	float pcm[ENCODER_BLOCK_MAX];
	size_t held = 0; /* bytes */

	for (;;) {
		ssize_t k = read(STDIN_FILENO, (char *)pcm + held,
				 sizeof(pcm) - held);
		size_t n;
		int r;

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		if (k == 0)
			return held ? -EIO : finish(e);
		held += (size_t)k;
		n = held / sizeof(*pcm);
		r = feed(e, pcm, n);
		if (r < 0)
			return r;
		held -= n * sizeof(*pcm);
		memmove(pcm, pcm + n, held);
	}
}

int main(int argc, char *argv[])
{
	struct encoder *e;
	int format = argc == 3 ? encoder_format_parse(argv[1]) : -EINVAL;

	if (format < 0) {
		fprintf(stderr, "usage: barkd-encode FORMAT HOLD < samples\n");
		return USAGE_STATUS;
	}
	if (encoder_new(&e, (enum encoder_format)format) < 0)
		return EXIT_FAILURE;
	encoder_hold(e, strtoul(argv[2], NULL, 10));
	if (confine() < 0 || encode(e) < 0)
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
