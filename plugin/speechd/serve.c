/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../say.h"
#include "../spiel_frames.h"

/* As much as the reference sends before it looks at its input again. */
#define BLOCK_MAX 10000

int serve_start(struct serve *s, struct barkd_client *client,
		const struct barkd_say *say, unsigned pause_ms)
{
	int r = 0;

	serve_stop(s);
	s->silence = say_silence_bytes(pause_ms);
	s->more = s->silence;
	s->ended = !*say->text;
	if (!s->ended)
		r = barkd_client_speech_start(client, say, BARKD_SPEECH_SPIEL,
					      &s->stream);
	s->active = r == 0;
	return r;
}

void serve_stop(struct serve *s)
{
	barkd_stream_free(s->stream);
	s->stream = NULL;
	s->n = s->silence = 0;
	s->active = s->begun = s->ended = s->more = false;
}

int serve_fd(const struct serve *s)
{
	return s->stream && !s->silence ? barkd_stream_fd(s->stream) : -1;
}

static void take(struct serve *s, size_t n)
{
	s->n -= n;
	memmove(s->buf, s->buf + n, s->n);
}

/* What would end a line is escaped, and the escape. */
static void print_block(const unsigned char *pcm, size_t n)
{
	printf("705-bits=16\n705-num_channels=1\n705-sample_rate=%d\n"
	       "705-num_samples=%zu\n705-big_endian=0\n705-AUDIO%c",
	       BARKD_SPEECH_RATE, n / 2, 0);
	for (size_t i = 0; i < n; i++) {
		if (pcm[i] == '\n' || pcm[i] == 0x7d) {
			putchar(0x7d);
			putchar(pcm[i] ^ 0x20);
		} else {
			putchar(pcm[i]);
		}
	}
	fputs("\n705 AUDIO\n", stdout);
	fflush(stdout);
}

static int send_silence(struct serve *s)
{
	static const unsigned char zeros[BLOCK_MAX];
	size_t n = s->silence < BLOCK_MAX ? s->silence : BLOCK_MAX;

	print_block(zeros, n);
	s->silence -= n;
	return 1;
}

/* The frame at the beginning of the buffer, if all of it is there. */
static int take_frame(struct serve *s, size_t *ret_at)
{
	uint32_t v;

	if (!s->begun) {
		if (s->n < SPIEL_VERSION_BYTES)
			return 0;
		s->begun = true;
		take(s, SPIEL_VERSION_BYTES);
	}
	if (s->n >= SPIEL_EVENT_HEAD && s->buf[0] == SPIEL_EVENT) {
		bool word = s->buf[1] == SPIEL_WORD;

		memcpy(&v, s->buf + 2, sizeof(v));
		take(s, SPIEL_EVENT_HEAD);
		*ret_at = v;
		return word ? 2 : take_frame(s, ret_at);
	}
	if (s->n < SPIEL_AUDIO_HEAD || s->buf[0] != SPIEL_AUDIO)
		return s->n && s->buf[0] != SPIEL_AUDIO && s->buf[0] != SPIEL_EVENT
			       ? -EPROTO
			       : 0;
	memcpy(&v, s->buf + 1, sizeof(v));
	if (v > sizeof(s->buf) - SPIEL_AUDIO_HEAD)
		return -EPROTO;
	if (s->n < SPIEL_AUDIO_HEAD + v)
		return 0;
	for (size_t at = 0; at < v; at += BLOCK_MAX)
		print_block(s->buf + SPIEL_AUDIO_HEAD + at,
			    v - at < BLOCK_MAX ? v - at : BLOCK_MAX);
	take(s, SPIEL_AUDIO_HEAD + v);
	return 1;
}

int serve_step(struct serve *s, size_t *ret_at)
{
	if (s->silence)
		return send_silence(s);
	for (;;) {
		int r = take_frame(s, ret_at);
		ssize_t n;

		if (r != 0)
			return r;
		if (s->ended)
			return -ENODATA;
		/* Up to its end: what it holds back cannot be polled for. */
		n = barkd_stream_read(s->stream, s->buf + s->n,
				      sizeof(s->buf) - s->n);
		if (n == -EAGAIN)
			return 0;
		if (n < 0)
			return (int)n;
		s->ended = n == 0;
		s->n += (size_t)n;
	}
}
