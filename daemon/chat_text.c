/* SPDX-License-Identifier: MIT */
#include "chat_text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include "clean_text.h"

#define REPEATED_MAX 3 /* the same character in a row */
#define TAG_MAX 100    /* bytes of a service's own markup */

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define SPACES " \t\r\n"

/* --- addresses --- */

struct address {
	size_t n;         /* bytes of it; 0: none */
	const char *said; /* what stands for it where hosts are said */
	size_t n_said;
};

/* Bytes up to the next space, without the punctuation of the sentence. */
static size_t word_length(const char *p)
{
	size_t n = strcspn(p, SPACES "<>\"");

	while (n && strchr(".,!?;:)'", p[n - 1]))
		n--;
	return n;
}

static void say_host(struct address *a, const char *host, size_t n)
{
	size_t k = 0;
	const char *at;

	while (k < n && !strchr("/?#", host[k]))
		k++;
	/* What stands before an @ pretends to be the host. */
	at = memrchr(host, '@', k);
	if (at) {
		k -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	if (k > 4 && strncasecmp(host, "www.", 4) == 0) {
		host += 4;
		k -= 4;
	}
	at = memchr(host, ':', k);
	a->said = host;
	a->n_said = at ? (size_t)(at - host) : k;
}

/* "https://host/path", of any scheme. */
static bool with_slashes(const char *p, struct address *ret)
{
	size_t k = strspn(p, LETTERS DIGITS "+.-"), n = word_length(p);

	if (k < 2 || strncmp(p + k, "://", 3) != 0 || n <= k + 3)
		return false;
	ret->n = n;
	say_host(ret, p + k + 3, n - k - 3);
	return true;
}

/* Addresses without a host, which have nothing to say. */
static bool without_host(const char *p, struct address *ret)
{
	/* What must follow in the same word, lest "data: none" is one. */
	static const struct {
		const char *scheme;
		char has;
	} kinds[] = {{"data:", ','},	   {"magnet:", '?'},
		     {"javascript:", '('}, {"blob:", '/'},
		     {"mailto:", '@'}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t n = strcspn(p, SPACES);

		if (strncasecmp(p, kinds[i].scheme, strlen(kinds[i].scheme)) ||
		    !memchr(p, kinds[i].has, n))
			continue;
		ret->n = n;
		ret->n_said = 0;
		return true;
	}
	return false;
}

/* Top-level domains that people write without anything before or behind. */
static bool is_common_domain(const char *label, size_t n)
{
	static const char list[] =
		" com org net edu gov tv gg io de uk fr nl ru info xyz app dev "
		"ly live ";
	char word[8];

	if (n + 2 >= sizeof(word))
		return false;
	snprintf(word, sizeof(word), " %.*s ", (int)n, label);
	return strcasestr(list, word) != NULL;
}

/* "www.example.org", "example.org/path", "example.com", "me@example.org". */
static bool bare(const char *p, struct address *ret)
{
	size_t local = strspn(p, LETTERS DIGITS "._%+-"), n, label;
	bool mail = local && p[local] == '@';
	const char *host = mail ? p + local + 1 : p;

	n = strspn(host, LETTERS DIGITS ".-");
	while (n && (host[n - 1] == '.' || host[n - 1] == '-'))
		n--;
	for (label = n; label && host[label - 1] != '.'; label--)
		;
	if (label < 2 || n - label < 2 || host[0] == '.' ||
	    strspn(host + label, LETTERS) < n - label)
		return false;
	if (mail) {
		ret->n = local + 1 + n;
		ret->said = p;
		ret->n_said = ret->n;
		return true;
	}
	if (host[n] == '/' || (host[n] == ':' && isdigit((unsigned char)host[n + 1])) ||
	    strncasecmp(host, "www.", 4) == 0)
		ret->n = word_length(p);
	else if (is_common_domain(host + label, n - label))
		ret->n = n;
	else
		return false;
	say_host(ret, host, ret->n);
	return true;
}

/* --- services' own markup --- */

static bool all_digits(const char *p, size_t n)
{
	return n > 0 && strspn(p, DIGITS) >= n;
}

/* Discord's "<:name:1>", "<a:name:1>", "<@1>", "<@!1>", "<#1>", "<t:1:R>". */
static size_t in_angles(const char *p)
{
	const char *end = memchr(p, '>', strnlen(p, TAG_MAX)), *colon;
	size_t n = end ? (size_t)(end - p) - 1 : 0, k;

	if (!n)
		return 0;
	p++;
	if (*p == '@' || *p == '#') {
		k = 1 + (p[1] == '!' || p[1] == '&');
		return n > k && all_digits(p + k, n - k) ? n + 2 : 0;
	}
	if (strncmp(p, "t:", 2) == 0)
		return isdigit((unsigned char)p[2]) ? n + 2 : 0;
	k = *p == 'a';
	colon = memrchr(p, ':', n);
	if (!colon || p[k] != ':' || colon <= p + k || memchr(p, ' ', n))
		return 0;
	return all_digits(colon + 1, (size_t)(end - colon) - 1) ? n + 2 : 0;
}

/* Kick's "[emote:1:name]". */
static size_t in_brackets(const char *p)
{
	size_t n;

	if (strncmp(p, "[emote:", 7) != 0)
		return 0;
	n = strcspn(p, "] \t\r\n");
	return p[n] == ']' ? n + 1 : 0;
}

/* ":smile:", which is a picture, but not "10:30:45". */
static size_t in_colons(const char *p)
{
	size_t n = strspn(p + 1, LETTERS DIGITS "_+-");

	if (n < 2 || p[1 + n] != ':' || strcspn(p + 1, LETTERS) >= n)
		return 0;
	return n + 2;
}

static size_t markup_length(const char *p)
{
	switch (*p) {
	case '<':
		return in_angles(p);
	case '[':
		return in_brackets(p);
	case ':':
		return in_colons(p);
	default:
		return 0;
	}
}

/* --- characters --- */

/* A picture, rather than a sign that has a picture as well. */
static bool is_emoji(UChar32 c, UChar32 next)
{
	return u_hasBinaryProperty(c, UCHAR_EMOJI_PRESENTATION) ||
	       u_hasBinaryProperty(c, UCHAR_EMOJI_MODIFIER) ||
	       u_hasBinaryProperty(c, UCHAR_REGIONAL_INDICATOR) ||
	       (u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC) &&
		(next == 0xfe0f || c >= 0x2600));
}

/* What turns the character before it into a picture, or joins two. */
static bool is_joiner(UChar32 c)
{
	return c == 0xfe0e || c == 0xfe0f || c == 0x200d || c == 0x20e3;
}

struct writer {
	FILE *out;
	const struct chat_text_rules *rules;
	bool link;
	UChar32 last;
	unsigned repeated;
};

static void put(struct writer *w, UChar32 c)
{
	char s[4];

	/* "looooool", but not 10000000. */
	w->repeated = c == w->last ? w->repeated + 1 : 1;
	w->last = c;
	if (w->repeated <= REPEATED_MAX || u_isdigit(c))
		fwrite(s, 1, clean_encode((uint32_t)c, s), w->out);
}

static void put_address(struct writer *w, const struct address *a)
{
	w->link = true;
	w->last = 0;
	if (w->rules->links == CONF_LINKS_YES && a->n_said)
		fwrite(a->said, 1, a->n_said, w->out);
	else if (w->rules->links == CONF_LINKS_WORD)
		fputs("link", w->out);
}

/* An emote at p, where a word begins: its length. */
static size_t emote_length(const struct writer *w, const char *p)
{
	size_t n = strcspn(p, SPACES);

	for (const char *const *e = w->rules->emotes; n && e && *e; e++)
		if (strlen(*e) == n && memcmp(*e, p, n) == 0)
			return n;
	return 0;
}

/* Whether an address or a tag may begin behind this character. */
static bool is_boundary(char before)
{
	return !isalnum((unsigned char)before) && !(before & 0x80) &&
	       (!before || !strchr("@._-/%+", before));
}

static void write_text(struct writer *w, const char *p)
{
	const size_t n = strlen(p);
	char before = '\0';

	for (size_t i = 0; i < n;) {
		struct address a = {0};
		size_t k = !before || strchr(SPACES, before)
				   ? emote_length(w, p + i)
				   : 0;
		UChar32 c, next = 0;

		if (!k && is_boundary(before))
			k = markup_length(p + i);
		if (!k && is_boundary(before) &&
		    (with_slashes(p + i, &a) || without_host(p + i, &a) ||
		     bare(p + i, &a))) {
			put_address(w, &a);
			k = a.n;
		}
		if (k) {
			i += k;
			before = p[i - 1];
			continue;
		}
		before = p[i];
		U8_NEXT(p, i, n, c);
		if (i < n) {
			size_t j = i;

			U8_NEXT(p, j, n, next);
		}
		if (c < 0 || is_joiner(c))
			continue;
		put(w, is_emoji(c, next) ? ' ' : c);
	}
}

static bool has_words(const char *text)
{
	const size_t n = strlen(text);

	for (size_t i = 0; i < n;) {
		UChar32 c;

		U8_NEXT(text, i, n, c);
		if (c > 0 && u_isalnum(c))
			return true;
	}
	return false;
}

char *chat_text(const char *text, const struct chat_text_rules *rules,
		bool *ret_link)
{
	struct writer w = {.rules = rules};
	char *markup = clean_markup(text), *plain = NULL, *said;
	size_t size;

	if (!markup)
		return NULL;
	w.out = open_memstream(&plain, &size);
	if (w.out)
		write_text(&w, markup);
	free(markup);
	if (!w.out || fclose(w.out) != 0) {
		free(plain);
		return NULL;
	}
	said = clean_text(plain, false, rules->max);
	free(plain);
	if (said && !has_words(said))
		*said = '\0';
	*ret_link = w.link;
	return said;
}

/* --- comparison --- */

static UChar *to_utf16(const char *text, int32_t *ret_n)
{
	UErrorCode e = U_ZERO_ERROR;
	size_t n = strlen(text);
	/* No more units than bytes. */
	UChar *wide = malloc((n + 1) * sizeof(*wide));

	if (!wide)
		return NULL;
	u_strFromUTF8WithSub(wide, (int32_t)n + 1, ret_n, text, (int32_t)n,
			     0xfffd, NULL, &e);
	return wide;
}

static char *to_utf8(const UChar *wide, int32_t n)
{
	UErrorCode e = U_ZERO_ERROR;
	size_t room = 3 * (size_t)n + 1;
	char *text = malloc(room);
	int32_t k;

	if (!text)
		return NULL;
	u_strToUTF8WithSub(text, (int32_t)room, &k, wide, n, 0xfffd, NULL, &e);
	return text;
}

/* n units of dst have room. */
static int32_t drop_marks(UChar *s, int32_t n)
{
	int32_t kept = 0;

	for (int32_t i = 0; i < n;) {
		UChar32 c;
		int8_t type;

		U16_NEXT(s, i, n, c);
		type = u_charType(c);
		if (type != U_NON_SPACING_MARK && type != U_ENCLOSING_MARK)
			U16_APPEND_UNSAFE(s, kept, c);
	}
	return kept;
}

char *chat_fold(const char *text)
{
	UErrorCode e = U_ZERO_ERROR;
	const UNormalizer2 *norm = unorm2_getNFKCCasefoldInstance(&e);
	int32_t n = 0, room;
	UChar *wide = to_utf16(text, &n), *folded = NULL;
	char *out = NULL;

	if (!wide || U_FAILURE(e)) {
		free(wide);
		return NULL;
	}
	room = unorm2_normalize(norm, wide, n, NULL, 0, &e);
	e = U_ZERO_ERROR;
	folded = malloc(((size_t)room + 1) * sizeof(*folded));
	if (folded) {
		n = unorm2_normalize(norm, wide, n, folded, room + 1, &e);
		if (U_SUCCESS(e))
			out = to_utf8(folded, drop_marks(folded, n));
	}
	free(folded);
	free(wide);
	return out;
}

char *chat_fold_words(const char *text)
{
	char *folded = chat_fold(text);
	size_t n = folded ? strlen(folded) : 0, at = 0, from;
	bool gap = false;

	for (size_t i = 0; i < n;) {
		UChar32 c;

		from = i;
		U8_NEXT(folded, i, n, c);
		if (c > 0 && (u_isalnum(c) || c == '\'')) {
			if (gap && at)
				folded[at++] = ' ';
			gap = false;
			memmove(folded + at, folded + from, i - from);
			at += i - from;
		} else {
			gap = true;
		}
	}
	if (folded)
		folded[at] = '\0';
	return folded;
}
