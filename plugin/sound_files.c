/* SPDX-License-Identifier: MIT */
#include "sound_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sndfile.h>

struct sound_file {
	SNDFILE *file;
	int fd;
	bool regular;
	sf_count_t at, end; /* of what is no regular file */
	int error; /* the first, negative errno */
};

int sound_file_format(const char *path)
{
	static const struct {
		const char *ending;
		int format;
	} formats[] = {
		{ ".wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16 },
		{ ".flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16 },
		{ ".ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS },
		{ ".opus", SF_FORMAT_OGG | SF_FORMAT_OPUS },
		{ ".mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III },
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(formats) / sizeof(*formats); i++)
		if (!strcasecmp(dot, formats[i].ending))
			return formats[i].format;
	return 0;
}

/* --- libsndfile's I/O --- */

/* What is no regular file has only an end, at which is written. */

static sf_count_t io_length(void *data)
{
	const struct sound_file *f = data;
	struct stat st;

	if (!f->regular)
		return f->end;
	return fstat(f->fd, &st) < 0 ? -1 : st.st_size;
}

static sf_count_t io_seek(sf_count_t offset, int whence, void *data)
{
	struct sound_file *f = data;

	if (f->regular)
		return lseek(f->fd, offset, whence);
	f->at = offset + (whence == SEEK_CUR   ? f->at
			  : whence == SEEK_END ? f->end
					       : 0);
	return f->at;
}

static sf_count_t io_tell(void *data)
{
	return io_seek(0, SEEK_CUR, data);
}

static sf_count_t io_read(void *ptr, sf_count_t n, void *data)
{
	const struct sound_file *f = data;
	ssize_t r;

	if (!f->regular)
		return 0;
	do
		r = read(f->fd, ptr, (size_t)n);
	while (r < 0 && errno == EINTR);
	return r < 0 ? 0 : r;
}

static sf_count_t io_write(const void *ptr, sf_count_t n, void *data)
{
	struct sound_file *f = data;
	sf_count_t done = 0;

	/* A header with the length has gone out already. */
	if (!f->regular && f->at != f->end)
		done = n;
	while (done < n && !f->error) {
		ssize_t w = write(f->fd, (const char *)ptr + done,
				  (size_t)(n - done));

		if (w >= 0)
			done += w;
		else if (errno != EINTR)
			f->error = -errno;
	}
	f->at += done;
	f->end = f->at > f->end ? f->at : f->end;
	return done;
}

int sound_file_new(struct sound_file **ret, int fd, unsigned rate, int format,
		   bool live)
{
	SF_VIRTUAL_IO io = { io_length, io_seek, io_read, io_write, io_tell };
	SF_INFO info = { .samplerate = (int)rate, .channels = 1,
			 .format = format };
	struct sound_file *f;
	struct stat st;
	int r;

	if (!sf_format_check(&info))
		return -EINVAL;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->fd = fd;
	f->regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	f->file = sf_open_virtual(&io, SFM_WRITE, &info, f);
	if (!f->file) {
		r = f->error ? f->error : -EINVAL;
		free(f);
		return r;
	}
	/* Without it a sample beyond 1 would wrap around. */
	sf_command(f->file, SFC_SET_CLIPPING, NULL, SF_TRUE);
	/* An Ogg stream would be broken by it. */
	if (live && (format & SF_FORMAT_TYPEMASK) == SF_FORMAT_WAV)
		sf_command(f->file, SFC_SET_UPDATE_HEADER_AUTO, NULL, SF_TRUE);
	*ret = f;
	return 0;
}

int sound_file_write(struct sound_file *f, const float *pcm, size_t n)
{
	const sf_count_t done = sf_writef_float(f->file, pcm, (sf_count_t)n);

	if (done != (sf_count_t)n && !f->error)
		f->error = -EIO;
	return f->error;
}

int sound_file_close(struct sound_file *f)
{
	int r;

	if (!f)
		return 0;
	if (sf_close(f->file) != 0 && !f->error)
		f->error = -EIO;
	r = f->error;
	free(f);
	return r;
}
