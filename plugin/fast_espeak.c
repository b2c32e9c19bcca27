/* SPDX-License-Identifier: MIT */
/*
 * The fast voice by eSpeak NG. A module of its own, so that barkd runs
 * without the library and is not bound to its licence (GPL).
 */
#include <ctype.h>
#include <errno.h>
#include <espeak-ng/speak_lib.h>
#include <string.h>

#include "fast_voice.h"

#define NAME_ROOM 32
/* Of its usual 100: about as loud as Bark, which is 4 dB softer. */
#define VOLUME 65

/* eSpeak's state is one a process. */
static struct {
	bool (*take)(void *data, const int16_t *pcm, size_t n);
	void *data;
	char language[NAME_ROOM]; /* set, in lower case */
} now;

/*
 * Found before libpcaudio's of this name. eSpeak NG asks for an audio device
 * although its samples come here, and libpulse, which opens it, ends the whole
 * process when memory ends.
 */
struct audio_object;
struct audio_object *create_audio_device_object(const char *device,
						const char *application,
						const char *description);
__attribute__((visibility("default"))) struct audio_object *
create_audio_device_object(const char *device, const char *application,
			   const char *description)
{
	return NULL;
}

static int on_samples(short *pcm, int n, espeak_EVENT *events)
{
	return pcm && n > 0 && !now.take(now.data, pcm, (size_t)n);
}

static int voice_open(void)
{
	/* It calls exit() where its data are missing, unless told not to. */
	int rate = espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, NULL,
				     espeakINITIALIZE_DONT_EXIT);

	if (rate <= 0)
		return -EIO;
	espeak_SetSynthCallback(on_samples);
	espeak_SetParameter(espeakVOLUME, VOLUME, 0);
	return rate;
}

/* "de-CH" is spoken as "de" where there is nothing nearer. */
static int set_language(const char *language)
{
	char name[NAME_ROOM] = "en";
	espeak_VOICE wanted = {.languages = name};
	size_t n = language ? strlen(language) : 0;

	if (n >= NAME_ROOM)
		return -ESRCH;
	for (size_t i = 0; n && i <= n; i++)
		name[i] = language[i] == '_'
				  ? '-'
				  : (char)tolower((unsigned char)language[i]);
	if (strcmp(name, now.language) == 0)
		return 0;
	/* The one that was set before is set no more. */
	now.language[0] = '\0';
	if (espeak_SetVoiceByProperties(&wanted) != EE_OK)
		return -ESRCH;
	strcpy(now.language, name);
	return 0;
}

static int voice_speak(const char *text, const char *language,
		       bool (*take)(void *data, const int16_t *pcm, size_t n),
		       void *data)
{
	int r = set_language(language);

	if (r < 0)
		return r;
	now.take = take;
	now.data = data;
	if (espeak_Synth(text, strlen(text) + 1, 0, POS_CHARACTER, 0,
			 espeakCHARS_UTF8, NULL, NULL) != EE_OK)
		return -EIO;
	return 0;
}

static void voice_close(void)
{
	espeak_Terminate();
}

__attribute__((visibility("default"))) const struct barkd_fast_voice
	barkd_fast_voice = {
		.abi = BARKD_FAST_VOICE_ABI,
		.open = voice_open,
		.speak = voice_speak,
		.close = voice_close,
};
