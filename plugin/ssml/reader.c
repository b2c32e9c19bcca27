/* SPDX-License-Identifier: MIT */
#include "ssml.h"

#include <errno.h>
#include <expat.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/utf8.h>

#include "clean_text.h"
#include "elements.h"
#include "utf8.h"

/* Everything is within an element of ours, so that text may stand anywhere. */
#define ROOT "<_>"
#define CHUNK 1024
/* Bytes: a longer tag or comment is none, so that no text is searched again
 * and again. */
#define TOKEN_MAX 4096
/* What has more errors is no SSML: the rest of it is read as it stands. */
#define ERRORS_MAX 4096

struct reader {
	const char *text;
	size_t len, done;   /* bytes; done: read, and behind a token */
	size_t base;        /* where the parser began */
	size_t at;          /* bytes that were counted: */
	uint32_t at_char;   /* their characters */
	bool no_cdata_ends; /* from `done` on */
	bool stopped;       /* what expat still tells is left out */
	XML_Parser parser;
	struct ssml_output out;
	struct ssml_elements elements;
};

/* Characters of the source before a byte. */
static uint32_t char_at(struct reader *r, size_t byte)
{
	if (byte > r->at) {
		r->at_char += (uint32_t)utf8_characters(r->text + r->at,
							byte - r->at);
		r->at = byte;
	}
	return r->at_char;
}

/* --- what expat tells --- */

static size_t token_begin(const struct reader *r)
{
	return r->base + (size_t)XML_GetCurrentByteIndex(r->parser) -
	       strlen(ROOT);
}

static size_t token_bytes(const struct reader *r)
{
	return (size_t)XML_GetCurrentByteCount(r->parser);
}

static void XMLCALL on_other(void *data)
{
	struct reader *r = data;

	r->done = token_begin(r) + token_bytes(r);
}

static void XMLCALL on_comment(void *data, const char *comment)
{
	on_other(data);
}

static void XMLCALL on_instruction(void *data, const char *target,
				   const char *instruction)
{
	on_other(data);
}

static void XMLCALL on_start(void *data, const char *name,
			     const char **attributes)
{
	struct reader *r = data;

	on_other(r);
	ssml_elements_start(&r->elements, name,
			    (const char *const *)attributes,
			    char_at(r, r->done));
}

static void XMLCALL on_end(void *data, const char *name)
{
	struct reader *r = data;

	ssml_elements_end(&r->elements, name, char_at(r, token_begin(r)));
	on_other(r);
}

/* A character that stands at byte `at`, n bytes. */
static struct ssml_place place_of(struct reader *r, size_t at, size_t n)
{
	uint32_t begin = char_at(r, at);

	return (struct ssml_place){begin, char_at(r, at + n)};
}

static void XMLCALL on_text(void *data, const char *s, int len)
{
	struct reader *r = data;
	size_t at = token_begin(r), n_token = token_bytes(r);
	size_t n = (size_t)len, k;
	struct ssml_place place;

	if (r->stopped)
		return;
	/* An entity is longer than what it stands for, and so is a new line
	 * of two characters. */
	if (n != n_token)
		place = place_of(r, at, n_token);
	for (size_t i = 0; i < n; i += k) {
		for (k = 1; i + k < n && !utf8_begins(s[i + k]);)
			k++;
		if (n == n_token)
			place = place_of(r, at + i, k);
		ssml_elements_text(&r->elements, s + i, k, place);
	}
	r->done = at + n_token;
}

static void XMLCALL on_cdata(void *data)
{
	struct reader *r = data;
	size_t at = token_begin(r);

	if (!r->no_cdata_ends && !memmem(r->text + at, r->len - at, "]]>", 3))
		r->no_cdata_ends = true;
	/* Without an end it would swallow all that follows. */
	if (r->no_cdata_ends) {
		r->stopped = true;
		XML_StopParser(r->parser, XML_FALSE);
	} else {
		on_other(r);
	}
}

/* --- what expat refuses --- */

/* Bytes up to and with the end mark, 0: there is none near. */
static size_t up_to(const struct reader *r, const char *end)
{
	const char *p = r->text + r->done;
	size_t left = r->len - r->done;
	const char *found = memmem(p, left < TOKEN_MAX ? left : TOKEN_MAX, end,
				   strlen(end));

	return found ? (size_t)(found - p) + strlen(end) : 0;
}

static bool follows(const struct reader *r, const char *what)
{
	return strncmp(r->text + r->done, what, strlen(what)) == 0;
}

/* The bytes of a declaration, comment or the like. */
static size_t declaration_length(const struct reader *r)
{
	size_t n = up_to(r, ">");

	if (follows(r, "<!--"))
		return up_to(r, "-->");
	if (follows(r, "<![CDATA["))
		return strlen("<![CDATA[");
	/* <!DOCTYPE speak [...]> */
	if (n && memchr(r->text + r->done, '[', n))
		return up_to(r, "]>");
	return n;
}

/* A tag that is not well-formed, or an end without its beginning: the bytes
 * to leave out, 0: it is none. */
static size_t broken_tag(struct reader *r)
{
	const char *p = r->text + r->done + 1;
	size_t n = up_to(r, ">");
	bool end = *p == '/';
	char name[SSML_NAME_ROOM] = "";

	p += end;
	/* "a <b and c" */
	if (!n || !strchr("abcdefghijklmnopqrstuvwxyz"
			  "ABCDEFGHIJKLMNOPQRSTUVWXYZ_", *p) ||
	    memchr(p, '<', n - 1 - end))
		return 0;
	strncpy(name, p, SSML_NAME_ROOM - 1);
	name[strcspn(name, " \t\r\n/>")] = '\0';
	/* Of one that begins no more is known than its name: it ends at
	 * once. */
	if (!end)
		ssml_elements_start(&r->elements, name, NULL,
				    char_at(r, r->done));
	ssml_elements_end(&r->elements, name, char_at(r, r->done));
	return n;
}

static void put_literally(struct reader *r, const char *c, size_t n,
			  size_t n_source)
{
	ssml_elements_text(&r->elements, c, n,
			   place_of(r, r->done, n_source));
	r->done += n_source;
}

/* At '&'. false: it stands for itself. */
static bool take_entity(struct reader *r)
{
	const char *p = r->text + r->done;
	char encoded[4];
	uint32_t c;
	size_t n = clean_entity(p, strnlen(p, CLEAN_ENTITY_MAX), &c);

	if (n) {
		put_literally(r, encoded, clean_encode(c, encoded), n);
		return true;
	}
	if (p[1] != '#')
		return false;
	/* A number of no character is nothing to say. */
	n = 2 + strspn(p + 2, "xX0123456789abcdefABCDEF");
	if (p[n] != ';' || n > CLEAN_ENTITY_MAX)
		return false;
	r->done += n + 1;
	return true;
}

/* One character as it stands; what is none is left out. */
static void take_character(struct reader *r)
{
	const char *p = r->text + r->done;
	size_t left = r->len - r->done;
	int32_t n = 0;
	UChar32 c;

	U8_NEXT(p, n, (int32_t)(left < 4 ? left : 4), c);
	if (c == '\t' || c == '\r' || c == '\n' || (c >= ' ' && c != 0x7f))
		put_literally(r, p, (size_t)n, (size_t)n);
	else
		r->done += (size_t)n;
}

/* Reads what stands at `done`, by which expat was stopped. */
static void recover(struct reader *r)
{
	size_t n = 0;

	if (follows(r, "<!") || follows(r, "<?"))
		n = declaration_length(r);
	else if (follows(r, "<"))
		n = broken_tag(r);
	else if (follows(r, "&") && take_entity(r))
		return;
	if (n)
		r->done += n;
	else
		take_character(r);
}

/* --- reading --- */

/* As far as expat goes, from `done` on. */
static int read_on(struct reader *r)
{
	size_t at = r->done;
	enum XML_Status status;

	XML_ParserReset(r->parser, "UTF-8");
	r->base = at;
	r->stopped = false;
	status = XML_Parse(r->parser, ROOT, (int)strlen(ROOT), XML_FALSE);
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetCdataSectionHandler(r->parser, on_cdata, on_other);
	XML_SetCommentHandler(r->parser, on_comment);
	XML_SetProcessingInstructionHandler(r->parser, on_instruction);
	while (status == XML_STATUS_OK && at < r->len &&
	       at - r->done < TOKEN_MAX) {
		size_t n = r->len - at < CHUNK ? r->len - at : CHUNK;

		at += n;
		status = XML_Parse(r->parser, r->text + at - n, (int)n,
				   at == r->len);
	}
	return status != XML_STATUS_OK &&
			       XML_GetErrorCode(r->parser) ==
				       XML_ERROR_NO_MEMORY
		       ? -ENOMEM
		       : 0;
}

static int read_markup(struct reader *r)
{
	int e = 0;

	r->parser = XML_ParserCreate("UTF-8");
	if (!r->parser)
		return -ENOMEM;
	for (unsigned n = 0; e == 0 && r->done < r->len && n < ERRORS_MAX;
	     n++) {
		e = read_on(r);
		if (e == 0 && r->done < r->len)
			recover(r);
	}
	XML_ParserFree(r->parser);
	return e;
}

int ssml_parse(struct ssml *ret, const char *text, bool markup,
	       const struct ssml_writer *writer)
{
	struct reader r = {.text = text, .len = strlen(text)};
	int e = 0;

	ssml_output_init(&r.out, writer);
	ssml_elements_init(&r.elements, &r.out);
	if (markup)
		e = read_markup(&r);
	while (e == 0 && r.done < r.len)
		take_character(&r);
	ssml_elements_finish(&r.elements, char_at(&r, r.len));
	if (e < 0)
		r.out.failed = true;
	return ssml_output_finish(&r.out, char_at(&r, r.len), ret);
}
