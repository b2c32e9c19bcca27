/* SPDX-License-Identifier: MIT */
/*
 * Spiel's stream, audio/x-spiel of version 0.01 (libspeechprovider,
 * "SpeechProviderStreamWriter"), in the machine's byte order: the version, then
 * frames. Sound: SPIEL_AUDIO, u32 size, samples. An event: SPIEL_EVENT, u8
 * type, u32 start, u32 end (characters), u32 length of a mark's name, the name.
 */
#ifndef BARKD_SPIEL_FRAMES_H
#define BARKD_SPIEL_FRAMES_H

#define SPIEL_VERSION "0.01"
#define SPIEL_VERSION_BYTES 4
#define SPIEL_AUDIO_HEAD 5  /* bytes before the samples */
#define SPIEL_EVENT_HEAD 14 /* bytes before the name */

enum { SPIEL_AUDIO = 1, SPIEL_EVENT = 2 };
enum spiel_event { SPIEL_WORD = 1, SPIEL_SENTENCE = 2, SPIEL_MARK = 4 };

#endif
