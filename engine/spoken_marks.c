/* SPDX-License-Identifier: MIT */
/* Marks of ASCII within a text, and their names. */
#include "spoken_scan.h"

#include <string.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))
/* Marks in a row that are counted, and kinds of them that are named. */
#define COPIES_MAX 999
#define NAMES_MAX 32
#define NEAR 40 /* bytes that are looked at */

static const struct {
	char c;
	bool in_text; /* said also where there is more */
	const char *name;
} symbols[] = {
	{'&', true, "and"},	   {'@', true, "at"},
	{'%', true, "percent"},	   {'+', true, "plus"},
	{'=', true, "equals"},	   {'/', true, "slash"},
	{'#', true, "hash"},	   {'$', true, "dollar"},
	{'\\', true, "backslash"}, {'.', false, "dot"},
	{',', false, "comma"},	   {';', false, "semicolon"},
	{':', false, "colon"},	   {'!', false, "exclamation mark"},
	{'?', false, "question mark"}, {'"', false, "quote"},
	{'\'', false, "apostrophe"}, {'(', false, "left parenthesis"},
	{')', false, "right parenthesis"}, {'[', false, "left bracket"},
	{']', false, "right bracket"}, {'{', false, "left brace"},
	{'}', false, "right brace"}, {'<', false, "less"},
	{'>', false, "greater"},   {'-', false, "dash"},
	{'_', false, "underscore"}, {'*', false, "star"},
	{'~', false, "tilde"},	   {'^', false, "caret"},
	{'|', false, "bar"},	   {'`', false, "backtick"},
};

const char *spoken_symbol(char c, bool alone)
{
	for (size_t i = 0; i < N(symbols); i++)
		if (symbols[i].c == c && (alone || symbols[i].in_text))
			return symbols[i].name;
	return NULL;
}

/* --- a text of marks alone --- */

void scan_names(struct scan *s)
{
	unsigned named = 0;

	while (s->at < s->len && s->error == 0) {
		struct spoken_words w = {.n = 0};
		char c = s->text[s->at];
		const char *name = spoken_symbol(c, true);
		size_t n = 1;

		while (n < COPIES_MAX && scan_at(s, s->at + n) == c)
			n++;
		if (is_space(c) || !name || named == NAMES_MAX) {
			scan_rewrite(s, n, is_space(c) ? " " : "");
			continue;
		}
		spoken_add_word(&w, name);
		spoken_add_times(&w, (unsigned)n);
		if (named++ > 0)
			scan_rewrite(s, 0, ", ");
		scan_words(s, n, &w);
	}
}

/* --- stops --- */

static bool is_stop(char c)
{
	return c && strchr(".,;:?!", c);
}

/* Of several marks in a row the one that says most. */
static void stops(struct scan *s)
{
	size_t n = 0;
	char said[2] = {s->text[s->at]};

	while (is_stop(scan_at(s, s->at + n))) {
		char c = s->text[s->at + n++];

		if (c == '?' || (c == '!' && said[0] != '?') ||
		    (c == '.' && said[0] != '?' && said[0] != '!'))
			said[0] = c;
	}
	if (n == 1)
		scan_keep(s, 1);
	else
		scan_rewrite(s, n, said);
}

/* --- operators --- */

static const struct {
	const char *marks, *name;
} operators[] = {
	{"<=>", "less, equal or greater"},
	{"===", "equals"},
	{"!==", "not equal to"},
	{"-->", "to"},
	{"==>", "to"},
	{"->", "to"},
	{"=>", "to"},
	{"<=", "less than or equal to"},
	{">=", "greater than or equal to"},
	{"!=", "not equal to"},
	{"==", "equals"},
	{"&&", "and"},
	{"||", "or"},
	{"++", "plus plus"},
	{"+-", "plus or minus"},
	{"+/-", "plus or minus"},
};

static size_t operator(struct scan *s)
{
	for (size_t i = 0; i < N(operators); i++) {
		size_t n = strlen(operators[i].marks);

		if (s->len - s->at < n ||
		    strncmp(s->text + s->at, operators[i].marks, n) != 0 ||
		    scan_at(s, s->at + n) == operators[i].marks[n - 1])
			continue;
		scan_word(s, n, operators[i].name);
		return n;
	}
	return 0;
}

/* The mark's neighbours but for one space. */
static char left_of(const struct scan *s)
{
	size_t i = s->at;

	if (i > 0 && s->text[i - 1] == ' ')
		i--;
	return i > 0 ? s->text[i - 1] : ' ';
}

static char right_of(const struct scan *s)
{
	size_t i = s->at + 1;

	return scan_at(s, i) == ' ' ? scan_at(s, i + 1) : scan_at(s, i);
}

/* "File > Open": words on both sides, the second with a capital. */
static bool is_path_of_menus(const struct scan *s)
{
	size_t i = s->at, n = 0, next = s->at + 1;

	i -= i > 0 && s->text[i - 1] == ' ';
	while (n < 2 && i > n && is_letter(s->text[i - 1 - n]))
		n++;
	next += scan_at(s, next) == ' ';
	return n == 2 && is_upper(scan_at(s, next)) &&
	       is_letter(scan_at(s, next + 1));
}

static bool is_operand(char c)
{
	return is_of_word(c) || (c && strchr("()-.$\"'", c));
}

static void comparison(struct scan *s)
{
	bool less = s->text[s->at] == '<';

	if (less && scan_at(s, s->at + 1) == '3' &&
	    !is_of_word(scan_at(s, s->at + 2)) && is_space(scan_before(s)) &&
	    !is_digit(left_of(s)))
		scan_word(s, 2, "heart");
	else if (!less && is_path_of_menus(s))
		scan_rewrite(s, 1, is_space(scan_at(s, s->at + 1)) ? "," : ", ");
	else if (is_operand(left_of(s)) && is_operand(right_of(s)))
		scan_word(s, 1, less ? "less than" : "greater than");
	else
		scan_skip(s, 1);
}

/* 10^23, x^2: of the exponent's digits or letter. */
static void power(struct scan *s)
{
	size_t sign = scan_at(s, s->at + 1) == '-', n = 1 + sign;
	struct spoken_words w = {.n = 0};
	char first = scan_at(s, s->at + 1);

	if (!is_of_word(scan_before(s)) && scan_before(s) != ')') {
		scan_skip(s, 1);
		return;
	}
	while (n < NEAR && is_digit(scan_at(s, s->at + n)))
		n++;
	if (n == 2 && (first == '2' || first == '3')) {
		scan_word(s, 2, first == '2' ? "squared" : "cubed");
		return;
	}
	spoken_add_word(&w, "to the power of");
	if (sign)
		spoken_add_word(&w, "minus");
	if (n > 1 + sign)
		spoken_number(&w, s->text + s->at + 1 + sign, n - 1 - sign,
			      ' ');
	scan_words(s, n, &w);
}

/* --- dashes --- */

/* Behind a number: whether another follows, and that is all. */
static bool is_range(const struct scan *s)
{
	size_t i = s->at + 1;

	if (s->at == 0 || s->number_end != s->at)
		return false;
	i += scan_at(s, i) == '$';
	while ((scan_at(s, i) & 0x80) && i < s->at + 5)
		i++;
	if (!is_digit(scan_at(s, i)))
		return false;
	while (i < s->at + NEAR && (is_digit(scan_at(s, i)) ||
				    scan_at(s, i) == '.' ||
				    scan_at(s, i) == ','))
		i++;
	if (scan_at(s, i) == '-' && is_digit(scan_at(s, i + 1)))
		return false;
	/* Nor was there one before. */
	for (i = s->at; i > 0 && s->at - i < NEAR &&
			(is_of_word(s->text[i - 1]) || s->text[i - 1] == '.');)
		i--;
	return i == 0 || s->text[i - 1] != '-' || i == 1 ||
	       !is_digit(s->text[i - 2]);
}

static void dash(struct scan *s)
{
	char before = scan_before(s), after = scan_at(s, s->at + 1);
	size_t n = 2;

	if (after == '-') {
		while (scan_at(s, s->at + n) == '-')
			n++;
		/* "yes--no" is two words. */
		scan_rewrite(s, n, is_space(before) ? "," : ", ");
		return;
	}
	if (is_space(before) && (is_space(after) || !after))
		scan_rewrite(s, 1, ",");
	else if (is_letter(before) && is_letter(after))
		scan_keep(s, 1);
	else if (is_range(s))
		scan_word(s, 1, "to");
	else
		scan_rewrite(s, 1, " ");
}

/* --- the rest --- */

/* ".bashrc", "./configure" */
static bool is_dot(const struct scan *s)
{
	char before = scan_before(s), after = scan_at(s, s->at + 1);

	return (is_space(before) || before == '(' || before == '/') &&
	       ((after >= 'a' && after <= 'z') || after == '/');
}

/* C#, F#. */
static bool is_sharp(const struct scan *s)
{
	char before = scan_before(s);

	return before >= 'A' && before <= 'G' &&
	       (s->at == 1 || !is_of_word(s->text[s->at - 2])) &&
	       !is_of_word(scan_at(s, s->at + 1));
}

void scan_mark(struct scan *s)
{
	char c = s->text[s->at], before = scan_before(s);
	char after = scan_at(s, s->at + 1);
	const char *name = spoken_symbol(c, false);

	if (operator(s) > 0)
		return;
	if (c == '-')
		dash(s);
	else if (c == '\'' && is_letter(before) && is_letter(after))
		scan_keep(s, 1);
	else if (c == '(' || c == ')')
		scan_keep(s, 1);
	else if (c == '.' && is_dot(s))
		scan_word(s, 1, "dot");
	else if (is_stop(c))
		stops(s);
	else if (c == '#' && is_sharp(s))
		scan_word(s, 1, "sharp");
	else if (c == '#' && is_letter(after))
		scan_word(s, 1, "hashtag");
	else if (c == '<' || c == '>')
		comparison(s);
	else if (c == '^')
		power(s);
	else if (c == '~' && is_digit(after))
		scan_word(s, 1, is_digit(before) ? "to" : "about");
	else if (c == '*' && is_operand(left_of(s)) && is_operand(right_of(s)))
		scan_word(s, 1, "times");
	else if (c == '_' || c == '|')
		scan_rewrite(s, 1, " ");
	else if (name)
		scan_word(s, 1, name);
	else
		scan_skip(s, 1);
}
