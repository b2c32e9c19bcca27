/* SPDX-License-Identifier: MIT */
#include "clean_text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What one looks at, however long the text is. */
#define INPUT_MAX (64 * 1024)
#define TAG_MAX 512
#define ENTITY_MAX 10

/* --- characters --- */

/* Decodes one character; its length, 0: not valid. */
static size_t decode(const char *p, size_t n, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char c = (unsigned char)*p;
	size_t k = c < 0x80	       ? 1
		   : (c & 0xe0) == 0xc0 ? 2
		   : (c & 0xf0) == 0xe0 ? 3
		   : (c & 0xf8) == 0xf0 ? 4
					: 0;
	uint32_t v = k == 1 ? c : c & (0x7f >> k);

	if (k == 0 || k > n)
		return 0;
	for (size_t i = 1; i < k; i++) {
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | ((unsigned char)p[i] & 0x3f);
	}
	if (v < least[k] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return 0;
	*ret = v;
	return k;
}

size_t clean_encode(uint32_t c, char ret[4])
{
	/* The first byte's mark, by the number of bytes. */
	static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1; c >>= 6)
		ret[i] = (char)(0x80 | (c & 0x3f));
	ret[0] = (char)(first[n] | c);
	return n;
}

static void put_char(FILE *out, uint32_t c)
{
	char s[4];

	fwrite(s, 1, clean_encode(c, s), out);
}

static bool is_space(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 ||
	       c == 0xa0 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
	       c == 0x2029 || c == 0x3000;
}

/* Control characters, and what turns the direction or has no width. */
static bool is_silent(uint32_t c)
{
	return c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0xad ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xe0000 && c <= 0xe007f);
}

/* --- markup --- */

/* A tag at p: its length, 0: none. */
static size_t tag_at(const char *p, size_t n)
{
	static const char *const names[] = {
		"a",	  "audio", "b",	    "big",    "blockquote", "body",
		"br",	  "button", "center", "code", "div",	    "em",
		"embed",  "font",  "form",  "h1",     "h2",	    "h3",
		"head",	  "hr",	   "html",  "i",      "iframe",	    "img",
		"input",  "li",	   "link",  "marquee", "meta",	    "object",
		"ol",	  "p",	   "pre",   "qt",     "s",	    "script",
		"small",  "span",  "strong", "style", "sub",	    "sup",
		"svg",	  "table", "td",    "th",     "tr",	    "tt",
		"u",	  "ul",	   "video"};
	const char *q = p + 1, *end = memchr(p, '>', n < TAG_MAX ? n : TAG_MAX);
	size_t k;

	if (!end)
		return 0;
	if (*q == '/')
		q++;
	k = strspn(q, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		      "123");
	if (k == 0 || !strchr(" \t\r\n/>", q[k]))
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == k && strncasecmp(names[i], q, k) == 0)
			return (size_t)(end - p) + 1;
	return 0;
}

/* Whether a tag is a space, as a line's end is; others are nothing. */
static bool ends_line(const char *tag)
{
	static const char *const names[] = {"br", "p",	"div", "li",
					    "tr", "td", "h1",  "h2",
					    "h3", "hr"};

	tag += tag[1] == '/' ? 2 : 1;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = strlen(names[i]);

		if (strncasecmp(tag, names[i], n) == 0 &&
		    !isalnum((unsigned char)tag[n]))
			return true;
	}
	return false;
}

size_t clean_entity(const char *p, size_t n, uint32_t *ret)
{
	static const struct {
		const char *name;
		char c;
	} names[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'},
		     {"&quot;", '"'}, {"&apos;", '\''}, {"&nbsp;", ' '}};
	char *end;
	unsigned long v;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t k = strlen(names[i].name);

		if (k <= n && strncmp(p, names[i].name, k) == 0) {
			*ret = (uint32_t)names[i].c;
			return k;
		}
	}
	if (n < 4 || p[1] != '#')
		return 0;
	v = p[2] == 'x' || p[2] == 'X' ? strtoul(p + 3, &end, 16)
				       : strtoul(p + 2, &end, 10);
	if (*end != ';' || end - p > ENTITY_MAX || v == 0 || v > 0x10ffff ||
	    (v >= 0xd800 && v < 0xe000))
		return 0;
	*ret = (uint32_t)v;
	return (size_t)(end - p) + 1;
}

static char *strip_markup(const char *text, size_t n)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	for (size_t i = 0; f && i < n;) {
		size_t k = 0;
		uint32_t c;

		if (text[i] == '<' && (k = tag_at(text + i, n - i)) > 0)
			fputs(ends_line(text + i) ? " " : "", f);
		else if (text[i] == '&' &&
			 (k = clean_entity(text + i, n - i, &c)) > 0)
			put_char(f, c);
		else
			fputc(text[i], f);
		i += k ? k : 1;
	}
	if (!f || fclose(f) != 0) {
		free(out);
		return NULL;
	}
	return out;
}

char *clean_markup(const char *text)
{
	return strip_markup(text, strnlen(text, INPUT_MAX));
}

/* --- addresses --- */

/* An address at p: its length, and where its host is; 0: none. */
static size_t address_at(const char *p, const char **ret_host,
			 size_t *ret_n_host)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < 2; i++) {
		size_t k = strlen(schemes[i]), n;
		const char *at;

		if (strncasecmp(p, schemes[i], k) != 0)
			continue;
		n = strcspn(p, " \t\r\n<>\"");
		*ret_n_host = strcspn(p + k, " \t\r\n<>\"/?#");
		*ret_host = p + k;
		/* What stands before an @ pretends to be the host. */
		at = memrchr(p + k, '@', *ret_n_host);
		if (at) {
			*ret_n_host -= (size_t)(at + 1 - *ret_host);
			*ret_host = at + 1;
		}
		if (strncasecmp(*ret_host, "www.", 4) == 0 &&
		    *ret_n_host > 4) {
			*ret_host += 4;
			*ret_n_host -= 4;
		}
		return *ret_n_host ? n : 0;
	}
	return 0;
}

/* --- all of it --- */

struct writer {
	FILE *out;
	size_t n, max; /* characters */
	bool space;    /* one is due */
	bool full;
};

/* Cuts only where a word ends: words are written whole. */
static void write_char(struct writer *w, uint32_t c)
{
	if (is_space(c)) {
		w->space = w->n > 0;
		return;
	}
	if (is_silent(c))
		return;
	if (w->n >= w->max && w->space)
		w->full = true;
	if (w->full)
		return;
	if (w->space) {
		fputc(' ', w->out);
		w->n++;
	}
	w->space = false;
	/* A word without end is cut in itself. */
	if (w->n >= 2 * w->max) {
		w->full = true;
		return;
	}
	put_char(w->out, c);
	w->n++;
}

static void write_text(struct writer *w, const char *p, size_t n)
{
	for (size_t i = 0; i < n && !w->full;) {
		const char *host;
		uint32_t c;
		size_t k, n_host;

		k = address_at(p + i, &host, &n_host);
		if (k) {
			for (size_t j = 0; j < n_host; j++)
				write_char(w, (unsigned char)host[j] < 0x80
						      ? (uint32_t)host[j]
						      : '?');
			i += k < n - i ? k : n - i;
			continue;
		}
		k = decode(p + i, n - i, &c);
		if (k)
			write_char(w, c);
		i += k ? k : 1;
	}
}

char *clean_text(const char *text, bool markup, size_t max)
{
	size_t n = strnlen(text, INPUT_MAX), size;
	char *plain = markup ? strip_markup(text, n) : strndup(text, n);
	char *out = NULL;
	struct writer w = {.max = max};

	if (!plain)
		return NULL;
	w.out = open_memstream(&out, &size);
	if (w.out) {
		write_text(&w, plain, strlen(plain));
		if (w.full || text[n])
			fputs("...", w.out);
	}
	free(plain);
	if (!w.out || fclose(w.out) != 0) {
		free(out);
		return NULL;
	}
	return out;
}
