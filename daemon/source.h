/* SPDX-License-Identifier: MIT */
/*
 * Where an utterance's samples come from: a session that computes them, sound
 * that is there already, from the cache, or pieces that the fast voice makes.
 * The loop's thread's.
 */
#ifndef BARKD_SOURCE_H
#define BARKD_SOURCE_H

#include <stdint.h>
#include <sys/types.h>

#include "bark.h"

/* Sound that is complete; shared, so counted. */
struct sound {
	unsigned refs;
	unsigned rate; /* Hz */
	size_t n;
	int16_t pcm[]; /* [n] */
};

/* n samples of memory, not filled. NULL without memory. */
struct sound *sound_new(unsigned rate, size_t n);
/* The n samples without the silence at their ends (engine/trim.h), for a voice
 * of the given loudness, LUFS. Any thread's. NULL without memory. */
struct sound *sound_trimmed(unsigned rate, const int16_t *pcm, size_t n,
			    double loudness);
struct sound *sound_ref(struct sound *s);
void sound_unref(struct sound *s); /* NULL is fine */

struct source;

/*
 * Reads from a started session, which stays the caller's. record: samples to
 * keep at most, so that source_recorded() has the whole sound afterwards; 0:
 * none. NULL without memory.
 */
struct source *source_of_session(struct bark_session *session, unsigned rate,
				 size_t record);
/* Reads a sound that is the speech of a text of n_text bytes. Takes a
 * reference. NULL without memory. */
struct source *source_of_sound(struct sound *sound, size_t n_text);
/*
 * Reads the pieces that source_add() gives it. hungry() is called
 * whenever little is left to read and source_end() was not called, by
 * source_add() and source_read(). NULL
 * without memory or descriptors.
 */
struct source *source_of_pieces(unsigned rate, void (*hungry)(void *data),
				void *data);
/* The next piece, the speech of these bytes of the text. Takes a reference.
 * Errors: -ENOMEM. */
int source_add(struct source *s, struct sound *sound, size_t text_begin,
	       size_t text_end);
/* Nothing comes any more; error < 0: as the rest could not be made. */
void source_end(struct source *s, int error);
void source_free(struct source *s); /* NULL is fine */

unsigned source_rate(const struct source *s);
/* Readable when source_read() or source_event() has something; -1: it always
 * has. */
int source_fd(const struct source *s);
/* As bark_session_read() without waiting. */
ssize_t source_read(struct source *s, float *pcm, size_t n);
/* As bark_session_event(). */
int source_event(struct source *s, struct bark_event *ret);
/* All of it, once it was read to its end; the caller's, or NULL: it was not
 * recorded, or was too long. */
struct sound *source_recorded(const struct source *s);

#endif
