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
	SNDFILE *file;
	uint32_t rate;
};

static void sink_close(struct barkd_sink *s)
{
	if (!s)
		return;
	sf_close(s->file);
	free(s);
}

static int sink_open(struct barkd_sink **ret,
		     const struct barkd_sink_config *config,
		     const struct barkd_sink_host *host, bool once)
{
	const char *path = config->target ? config->target : DEFAULT_FILE;
	SF_INFO info = {
		.samplerate = (int)(config->rate ? config->rate : DEFAULT_RATE),
		.channels = 1,
		.format = sound_file_format(path),
	};
	struct barkd_sink *s;
	int fd, r;

	if (!info.format)
		info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
	if (!sf_format_check(&info))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0) {
		r = -errno;
		free(s);
		return r;
	}
	s->file = sf_open_fd(fd, SFM_WRITE, &info, SF_TRUE);
	if (!s->file) {
		close(fd);
		free(s);
		return -EINVAL;
	}
	/* Without it a sample above 1 would wrap around. */
	sf_command(s->file, SFC_SET_CLIPPING, NULL, SF_TRUE);
	/* An Ogg stream would be broken by it. */
	if ((info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_WAV)
		sf_command(s->file, SFC_SET_UPDATE_HEADER_AUTO, NULL, SF_TRUE);
	s->host = host;
	s->rate = (uint32_t)info.samplerate;
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
	sf_count_t done;

	errno = 0;
	done = sf_writef_float(s->file, pcm, (sf_count_t)n);
	if (done == (sf_count_t)n)
		return 0;
	return errno ? -errno : -EIO;
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
