/* SPDX-License-Identifier: MIT */
/* Sound files' formats by their names' endings. */
#ifndef BARKD_SOUND_FILES_H
#define BARKD_SOUND_FILES_H

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include <sndfile.h>

/* libsndfile's format for a path; 0: its ending says nothing. */
static inline int sound_file_format(const char *path)
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

#endif
