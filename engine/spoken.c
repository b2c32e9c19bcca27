/* SPDX-License-Identifier: MIT */
#include "spoken.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>
#include <unicode/utrans.h>

#include "bark.h"
#include "spoken_out.h"

#define CUE_MAX 32   /* bytes of [laughs] */
#define WORD_MAX 128 /* bytes of a word that is transliterated */

struct scan {
	struct bark_spoken *out;
	const char *text;
	size_t len, at;
	size_t cap, cap_runs;
	int error;
};

/* --- the spoken text --- */

static bool room(struct scan *s, size_t n)
{
	struct bark_spoken *o = s->out;

	if (o->len + n > BARK_TEXT_MAX)
		s->error = -E2BIG;
	if (s->error == 0 && o->len + n + 1 > s->cap) {
		size_t cap = 2 * s->cap + n + 64;
		char *text = realloc(o->text, cap);

		if (text) {
			o->text = text;
			s->cap = cap;
		} else {
			s->error = -ENOMEM;
		}
	}
	if (s->error == 0 && o->n_runs == s->cap_runs) {
		size_t cap = 2 * s->cap_runs + 16;
		struct bark_spoken_run *runs =
			realloc(o->runs, cap * sizeof(*runs));

		if (runs) {
			o->runs = runs;
			s->cap_runs = cap;
		} else {
			s->error = -ENOMEM;
		}
	}
	return s->error == 0;
}

/* The next n bytes are said as they are written. */
static void keep(struct scan *s, size_t n)
{
	struct bark_spoken *o = s->out;
	struct bark_spoken_run *last;

	if (!room(s, n))
		return;
	last = o->n_runs > 0 ? &o->runs[o->n_runs - 1] : NULL;
	if (last && last->verbatim > 0 &&
	    last->source + last->verbatim == s->at &&
	    last->spoken + last->verbatim == o->len)
		last->verbatim += n;
	else
		o->runs[o->n_runs++] = (struct bark_spoken_run){
			.spoken = o->len, .source = s->at, .verbatim = n};
	memcpy(o->text + o->len, s->text + s->at, n);
	o->len += n;
	s->at += n;
}

/* Instead of the next n bytes these are said. */
static void rewrite(struct scan *s, size_t n, const char *words, size_t n_words)
{
	struct bark_spoken *o = s->out;

	if (!room(s, n_words))
		return;
	o->runs[o->n_runs++] = (struct bark_spoken_run){
		.spoken = o->len, .source = s->at};
	memcpy(o->text + o->len, words, n_words);
	o->len += n_words;
	s->at += n;
}

static void skip(struct scan *s, size_t n)
{
	rewrite(s, n, "", 0);
}

static void rewrite_words(struct scan *s, size_t n,
			  const struct spoken_words *w)
{
	const struct bark_spoken *o = s->out;
	bool before = o->len > 0 && !is_space(o->text[o->len - 1]) &&
		      o->text[o->len - 1] != '(';
	char after = s->at + n < s->len ? s->text[s->at + n] : ' ';
	char text[SPOKEN_WORDS_MAX + 2];
	size_t n_text = 0;

	if (before)
		text[n_text++] = ' ';
	memcpy(text + n_text, w->text, w->n);
	n_text += w->n;
	if (is_letter(after) || is_digit(after) ||
	    spoken_symbol(after, false) || (after & 0x80))
		text[n_text++] = ' ';
	rewrite(s, n, text, n_text);
}

/* --- what is no plain ASCII --- */

/* Marks off; what has no parts. */
static void add_latin(struct spoken_words *w, UChar32 c)
{
	static const struct {
		UChar32 c;
		const char *said;
	} letters[] = {
		{0xdf, "ss"}, {0xe6, "ae"}, {0xc6, "Ae"}, {0xf8, "o"},
		{0xd8, "O"},  {0x153, "oe"}, {0x152, "Oe"}, {0x142, "l"},
		{0x141, "L"}, {0x111, "d"}, {0x110, "D"}, {0xf0, "d"},
		{0xfe, "th"}, {0xde, "Th"}, {0x131, "i"},
	};
	UErrorCode e = U_ZERO_ERROR;
	const UNormalizer2 *nfkd = unorm2_getNFKDInstance(&e);
	UChar parts[32];
	int32_t n = U_SUCCESS(e) ? unorm2_getDecomposition(nfkd, c, parts, 32,
							   &e)
				 : 0;

	for (int32_t i = 0; U_SUCCESS(e) && i < n; i++)
		if (parts[i] < 0x80 && is_letter((char)parts[i]))
			spoken_add_mark(w, (char)parts[i]);
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (letters[i].c == c)
			for (const char *l = letters[i].said; *l; l++)
				spoken_add_mark(w, *l);
}

/* The rules are large: opened when there is another script, once for all. */
static void add_script(struct spoken_words *w, const char *text, size_t n_text)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static UTransliterator *rules;
	UErrorCode e = U_ZERO_ERROR;
	UChar wide[4 * WORD_MAX], id[32];
	char ascii[4 * WORD_MAX];
	int32_t n = 0, limit, n_ascii = 0;

	u_strFromUTF8(wide, WORD_MAX, &n, text, (int32_t)n_text, &e);
	u_uastrcpy(id, "Any-Latin; Latin-ASCII");
	pthread_mutex_lock(&lock);
	if (!rules)
		rules = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &e);
	limit = n;
	if (rules)
		utrans_transUChars(rules, wide, &n, 4 * WORD_MAX, 0, &limit,
				   &e);
	pthread_mutex_unlock(&lock);
	u_strToUTF8(ascii, sizeof(ascii), &n_ascii, wide, n, &e);
	for (int32_t i = 0; U_SUCCESS(e) && i < n_ascii; i++)
		if (is_letter(ascii[i]) || ascii[i] == '\'')
			spoken_add_mark(w, ascii[i]);
}

static bool is_latin(UChar32 c)
{
	UErrorCode e = U_ZERO_ERROR;
	UScriptCode script = uscript_getScript(c, &e);

	return script == USCRIPT_LATIN || script == USCRIPT_INHERITED ||
	       script == USCRIPT_COMMON;
}

/* Letters that are not ASCII: "cafe", "Moskva". false: it is no letter. */
static bool letters(struct scan *s)
{
	struct spoken_words w = {.n = 0};
	int32_t end = (int32_t)s->at;
	bool first_is_latin = false;
	UChar32 c;

	while ((size_t)end < s->len && (size_t)end - s->at < WORD_MAX - 4) {
		int32_t next = end;

		U8_NEXT(s->text, next, (int32_t)s->len, c);
		if (c < 0x80 || (!u_isalpha(c) &&
				 u_charType(c) != U_NON_SPACING_MARK))
			break;
		if ((size_t)end == s->at)
			first_is_latin = is_latin(c);
		else if (is_latin(c) != first_is_latin)
			break;
		if (first_is_latin)
			add_latin(&w, c);
		end = next;
	}
	if ((size_t)end == s->at)
		return false;
	if (!first_is_latin)
		add_script(&w, s->text + s->at, (size_t)end - s->at);
	rewrite(s, (size_t)end - s->at, w.text, w.full ? 0 : w.n);
	return true;
}

/* Whether the next n bytes stand between digits. */
static bool is_range(const struct scan *s, size_t n)
{
	return s->at > 0 && is_digit(s->text[s->at - 1]) &&
	       s->at + n < s->len && is_digit(s->text[s->at + n]);
}

static void other(struct scan *s)
{
	static const struct {
		UChar32 c;
		const char *said;
	} marks[] = {
		{0x2018, "'"}, {0x2019, "'"}, {0x2013, ", "}, {0x2014, ", "},
		{0x2026, "."}, {0xa0, " "},   {0x2022, ", "}, {0xd7, " times "},
		{0xf7, " by "}, {0x2212, "-"}, {0xb0, " degrees"},
		{0xa7, " section "}, {0xa9, ""}, {0xae, ""}, {0x20ac, " euro "},
		{0xa3, " pound "}, {0xa5, " yen "}, {0xbd, " one half"},
		{0xbc, " one quarter"}, {0xbe, " three quarters"},
		{0x3002, ". "}, {0x3001, ", "}, {0xbf, ""}, {0xa1, ""},
	};
	int32_t next = (int32_t)s->at;
	size_t n;
	UChar32 c;

	U8_NEXT(s->text, next, (int32_t)s->len, c);
	if (c < 0) {
		s->error = -EILSEQ;
		return;
	}
	n = (size_t)next - s->at;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (marks[i].c == c) {
			const char *said = marks[i].said;
			bool space = s->at > 0 && is_space(s->text[s->at - 1]);

			/* The number in front ended with a space. */
			if (c == 0x2013 && is_range(s, n))
				said = "to ";
			rewrite(s, n, said,
				said[0] == ',' && space ? 1 : strlen(said));
			return;
		}
	}
	if (u_isUWhiteSpace(c))
		rewrite(s, n, " ", 1);
	else if (!letters(s))
		skip(s, n);
}

/* --- marks --- */

static bool is_stop(char c)
{
	return c && strchr(".,;:?!", c);
}

/* Of several marks in a row the one that says most. */
static void stops(struct scan *s)
{
	size_t n = 0;
	char said = s->text[s->at];

	while (s->at + n < s->len && is_stop(s->text[s->at + n])) {
		char c = s->text[s->at + n++];

		if (c == '?' || (c == '!' && said != '?') ||
		    (c == '.' && said != '?' && said != '!'))
			said = c;
	}
	if (n == 1)
		keep(s, 1);
	else
		rewrite(s, n, &said, 1);
}

/* [laughs]: such a voice cannot. */
static size_t cue(const struct scan *s)
{
	size_t n = 1;

	while (s->at + n < s->len && n < CUE_MAX &&
	       (is_letter(s->text[s->at + n]) || is_space(s->text[s->at + n])))
		n++;
	return s->at + n < s->len && s->text[s->at + n] == ']' ? n + 1 : 0;
}

static void mark(struct scan *s, bool alone)
{
	char c = s->text[s->at];
	const char *name = spoken_symbol(c, alone);
	char before = s->at > 0 ? s->text[s->at - 1] : ' ';
	char after = s->at + 1 < s->len ? s->text[s->at + 1] : ' ';
	struct spoken_words w = {.n = 0};
	size_t n;

	if (alone && name) {
		rewrite(s, 1, name, strlen(name));
	} else if (c == '-' && after == '-') {
		n = 2;
		while (s->at + n < s->len && s->text[s->at + n] == '-')
			n++;
		rewrite(s, n, ", ", is_space(before) ? 1 : 2);
	} else if (c == '-' && is_space(before) && is_space(after)) {
		rewrite(s, 1, ",", 1);
	} else if (c == '\'' && is_letter(before) && is_letter(after)) {
		keep(s, 1);
	} else if (c == '-' && is_letter(before) && is_letter(after)) {
		keep(s, 1);
	} else if (c == '(' || c == ')') {
		keep(s, 1);
	} else if (is_stop(c)) {
		stops(s);
	} else if (c == '[' && (n = cue(s)) > 0) {
		skip(s, n);
	} else if (c == '#' && is_letter(after)) {
		spoken_add_word(&w, "hashtag");
		rewrite_words(s, 1, &w);
	} else if (c == '_' || c == '-' || c == '|') {
		rewrite(s, 1, " ", 1);
	} else if (name) {
		spoken_add_word(&w, name);
		rewrite_words(s, 1, &w);
	} else {
		skip(s, 1);
	}
}

/* --- words --- */

/* Whether a capital word has long capital neighbours: then all is shouted. */
static bool shouted(const struct scan *s)
{
	size_t begin = s->at, end = s->at, capitals = 0, words = 0, n;
	size_t longest = 0;

	while (begin > 0 && s->at - begin < 40 && s->text[begin - 1] != '\n' &&
	       (is_letter(s->text[begin - 1]) || s->text[begin - 1] == ' '))
		begin--;
	while (end < s->len && end - s->at < 40 &&
	       (is_letter(s->text[end]) || s->text[end] == ' '))
		end++;
	for (size_t i = begin; i < end; i += n + 1) {
		bool all = true;

		for (n = 0; i + n < end && is_letter(s->text[i + n]); n++)
			all = all && s->text[i + n] < 'a';
		words += n > 0;
		capitals += all && n > 0;
		if (all && n > longest)
			longest = n;
	}
	return capitals == words && words > 1 && longest >= 4;
}

static void word(struct scan *s)
{
	const char *text = s->text + s->at;
	size_t left = s->len - s->at, n;
	struct spoken_words w = {.n = 0};

	n = spoken_address(&w, text, left);
	if (n == 0) {
		w.n = 0;
		n = spoken_word(&w, text, left,
				left > 1 && text[1] < 'a' && shouted(s));
	}
	if (n > 0 && !w.full) {
		rewrite_words(s, n, &w);
		return;
	}
	for (n = 0; n < left && (is_letter(text[n]) ||
				 (text[n] == '\'' && n + 1 < left &&
				  is_letter(text[n + 1])));)
		n++;
	/* A digit right behind it is a word of its own. */
	keep(s, n);
	if (n < left && is_digit(text[n]) && room(s, 1))
		rewrite(s, 0, " ", 1);
}

static void step(struct scan *s, bool alone)
{
	char c = s->text[s->at];
	char before = s->at > 0 ? s->text[s->at - 1] : ' ';
	struct spoken_words w = {.n = 0};
	size_t n = 0;

	if (is_space(c)) {
		keep(s, 1);
		return;
	}
	if (!alone)
		n = spoken_number(&w, s->text + s->at, s->len - s->at, before);
	if (n > 0 && !w.full)
		rewrite_words(s, n, &w);
	else if (is_letter(c))
		word(s);
	else if (c & 0x80)
		other(s);
	else if (is_digit(c))
		keep(s, 1);
	else
		mark(s, alone);
}

int bark_spoken_make(struct bark_spoken *ret, const char *text, size_t len)
{
	struct scan s = {.out = ret, .text = text, .len = len};
	size_t begin = 0, end = len;

	*ret = (struct bark_spoken){.source_len = len};
	if (len > BARK_TEXT_MAX)
		return -E2BIG;
	while (begin < end && is_space(text[begin]))
		begin++;
	while (end > begin && is_space(text[end - 1]))
		end--;
	room(&s, len);
	while (s.at < len && s.error == 0)
		step(&s, end == begin + 1 && s.at == begin);
	if (s.error == 0)
		ret->text[ret->len] = '\0';
	return s.error;
}

void bark_spoken_clear(struct bark_spoken *s)
{
	free(s->text);
	free(s->runs);
	*s = (struct bark_spoken){0};
}

/* The last run that begins at or before a place. */
static size_t run_at(const struct bark_spoken *s, size_t at)
{
	size_t low = 0, high = s->n_runs;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (s->runs[middle].spoken <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void bark_spoken_source(const struct bark_spoken *s, size_t begin, size_t end,
			size_t *ret_begin, size_t *ret_end)
{
	const struct bark_spoken_run *r;
	size_t i;

	*ret_begin = *ret_end = 0;
	if (s->n_runs == 0)
		return;
	r = &s->runs[run_at(s, begin)];
	*ret_begin = r->source + (r->verbatim ? begin - r->spoken : 0);
	if (end <= begin) {
		*ret_end = *ret_begin;
		return;
	}
	i = run_at(s, end - 1);
	r = &s->runs[i];
	if (r->verbatim)
		*ret_end = r->source + (end - r->spoken);
	else
		*ret_end = i + 1 < s->n_runs ? r[1].source : s->source_len;
}
