/* SPDX-License-Identifier: MIT */
#include "encoder.h"

#include <errno.h>
#include <math.h>
#include <sndfile.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "encoder_aac.h"

#define WAV_HEADER_BYTES 44
/* Ogg pages hold no more sound than this, so that none waits for its page. */
#define OPUS_PAGE_MS 60.0
/* libsndfile's scale from 160 (0) to 8 kbit/s (1): 64. */
#define MP3_COMPRESSION (96.0 / 152)

struct encoder {
	enum encoder_format format;
	/* What came out of this call. */
	unsigned char *out;
	size_t n_out, room;
	size_t hold; /* bytes that may stay here; 0: what comes goes out */
	int error;
	/* libsndfile's: it writes to a file of which only the end exists. */
	SNDFILE *file;
	sf_count_t at, end;
	struct encoder_aac *aac;
	bool begun; /* WAV: the header is out */
};

static const struct {
	const char *name, *type;
	int format; /* libsndfile's */
} formats[ENCODER_N_FORMATS] = {
	[ENCODER_MP3] = {"mp3", "audio/mpeg",
			 SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III},
	[ENCODER_OPUS] = {"opus", "audio/ogg", SF_FORMAT_OGG | SF_FORMAT_OPUS},
	[ENCODER_AAC] = {"aac", "audio/aac", 0},
	[ENCODER_FLAC] = {"flac", "audio/flac",
			  SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
	[ENCODER_WAV] = {"wav", "audio/wav", 0},
	[ENCODER_PCM] = {"pcm", "audio/pcm", 0},
};

int encoder_format_parse(const char *name)
{
	for (int i = 0; i < ENCODER_N_FORMATS; i++)
		if (strcmp(formats[i].name, name) == 0)
			return i;
	return -EINVAL;
}

const char *encoder_name(enum encoder_format format)
{
	return formats[format].name;
}

const char *encoder_type(enum encoder_format format)
{
	return formats[format].type;
}

bool encoder_has(enum encoder_format format)
{
	const SF_INFO info = {
		.samplerate = ENCODER_RATE,
		.channels = 1,
		.format = formats[format].format,
	};

	if (format == ENCODER_AAC)
		return ENCODER_HAS_AAC;
	return !info.format || sf_format_check(&info);
}

/* --- what comes out --- */

static void put(struct encoder *e, const void *data, size_t n)
{
	size_t room = e->room ? e->room : 4096;
	unsigned char *out;

	if (e->error)
		return;
	if (n > ENCODER_OUT_MAX + e->hold - e->n_out) {
		e->error = -EIO;
		return;
	}
	while (room < e->n_out + n)
		room *= 2;
	if (room != e->room) {
		out = realloc(e->out, room);
		if (!out) {
			e->error = -ENOMEM;
			return;
		}
		e->out = out;
		e->room = room;
	}
	memcpy(e->out + e->n_out, data, n);
	e->n_out += n;
}

static void put_le(struct encoder *e, uint32_t v, int n)
{
	const unsigned char b[] = {(unsigned char)v, (unsigned char)(v >> 8),
				   (unsigned char)(v >> 16),
				   (unsigned char)(v >> 24)};

	put(e, b, (size_t)n);
}

/* --- libsndfile's file --- */

static sf_count_t file_length(void *data)
{
	const struct encoder *e = data;

	return e->end;
}

static sf_count_t file_tell(void *data)
{
	const struct encoder *e = data;

	return e->at;
}

static sf_count_t file_seek(sf_count_t offset, int whence, void *data)
{
	struct encoder *e = data;

	e->at = offset + (whence == SEEK_CUR   ? e->at
			  : whence == SEEK_END ? e->end
					       : 0);
	return e->at;
}

static sf_count_t file_read(void *ptr, sf_count_t n, void *data)
{
	return 0;
}

/* What is written again, a head with the length, has gone out already, unless
 * all is held. */
static sf_count_t file_write(const void *ptr, sf_count_t n, void *data)
{
	struct encoder *e = data;

	if (e->hold && e->at + n <= e->end) {
		memcpy(e->out + e->at, ptr, (size_t)n);
	} else if (e->at == e->end) {
		put(e, ptr, (size_t)n);
		e->end += n;
	}
	e->at += n;
	return n;
}

static int open_file(struct encoder *e)
{
	SF_VIRTUAL_IO io = {file_length, file_seek, file_read, file_write,
			    file_tell};
	SF_INFO info = {
		.samplerate = ENCODER_RATE,
		.channels = 1,
		.format = formats[e->format].format,
	};
	double page = OPUS_PAGE_MS, compression = MP3_COMPRESSION;
	int mode = SF_BITRATE_MODE_CONSTANT;

	e->file = sf_open_virtual(&io, SFM_WRITE, &info, e);
	if (!e->file)
		return e->error ? e->error : -EIO;
	/* Loud sounds are cut, not wrapped round. */
	sf_command(e->file, SFC_SET_CLIPPING, NULL, SF_TRUE);
	/* Players guess the length of MP3 from its first frames' bit rate. */
	if (e->format == ENCODER_MP3) {
		sf_command(e->file, SFC_SET_BITRATE_MODE, &mode, sizeof(mode));
		sf_command(e->file, SFC_SET_COMPRESSION_LEVEL, &compression,
			   sizeof(compression));
	}
	if (e->format == ENCODER_OPUS)
		sf_command(e->file, SFC_SET_OGG_PAGE_LATENCY_MS, &page,
			   sizeof(page));
	return 0;
}

/* --- samples --- */

static int16_t sample(float v)
{
	v *= 32767;
	return (int16_t)lrintf(v < -32768 ? -32768 : v > 32767 ? 32767 : v);
}

/* RIFF of a length that nobody knows: as long as can be said. */
static void put_wav_header(struct encoder *e)
{
	put(e, "RIFF\xff\xff\xff\xff" "WAVEfmt ", 16);
	put_le(e, 16, 4);
	put_le(e, 1, 2); /* PCM */
	put_le(e, 1, 2); /* channels */
	put_le(e, ENCODER_RATE, 4);
	put_le(e, ENCODER_RATE * 2, 4);
	put_le(e, 2, 2);
	put_le(e, 16, 2);
	put(e, "data\xff\xff\xff\xff", 8);
}

static void put_samples(struct encoder *e, const float *pcm, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_le(e, (uint16_t)sample(pcm[i]), 2);
}

static void put_aac(struct encoder *e, const float *pcm, size_t n)
{
	int16_t block[ENCODER_BLOCK_MAX];

	for (size_t i = 0; i < n; i++)
		block[i] = sample(pcm[i]);
	if (encoder_aac_feed(e->aac, block, n) < 0) {
		e->error = -EIO;
		return;
	}
	for (;;) {
		unsigned char frame[ENCODER_AAC_FRAME_MAX];
		int k = encoder_aac_take(e->aac, frame);

		if (k < 0)
			e->error = k;
		if (k <= 0)
			return;
		put(e, frame, (size_t)k);
	}
}

static int give(struct encoder *e, const void **ret_data, size_t *ret_n)
{
	if (e->n_out > e->hold)
		e->hold = 0;
	*ret_data = e->out;
	*ret_n = e->hold ? 0 : e->n_out;
	e->n_out -= *ret_n;
	return e->error;
}

void encoder_hold(struct encoder *e, size_t max)
{
	if (e->format == ENCODER_FLAC)
		e->hold = max;
}

int encoder_feed(struct encoder *e, const float *pcm, size_t n,
		 const void **ret_data, size_t *ret_n)
{
	if (e->format == ENCODER_AAC) {
		put_aac(e, pcm, n);
	} else if (e->file) {
		if (sf_write_float(e->file, pcm, (sf_count_t)n) !=
		    (sf_count_t)n)
			e->error = e->error ? e->error : -EIO;
	} else {
		if (e->format == ENCODER_WAV && !e->begun)
			put_wav_header(e);
		e->begun = true;
		put_samples(e, pcm, n);
	}
	return give(e, ret_data, ret_n);
}

int encoder_finish(struct encoder *e, const void **ret_data, size_t *ret_n)
{
	if (e->file) {
		sf_close(e->file);
		e->file = NULL;
		e->hold = 0;
	} else if (e->format == ENCODER_AAC) {
		const float silence[ENCODER_AAC_SAMPLES] = {0};

		/* The last frame is filled up. */
		put_aac(e, silence, ENCODER_AAC_SAMPLES);
	} else if (e->format == ENCODER_WAV && !e->begun) {
		put_wav_header(e);
	}
	return give(e, ret_data, ret_n);
}

int encoder_new(struct encoder **ret, enum encoder_format format)
{
	struct encoder *e;
	int r = 0;

	if (!encoder_has(format))
		return -ENOSYS;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->format = format;
	if (format == ENCODER_AAC)
		r = encoder_aac_new(&e->aac);
	else if (formats[format].format)
		r = open_file(e);
	if (r < 0) {
		encoder_free(e);
		return r;
	}
	*ret = e;
	return 0;
}

void encoder_free(struct encoder *e)
{
	if (!e)
		return;
	if (e->file)
		sf_close(e->file);
	encoder_aac_free(e->aac);
	free(e->out);
	free(e);
}
