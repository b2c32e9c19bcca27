/* SPDX-License-Identifier: MIT */
/* What a text has for the eye: Markdown, tags of HTML, cues for Bark. */
#include "spoken_scan.h"

#include <string.h>
#include <strings.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))
/* How far is looked, so that no text takes long, bytes. */
#define INDENT_MAX 32
#define LINE_MAX_LOOKED 400
#define BRACKETS_MAX 200
#define ADDRESS_MAX 500
#define TAG_MAX 300

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t skip_blanks(const struct scan *s, size_t i)
{
	for (size_t n = 0; n < INDENT_MAX && is_blank(scan_at(s, i)); n++)
		i++;
	return i;
}

/* Where `c` stands behind i on the same line, 0: not near. */
static size_t find(const struct scan *s, size_t i, char c, size_t most)
{
	for (size_t n = 0; n < most && i < s->len && s->text[i] != '\n';
	     n++, i++)
		if (s->text[i] == c)
			return i;
	return 0;
}

/* --- lines --- */

static size_t line_end(const struct scan *s, size_t i)
{
	const char *end = memchr(s->text + i, '\n', s->len - i);

	return end ? (size_t)(end - s->text) : s->len;
}

/* A line of dashes and the like: under a title, between parts, in a table.
 * Returns where it ends, 0: it is none. */
static size_t rule_end(const struct scan *s, size_t i)
{
	size_t marks = 0, begin = i;

	for (; i < s->len && s->text[i] != '\n'; i++) {
		if (i - begin > LINE_MAX_LOOKED ||
		    !strchr("-*_=|:+#~ \t\r", s->text[i]))
			return 0;
		marks += !is_blank(s->text[i]) && s->text[i] != '\r';
	}
	return marks >= 3 ? i : 0;
}

static size_t fence(const struct scan *s, size_t i)
{
	char c = scan_at(s, i);

	return (c == '`' || c == '~') && scan_at(s, i + 1) == c &&
			       scan_at(s, i + 2) == c
		       ? line_end(s, i) - i
		       : 0;
}

static size_t heading(const struct scan *s, size_t i)
{
	size_t n = 0;

	while (n < 7 && scan_at(s, i + n) == '#')
		n++;
	return n > 0 && n < 7 && is_blank(scan_at(s, i + n)) ? n + 1 : 0;
}

static size_t quote(const struct scan *s, size_t i)
{
	size_t n = 0;

	while (n < INDENT_MAX &&
	       (scan_at(s, i + n) == '>' ||
		(n > 0 && is_blank(scan_at(s, i + n)))))
		n++;
	return n > 0 && is_blank(scan_at(s, i + n - 1)) ? n : 0;
}

static size_t item(const struct scan *s, size_t i)
{
	char c = scan_at(s, i);

	return (c == '-' || c == '*' || c == '+') &&
			       is_blank(scan_at(s, i + 1))
		       ? 2
		       : 0;
}

/* "1. ", "12) ": its digits. */
static size_t numbered(const struct scan *s, size_t i)
{
	size_t n = 0;
	char c;

	while (n < 4 && is_digit(scan_at(s, i + n)))
		n++;
	c = scan_at(s, i + n);
	return n > 0 && n < 4 && (c == '.' || c == ')') &&
			       is_blank(scan_at(s, i + n + 1)) &&
			       is_letter(scan_at(s, i + n + 2))
		       ? n
		       : 0;
}

/* Whether a line begins at i that is a part of its own. */
static bool is_part(const struct scan *s, size_t i)
{
	i = skip_blanks(s, i);
	return fence(s, i) || heading(s, i) || item(s, i) || numbered(s, i) ||
	       scan_at(s, i) == '|' || rule_end(s, i);
}

void scan_newline(struct scan *s)
{
	const struct bark_spoken *o = s->out;
	size_t n = o->len;
	char last;
	bool ends = s->in_item || is_part(s, s->at + 1);

	s->in_item = false;
	while (n > 0 && o->len - n < INDENT_MAX && is_blank(o->text[n - 1]))
		n--;
	last = n > 0 ? o->text[n - 1] : ' ';
	if (ends && (is_of_word(last) || last == ')' || last == '\''))
		scan_rewrite(s, 1, ".\n");
	else
		scan_keep(s, 1);
}

/* "- [x] done" */
static void take_box(struct scan *s)
{
	const char *text = s->text + s->at;

	if (s->len - s->at < 4 || text[0] != '[' || text[2] != ']' ||
	    !is_blank(text[3]))
		return;
	if (text[1] == ' ')
		scan_rewrite(s, 4, "unchecked, ");
	else if (text[1] == 'x' || text[1] == 'X')
		scan_rewrite(s, 4, "checked, ");
}

static bool begins_line(const struct scan *s)
{
	size_t i = s->at;

	while (i > 0 && s->at - i < INDENT_MAX && is_blank(s->text[i - 1]))
		i--;
	return i == 0 || s->text[i - 1] == '\n';
}

bool scan_line(struct scan *s)
{
	struct spoken_words w = {.n = 0};
	size_t n;

	/* Nothing else begins one of these. */
	if (!strchr("#>-*+|`~=_:0123456789", s->text[s->at]) ||
	    !begins_line(s))
		return false;
	n = fence(s, s->at);
	if (n == 0 && rule_end(s, s->at) > 0)
		n = rule_end(s, s->at) - s->at;
	if (n == 0)
		n = quote(s, s->at);
	if (n > 0) {
		scan_rewrite(s, n, "");
		return true;
	}
	n = numbered(s, s->at);
	if (n > 0) {
		spoken_number(&w, s->text + s->at, n, ' ');
		spoken_add_mark(&w, ',');
		s->in_item = true;
		scan_words(s, n + 1, &w);
		return true;
	}
	n = heading(s, s->at);
	if (n == 0)
		n = item(s, s->at);
	if (n == 0)
		return false;
	s->in_item = true;
	scan_rewrite(s, n, "");
	take_box(s);
	return true;
}

/* --- brackets --- */

/* What Bark makes of words in brackets, and nobody says. */
static bool is_cue(const char *text, size_t n)
{
	static const char *const cues[] = {
		"applause",  "breath",	  "breathes",	"chuckle",
		"chuckles",  "clears throat", "clear throat", "cough",
		"coughs",    "cries",	  "crying",	"gasp",
		"gasps",     "giggles",	  "groan",	"groans",
		"hesitation", "hiccup",	  "humming",	"hums",
		"laugh",     "laughing",  "laughs",	"laughter",
		"MAN",	     "music",	  "pause",	"scream",
		"screams",   "sigh",	  "sighs",	"silence",
		"singing",   "sings",	  "snort",	"snorts",
		"sniff",     "sniffs",	  "sobs",	"sob",
		"throat clearing", "whistles", "whistling", "WOMAN",
		"yawn",	     "yawns",
	};

	for (size_t i = 0; i < N(cues); i++)
		if (strlen(cues[i]) == n &&
		    (is_letter(cues[i][0]) && cues[i][0] < 'a'
			     ? strncmp(cues[i], text, n)
			     : strncasecmp(cues[i], text, n)) == 0)
			return true;
	return false;
}

static bool open_bracket(struct scan *s)
{
	size_t close = find(s, s->at + 1, ']', BRACKETS_MAX);

	if (close == 0)
		return false;
	if (is_cue(s->text + s->at + 1, close - s->at - 1)) {
		scan_skip(s, close + 1 - s->at);
		return true;
	}
	if (begins_line(s) && scan_at(s, close + 1) == ' ')
		s->label_end = close;
	scan_skip(s, 1);
	return true;
}

/* Behind a link's words: its address. */
static size_t link_end(const struct scan *s)
{
	size_t i = s->at + 1, end;

	if (scan_at(s, i) != '(')
		return 0;
	end = find(s, i, ')', ADDRESS_MAX);
	/* "[it](which is so)" has words. */
	for (i++; i < end && s->text[i] != ' ';)
		i++;
	return end > 0 && (i == end || s->text[i + 1] == '"') ? end + 1 : 0;
}

static bool close_bracket(struct scan *s)
{
	const struct bark_spoken *o = s->out;
	size_t end = link_end(s);
	char after = scan_at(s, s->at + 1);

	if (end > 0)
		scan_skip(s, end - s->at);
	else if (o->len > 0 && is_of_word(o->text[o->len - 1]) &&
		 (s->at == s->label_end ||
		  (after == ' ' && scan_at(s, s->at + 2) == '[')))
		scan_rewrite(s, 1, ",");
	else
		scan_skip(s, 1);
	return true;
}

/* --- tags --- */

/* 'i': within words; 'b': between parts of a text; 0: it is no tag. */
static char tag_kind(const char *text, size_t n)
{
	static const struct {
		const char *name;
		char kind;
	} tags[] = {
		{"a", 'i'},	 {"b", 'i'},	  {"big", 'i'},
		{"blockquote", 'b'}, {"br", 'b'}, {"center", 'b'},
		{"code", 'i'},	 {"del", 'i'},	  {"div", 'b'},
		{"em", 'i'},	 {"font", 'i'},	  {"h1", 'b'},
		{"h2", 'b'},	 {"h3", 'b'},	  {"h4", 'b'},
		{"h5", 'b'},	 {"h6", 'b'},	  {"hr", 'b'},
		{"i", 'i'},	 {"img", 'b'},	  {"ins", 'i'},
		{"kbd", 'i'},	 {"li", 'b'},	  {"mark", 'i'},
		{"ol", 'b'},	 {"p", 'b'},	  {"pre", 'b'},
		{"q", 'i'},	 {"s", 'i'},	  {"small", 'i'},
		{"span", 'i'},	 {"strike", 'i'}, {"strong", 'i'},
		{"sub", 'i'},	 {"sup", 'i'},	  {"table", 'b'},
		{"tbody", 'b'},	 {"td", 'b'},	  {"th", 'b'},
		{"thead", 'b'},	 {"tr", 'b'},	  {"tt", 'i'},
		{"u", 'i'},	 {"ul", 'b'},
	};

	for (size_t i = 0; i < N(tags); i++)
		if (strlen(tags[i].name) == n &&
		    strncasecmp(tags[i].name, text, n) == 0)
			return tags[i].kind;
	return 0;
}

static bool tag(struct scan *s)
{
	size_t begin = s->at + 1, n = 0, close;
	char after, kind;

	if (!is_letter(scan_at(s, begin)) && scan_at(s, begin) != '/')
		return false;
	close = find(s, begin, '>', TAG_MAX);
	if (close == 0)
		return false;
	begin += s->text[begin] == '/';
	while (is_letter(scan_at(s, begin + n)) ||
	       is_digit(scan_at(s, begin + n)))
		n++;
	after = scan_at(s, begin + n);
	kind = tag_kind(s->text + begin, n);
	if (kind && (after == '>' || after == ' ' || after == '/')) {
		if (kind == 'b')
			scan_skip(s, close + 1 - s->at);
		else
			scan_rewrite(s, close + 1 - s->at, "");
		return true;
	}
	/* "<name>", "<https://example.org>" */
	if (memchr(s->text + begin, ' ', close - begin))
		return false;
	s->skip_at = close;
	scan_skip(s, 1);
	return true;
}

/* --- within a line --- */

static bool is_before_line_end(const struct scan *s)
{
	size_t i = skip_blanks(s, s->at + 1);

	return i == s->len || s->text[i] == '\n' || s->text[i] == '\r';
}

/* Between cells. */
static bool bar(struct scan *s)
{
	if (scan_at(s, s->at + 1) == '|')
		return false;
	if (begins_line(s)) {
		s->in_item = true;
		scan_rewrite(s, 1, "");
	} else if (is_before_line_end(s)) {
		scan_rewrite(s, 1, "");
	} else {
		scan_rewrite(s, 1, is_space(scan_before(s)) ? "," : ", ");
	}
	return true;
}

/* Bold, slanted, struck out; not between numbers. */
static bool emphasis(struct scan *s)
{
	char c = s->text[s->at];
	size_t n = 1;

	while (n < 3 && scan_at(s, s->at + n) == c)
		n++;
	if (c == '~' && n == 1)
		return false;
	if (c == '*' && n == 1 && is_blank(scan_before(s)) &&
	    is_blank(scan_at(s, s->at + 1)))
		return false;
	if (c == '*' && n == 1 && is_digit(scan_before(s)) &&
	    is_digit(scan_at(s, s->at + 1)))
		return false;
	if (n > 1)
		scan_rewrite(s, n, "");
	else
		scan_skip(s, n);
	return true;
}

bool scan_markup(struct scan *s)
{
	switch (s->text[s->at]) {
	case '[':
		return open_bracket(s);
	case ']':
		return close_bracket(s);
	case '!':
		if (scan_at(s, s->at + 1) != '[')
			return false;
		scan_rewrite(s, 1, "");
		return true;
	case '<':
		return tag(s);
	case '>':
		if (s->skip_at != s->at || s->at == 0)
			return false;
		scan_skip(s, 1);
		return true;
	case '|':
		return bar(s);
	case '*':
	case '`':
	case '~':
		return emphasis(s);
	default:
		return false;
	}
}
