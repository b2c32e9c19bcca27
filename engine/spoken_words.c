/* SPDX-License-Identifier: MIT */
/* Abbreviations and addresses. */
#include "spoken_out.h"

#include <string.h>
#include <strings.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define ABBREVIATION_MAX 12 /* bytes */
#define DOTTED_MAX 16       /* bytes: "J. R. R." */

/* --- the words --- */

void spoken_add(struct spoken_words *w, const char *words, size_t n)
{
	bool space = w->n > 0 && n > 0;

	if (w->n + n + space >= sizeof(w->text)) {
		w->full = true;
		return;
	}
	if (space)
		w->text[w->n++] = ' ';
	memcpy(w->text + w->n, words, n);
	w->n += n;
}

void spoken_add_word(struct spoken_words *w, const char *word)
{
	spoken_add(w, word, strlen(word));
}

void spoken_add_mark(struct spoken_words *w, char mark)
{
	if (w->n + 1 < sizeof(w->text))
		w->text[w->n++] = mark;
	else
		w->full = true;
}

void spoken_add_letters(struct spoken_words *w, const char *letters, size_t n)
{
	for (size_t i = 0; i < n; i++)
		spoken_add(w, letters + i, 1);
}

void spoken_add_digits(struct spoken_words *w, const char *digits, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_digit(digits[i]))
			spoken_add_number(w, digits[i] - '0', SPOKEN_CARDINAL);
}

void spoken_add_times(struct spoken_words *w, unsigned n)
{
	if (n > 1)
		spoken_add_mark(w, ',');
	if (n == 2) {
		spoken_add_word(w, "twice");
	} else if (n > 2) {
		spoken_add_number(w, n, SPOKEN_CARDINAL);
		spoken_add_word(w, "times");
	}
}

/* --- abbreviations --- */

/* What may follow: a name or a number is announced by it. */
enum { ANY, NAME, NUMBER };

static const struct {
	const char *abbreviation; /* its full stop follows */
	int before;
	bool ends; /* its full stop may end a sentence */
	const char *words;
} abbreviations[] = {
	{"Mr", ANY, false, "Mister"},	 {"Mrs", ANY, false, "Missus"},
	{"Ms", ANY, false, "Miss"},	 {"Dr", NAME, false, "Doctor"},
	{"Dr", ANY, true, "Drive"},	 {"Prof", ANY, false, "Professor"},
	{"St", NAME, false, "Saint"},	 {"St", ANY, true, "Street"},
	{"Ave", ANY, true, "Avenue"},	 {"Rd", ANY, true, "Road"},
	{"Blvd", ANY, true, "Boulevard"}, {"Mt", NAME, false, "Mount"},
	{"Jr", ANY, true, "Junior"},	 {"Sr", ANY, true, "Senior"},
	{"Gen", NAME, false, "General"}, {"Capt", NAME, false, "Captain"},
	{"Lt", NAME, false, "Lieutenant"}, {"Sgt", NAME, false, "Sergeant"},
	{"vs", ANY, false, "versus"},	 {"etc", ANY, true, "et cetera"},
	{"e.g", ANY, false, "for example"}, {"i.e", ANY, false, "that is"},
	{"a.m", ANY, true, "a m"},	 {"p.m", ANY, true, "p m"},
	{"approx", ANY, false, "approximately"},
	{"Inc", ANY, true, "Incorporated"}, {"Ltd", ANY, true, "Limited"},
	{"Corp", ANY, true, "Corporation"}, {"Co", ANY, true, "Company"},
	{"dept", ANY, true, "department"}, {"est", NUMBER, false, "established"},
	{"no", NUMBER, false, "number"}, {"vol", NUMBER, false, "volume"},
	{"fig", NUMBER, false, "figure"}, {"ch", NUMBER, false, "chapter"},
	{"pp", NUMBER, false, "pages"},	 {"p", NUMBER, false, "page"},
	{"tel", ANY, false, "telephone"}, {"ext", NUMBER, false, "extension"},
	{"Jan", ANY, true, "January"},	 {"Feb", ANY, true, "February"},
	{"Mar", NUMBER, false, "March"}, {"Apr", ANY, true, "April"},
	{"Jun", ANY, true, "June"},	 {"Jul", ANY, true, "July"},
	{"Aug", ANY, true, "August"},	 {"Sept", ANY, true, "September"},
	{"Sep", ANY, true, "September"}, {"Oct", ANY, true, "October"},
	{"Nov", ANY, true, "November"},	 {"Dec", ANY, true, "December"},
	{"Mon", ANY, true, "Monday"},	 {"Tue", ANY, true, "Tuesday"},
	{"Wed", NUMBER, false, "Wednesday"}, {"Thu", ANY, true, "Thursday"},
	{"Fri", ANY, true, "Friday"},	 {"Sat", NUMBER, false, "Saturday"},
	{"Sun", NUMBER, false, "Sunday"},
};

static bool same(const char *text, size_t n, const char *word)
{
	/* Names of titles, months and days have their capital. */
	if (strlen(word) != n)
		return false;
	return is_upper(word[0]) ? strncmp(text, word, n) == 0
				 : strncasecmp(text, word, n) == 0;
}

static size_t abbreviation(struct spoken_words *w, const char *text, size_t len)
{
	size_t n = 0, next;

	while (n < len && n < ABBREVIATION_MAX &&
	       (is_letter(text[n]) || (text[n] == '.' && n + 1 < len && n > 0 &&
			    is_letter(text[n + 1]))))
		n++;
	if (n >= len || text[n] != '.')
		return 0;
	for (next = n + 1; next < len && is_space(text[next]);)
		next++;
	for (size_t i = 0; i < N(abbreviations); i++) {
		int before = abbreviations[i].before;

		if (!same(text, n, abbreviations[i].abbreviation) ||
		    (before == NAME && (next == len || !is_upper(text[next]))) ||
		    (before == NUMBER && (next == len || !is_digit(text[next]))))
			continue;
		spoken_add_word(w, abbreviations[i].words);
		if (abbreviations[i].ends &&
		    (next == len || (is_upper(text[next]) && next > n + 1)))
			spoken_add_mark(w, '.');
		return n + 1;
	}
	return 0;
}

/* "U.S.", "J. R. R." are letters. */
static size_t dotted(struct spoken_words *w, const char *text, size_t len)
{
	size_t n = 0, letters = 0;

	while (n < DOTTED_MAX && n + 1 < len && is_upper(text[n]) &&
	       text[n + 1] == '.') {
		n += 2;
		letters++;
	}
	if (letters < 2 || (n < len && is_letter(text[n])))
		return 0;
	for (size_t i = 0; i < n; i += 2)
		spoken_add(w, text + i, 1);
	if (n == len)
		spoken_add_mark(w, '.');
	return n;
}

size_t spoken_word(struct spoken_words *w, const char *text, size_t len)
{
	size_t n = abbreviation(w, text, len);

	return n > 0 ? n : dotted(w, text, len);
}

/* --- addresses --- */

static bool is_part(char c)
{
	return is_letter(c) || is_digit(c) || c == '-' || c == '_';
}

/* "example.org", "report.pdf": at the end lower case, two letters to six. */
static bool has_suffix(const char *text, size_t n)
{
	size_t dot = 0, letters = 0;

	for (size_t i = 0; i < n && text[i] != '/' && text[i] != ':'; i++) {
		if (text[i] == '.') {
			dot = i;
			letters = 0;
		} else if (!is_part(text[i]) && text[i] != '@') {
			return false;
		} else {
			bool good = (text[i] >= 'a' && text[i] <= 'z') ||
				    (letters > 0 && is_digit(text[i]));

			letters = good ? letters + 1 : 64;
		}
	}
	/* "main.c" */
	if (letters == 1 && strchr("ch", text[dot + 1]))
		return dot > 2 && is_part(text[dot - 1]);
	return dot > 1 && is_part(text[dot - 1]) && letters >= 2 &&
	       letters <= 6;
}

static bool begins(const char *text, size_t n, const char *with)
{
	return n > strlen(with) && strncasecmp(text, with, strlen(with)) == 0;
}

static void add_part(struct spoken_words *w, const char *text, size_t n)
{
	if (!is_digit(text[0])) {
		if (spoken_has_vowel(text, n))
			spoken_add(w, text, n);
		else
			spoken_add_letters(w, text, n);
	} else {
		spoken_add_digits(w, text, n);
	}
}

size_t spoken_address(struct spoken_words *w, const char *text, size_t len)
{
	static const char *const schemes[] = {"https://", "http://", "ftp://",
					      "mailto:"};
	size_t n = 0, at = 0, taken;
	bool scheme = false;

	while (n < len && n < SPOKEN_WORDS_MAX / 4 && !is_space(text[n]) &&
	       !strchr("\"<>()[]{},;", text[n]) && !(text[n] & 0x80))
		n++;
	while (n > 0 && strchr(".!?:'", text[n - 1]))
		n--;
	taken = n;
	for (size_t i = 0; i < N(schemes) && !scheme; i++) {
		if (begins(text, n, schemes[i])) {
			at = strlen(schemes[i]);
			scheme = true;
		}
	}
	if (!scheme && !has_suffix(text, n))
		return 0;
	if (n > at && text[n - 1] == '/')
		n--;
	while (at < n) {
		size_t end = at + 1;
		const char *name;

		if (is_letter(text[at]))
			while (end < n && is_letter(text[end]))
				end++;
		else if (is_digit(text[at]))
			while (end < n && is_digit(text[end]))
				end++;
		if (is_letter(text[at]) || is_digit(text[at]))
			add_part(w, text + at, end - at);
		else if ((name = spoken_symbol(text[at], true)))
			spoken_add_word(w, name);
		at = end;
	}
	return taken;
}
