/* SPDX-License-Identifier: MIT */
/*
 * The file sink: what is spoken goes into one sound file, as fast as it is
 * made. The format is the name's ending: wav (the default), flac, ogg, opus
 * or mp3. A WAV's header is true after every write, so that a daemon that is
 * killed leaves a file that plays.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "sink.h"
#include "sound_files.h"

#define DEFAULT_FILE "speech.wav"
#define DEFAULT_RATE 48000u

struct barkd_sink {
	const struct barkd_sink_host *host;
	struct sound_file *file;
	int fd;
	uint32_t rate;
};

static void sink_close(struct barkd_sink *s)
{
	if (!s)
		return;
	sound_file_close(s->file);
	close(s->fd);
	free(s);
}

static int sink_open(struct barkd_sink **ret,
		     const struct barkd_sink_config *config,
		     const struct barkd_sink_host *host, bool once)
{
	const char *path = config->target ? config->target : DEFAULT_FILE;
	const int known = sound_file_format(path);
	struct barkd_sink *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->rate = config->rate ? config->rate : DEFAULT_RATE;
	s->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (s->fd < 0) {
		r = -errno;
		free(s);
		return r;
	}
	r = sound_file_new(&s->file, s->fd, s->rate,
			   known ? known : sound_file_format(DEFAULT_FILE),
			   true);
	if (r < 0) {
		sink_close(s);
		return r;
	}
	s->host = host;
	host->changed(host->data, BARKD_SINK_IDLE, s->rate, NULL);
	*ret = s;
	return 0;
}

static int sink_run(struct barkd_sink *s, bool run)
{
	s->host->changed(s->host->data,
			 run ? BARKD_SINK_RUNNING : BARKD_SINK_IDLE, s->rate,
			 NULL);
	return 0;
}

static int sink_write(struct barkd_sink *s, const float *pcm, size_t n)
{
	return sound_file_write(s->file, pcm, n);
}

__attribute__((visibility("default")))
const struct barkd_sink_ops barkd_sink_ops = {
	.abi = BARKD_SINK_ABI,
	.name = "file",
	.open = sink_open,
	.close = sink_close,
	.run = sink_run,
	.write = sink_write,
};
