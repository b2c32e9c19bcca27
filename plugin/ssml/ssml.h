/* SPDX-License-Identifier: MIT */
/*
 * Reads SSML (W3C, Speech Synthesis Markup Language 1.1) for the hosts: what is
 * spoken, how, after which pauses, with the marks in it and where each character
 * came from. The parser is expat's. XML that is not
 * well-formed is read as far as possible, and nothing that can be spoken is lost. No I/O; thread-safe.
 */
#ifndef BARKD_SSML_H
#define BARKD_SSML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SSML_MARK_MAX 256     /* bytes of a mark's name; longer ones are left out */
#define SSML_LANGUAGE_ROOM 24 /* of xml:lang; longer ones are left out */
#define SSML_PAUSE_MAX 10000u /* ms; longer ones last as long as this */

/* How a character is to be read, by <say-as>. */
enum ssml_as {
	SSML_AS_TEXT,
	SSML_AS_CHARACTERS,
	SSML_AS_KEY, /* the name of a key: shift_a */
};

/* Characters of the source. */
struct ssml_place {
	uint32_t begin, end;
};

/* What is spoken alike, in one go. */
struct ssml_span {
	size_t begin, end;       /* bytes of the text, may be empty */
	size_t first;            /* characters before it */
	/* Factors, each element's 0.1 to 10, volume's from 0; nested ones
	 * are multiplied. */
	double rate, pitch, volume;
	unsigned pause_ms;       /* silence before it */
	char language[SSML_LANGUAGE_ROOM]; /* by xml:lang (BCP-47), or "" */
};

struct ssml_mark {
	char *name;
	size_t at;    /* bytes of the text before it */
	size_t first; /* characters before it */
	size_t span;  /* to which it belongs */
};

struct ssml {
	char *text; /* UTF-8, ends with NUL */
	size_t len; /* bytes */
	size_t n;   /* characters */
	struct ssml_place *places; /* [n + 1], of each; the last: the end */
	struct ssml_span *spans;
	size_t n_spans;
	struct ssml_mark *marks; /* in order */
	size_t n_marks;
};

#define SSML_PUT_MAX 64

/*
 * How a caller writes characters out: puts what c (n bytes, UTF-8) is read as
 * into ret and returns its bytes; 0: nothing.
 */
struct ssml_writer {
	size_t (*put)(void *data, char ret[SSML_PUT_MAX], const char *c,
		      size_t n, enum ssml_as as);
	void *data;
};

/*
 * text: NUL-terminated; markup: it is SSML, else it is plain. writer: NULL for
 * the usual one, by which spelled characters are parted by commas. *ret is
 * cleared by the caller. Errors: -ENOMEM.
 */
int ssml_parse(struct ssml *ret, const char *text, bool markup,
	       const struct ssml_writer *writer);
/* A cleared one may be cleared again. */
void ssml_clear(struct ssml *s);

/* A copy of the text of a span, to be freed, or NULL without memory. */
char *ssml_span_text(const struct ssml *s, const struct ssml_span *span);

#endif
