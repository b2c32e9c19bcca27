/* SPDX-License-Identifier: MIT */
/* English as it is read aloud (spoken.h). */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unicode/utf8.h>

#include "bark.h"
#include "spoken.h"
#include "tap.h"

static const struct {
	const char *name;
	const char *pairs[40][2]; /* written, spoken */
} groups[] = {
	{"numbers",
	 {{"I have 3 cats.", "I have three cats."},
	  {"1,234,567 people", "one million two hundred thirty four thousand "
			       "five hundred sixty seven people"},
	  {"Pi is 3.14159.", "Pi is three point one four one five nine."},
	  {"It is -5 outside", "It is minus five outside"},
	  {"3000 words", "three thousand words"},
	  {"agent 007", "agent zero zero seven"},
	  {"the 1st, 2nd and 21st", "the first, second and twenty first"},
	  {"10-20 items", "ten to twenty items"},
	  {"version 1.2.10", "version one dot two dot ten"},
	  {"1/2 cup and 3/4 mile", "one half cup and three quarters mile"},
	  {"call 555-0123 now", "call five five five, zero one two three now"},
	  {"item #7", "item number seven"},
	  {"an MP3 file", "an M P three file"},
	  {"Order 12345678901234567890", "Order one two three four five six "
					 "seven eight nine zero one two three "
					 "four five six seven eight nine "
					 "zero"}}},
	{"dates and times",
	 {{"on 2026-11-25", "on November twenty fifth, twenty twenty six"},
	  {"on 12/31/1999.", "on December thirty first, nineteen ninety nine."},
	  {"in 1984", "in nineteen eighty four"},
	  {"the 1980s", "the nineteen eighties"},
	  {"May 5, 2005", "May five, two thousand five"},
	  {"1914-1918", "nineteen fourteen to nineteen eighteen"},
	  {"At 10:30.", "At ten thirty."},
	  {"at 9:05 pm", "at nine oh five p m"},
	  {"at 9 a.m. we left", "at nine a m we left"},
	  {"at 6:00", "at six o'clock"},
	  {"until 5pm.", "until five p m."}}},
	{"money and units",
	 {{"It costs $5.", "It costs five dollars."},
	  {"$1", "one dollar"},
	  {"$19.99", "nineteen dollars and ninety nine cents"},
	  {"$0.50", "fifty cents"},
	  {"$3.5 million", "three point five million dollars"},
	  {"\u20ac20 or 20\u20ac", "twenty euros or twenty euros"},
	  {"50% off", "fifty percent off"},
	  {"20\u00b0C today", "twenty degrees Celsius today"},
	  {"5 km away", "five kilometers away"},
	  {"a 16GB disk", "a sixteen gigabytes disk"},
	  {"1 kg", "one kilogram"}}},
	{"abbreviations",
	 {{"Dr. Smith met Mrs. Jones.", "Doctor Smith met Missus Jones."},
	  {"12 Oak St.", "twelve Oak Street."},
	  {"St. Peter", "Saint Peter"},
	  {"cats, dogs, etc.", "cats, dogs, et cetera."},
	  {"fruit, e.g. apples", "fruit, for example apples"},
	  {"the U.S. Senate", "the U S Senate"},
	  {"No. 5", "number five"},
	  {"No. I will not.", "No. I will not."},
	  {"Meet me on Dec. 3", "Meet me on December three"}}},
	{"capitals",
	 {{"the USA and the FBI", "the U S A and the F B I"},
	  {"an HTML page", "an H T M L page"},
	  {"NASA said", "nasa said"},
	  {"STOP DOING THAT NOW", "stop doing that now"},
	  {"It is NOT here.", "It is not here."},
	  {"two CPUs", "two C P U's"},
	  {"OK", "OK"},
	  {"I am here", "I am here"},
	  {"A", "A"}}},
	{"addresses",
	 {{"See https://example.org/docs/ now",
	   "See example dot org slash docs now"},
	  {"mail anna@example.com.", "mail anna at example dot com."},
	  {"open report.pdf", "open report dot p d f"},
	  {"The end.Next one", "The end.Next one"}}},
	{"symbols",
	 {{"Tom & Anna", "Tom and Anna"},
	  {"\"Well\", he said", "Well, he said"},
	  {"What?!", "What?"},
	  {"Wait... what", "Wait. what"},
	  {"a well-known man", "a well-known man"},
	  {"yes -- no", "yes , no"},
	  {"yes \u2014 no\u2014never", "yes , no, never"},
	  {"pages 10\u201320", "pages ten to twenty"},
	  {"[laughs] Hello", " Hello"},
	  {"#barkd rules", "hashtag barkd rules"},
	  {"it\u2019s caf\u00e9 time", "it's cafe time"},
	  {"\u041c\u043e\u0441\u043a\u0432\u0430", "Moskva"},
	  {"Stra\u00dfe", "Strasse"},
	  {"*", "star"},
	  {" . ", " dot "},
	  {"2 + 2 = 4", "two plus two equals four"}}},
	{"plain text",
	 {{"", ""},
	  {"The quick brown fox, isn't it? Yes!\nNext.",
	   "The quick brown fox, isn't it? Yes!\nNext."}}},
};

static void test_pairs(void)
{
	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
		size_t wrong = 0;

		for (size_t i = 0; groups[g].pairs[i][0]; i++) {
			const char *text = groups[g].pairs[i][0];
			const char *want = groups[g].pairs[i][1];
			struct bark_spoken s;
			int r = bark_spoken_make(&s, text, strlen(text));

			if (r < 0 || strcmp(s.text, want) != 0) {
				tap_not_ok(groups[g].name,
					   "\"%s\" gave \"%s\" (%d), not "
					   "\"%s\"",
					   text, r < 0 ? "" : s.text, r, want);
				wrong++;
			}
			bark_spoken_clear(&s);
		}
		if (wrong == 0)
			tap_ok(groups[g].name);
	}
}

/* --- the table --- */

/* "\\n" becomes a new line. */
static void unescape(char *s)
{
	for (char *at = s; (at = strstr(at, "\\n")); at++) {
		*at = '\n';
		memmove(at + 1, at + 2, strlen(at + 2) + 1);
	}
}

static size_t check_line(const char *group, char *line)
{
	char *want = strchr(line, '\t');
	struct bark_spoken s;
	size_t wrong = 0;
	int r;

	if (!want) {
		tap_not_ok(group, "no tab in \"%s\"", line);
		return 1;
	}
	*want++ = '\0';
	unescape(line);
	unescape(want);
	r = bark_spoken_make(&s, line, strlen(line));
	if (r < 0 || strcmp(s.text, want) != 0) {
		tap_not_ok(group, "\"%s\" gave \"%s\" (%d), not \"%s\"", line,
			   r < 0 ? "" : s.text, r, want);
		wrong = 1;
	}
	bark_spoken_clear(&s);
	return wrong;
}

static void test_table(const char *root)
{
	char path[4096], line[1024], group[64] = "";
	size_t wrong = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/unit/spoken.tsv", root);
	f = fopen(path, "re");
	TAP_CHECK("the table", f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "## ", 3) == 0) {
			if (*group && wrong == 0)
				tap_ok(group);
			snprintf(group, sizeof(group), "%.60s", line + 3);
			wrong = 0;
		} else if (*group && *line) {
			wrong += check_line(group, line);
		}
	}
	if (wrong == 0)
		tap_ok(group);
	fclose(f);
}

/* Letters, digits and signs of a line up to a tab or " (", one space between
 * words: how numbers are joined and sentences are parted is not compared. */
static void words_of(char *ret, size_t room, const char *line)
{
	size_t n = 0;

	for (; *line && *line != '\t' && strncmp(line, " (", 2) != 0; line++) {
		if (n + 2 > room)
			break;
		if (!strchr(" ,.!?;:-", *line))
			ret[n++] = (char)tolower((unsigned char)*line);
		else if (n > 0 && ret[n - 1] != ' ')
			ret[n++] = ' ';
	}
	while (n > 0 && ret[n - 1] == ' ')
		n--;
	ret[n] = '\0';
}

/* Beside the project: what people wrote, and what had to be heard. */
static void test_reported(const char *root)
{
	const char *name = "reported texts";
	char path[4096], line[1024], want[1024], got[1024];
	size_t n = 0, wrong = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/../shared/faults/spoken.tsv", root);
	f = fopen(path, "re");
	if (!f) {
		tap_skip(name, "they are not here");
		return;
	}
	while (fgets(line, sizeof(line), f)) {
		char *tab = strchr(line, '\t');
		struct bark_spoken s;

		line[strcspn(line, "\n")] = '\0';
		if (!tab || strncmp(line, "# ", 2) == 0)
			continue;
		words_of(want, sizeof(want), tab + 1);
		TAP_CHECK(name, bark_spoken_make(&s, line,
						 (size_t)(tab - line)) == 0);
		words_of(got, sizeof(got), s.text);
		bark_spoken_clear(&s);
		n++;
		if (strcmp(got, want) == 0)
			continue;
		printf("# \"%.*s\" gave \"%s\", not \"%s\"\n",
		       (int)(tab - line), line, got, want);
		wrong++;
	}
	fclose(f);
	TAP_CHECK(name, n > 20 && wrong == 0);
	tap_ok(name);
}

/* --- places --- */

static bool stands(const struct bark_spoken *s, const char *text,
		   const char *spoken, const char *written)
{
	const char *at = strstr(s->text, spoken);
	size_t begin, end;

	if (!at)
		return false;
	begin = (size_t)(at - s->text);
	bark_spoken_source(s, begin, begin + strlen(spoken), &begin, &end);
	return end - begin == strlen(written) &&
	       strncmp(text + begin, written, end - begin) == 0;
}

static void test_places(void)
{
	const char *name = "places in the written text";
	const char *text = "Dr. Smith paid $19.99. He left at 9:05 pm, glad.";
	struct bark_spoken s;

	bark_spoken_make(&s, text, strlen(text));
	TAP_CHECK(name, stands(&s, text, "Smith", "Smith"));
	TAP_CHECK(name, stands(&s, text, "Doctor Smith", "Dr. Smith"));
	TAP_CHECK(name, stands(&s, text, "dollars and", "$19.99"));
	TAP_CHECK(name, stands(&s, text, "glad", "glad"));
	TAP_CHECK(name, stands(&s, text, "He left at nine oh",
			       "He left at 9:05 pm"));
	bark_spoken_clear(&s);

	text = "Caf\u00e9s \uff28\uff49, 10\u00b2\u00b3 \u00bd [Tea](a.b) "
	       "\U0001f389 e\u0301t\u00e9";
	bark_spoken_make(&s, text, strlen(text));
	TAP_CHECK(name, stands(&s, text, "Cafes", "Caf\u00e9s"));
	TAP_CHECK(name, stands(&s, text, "Hi", "\uff28\uff49"));
	TAP_CHECK(name, stands(&s, text, "ten to the power of twenty three",
			       "10\u00b2\u00b3"));
	TAP_CHECK(name, stands(&s, text, "one half", "\u00bd"));
	TAP_CHECK(name, stands(&s, text, "Tea", "Tea"));
	TAP_CHECK(name, stands(&s, text, "party popper", "\U0001f389"));
	TAP_CHECK(name, stands(&s, text, "ete", "e\u0301t\u00e9"));
	bark_spoken_clear(&s);
	tap_ok(name);
}

static void test_limits(void)
{
	const char *name = "too much to say, or no UTF-8";
	size_t n = BARK_TEXT_MAX;
	char *digits = malloc(n);
	struct bark_spoken s;

	for (size_t i = 0; i < n; i++)
		digits[i] = i % 4 < 3 ? '7' : ' ';
	TAP_CHECK(name, bark_spoken_make(&s, digits, n) == -E2BIG);
	bark_spoken_clear(&s);
	TAP_CHECK(name, bark_spoken_make(&s, "a\xff", 2) == -EILSEQ);
	bark_spoken_clear(&s);
	free(digits);
	tap_ok(name);
}

/* What takes time in proportion to its square would not end. */
static void test_hostile(void)
{
	static const char *const parts[] = {
		"7", "1.", "1-", "7,", "a.", "A.", "A", "a/", "a.b/", "[a",
		"\xc3\xa9", "\xd0\x9c", "#", "$1", "-", "1:", "AB ",
		"[", "](", "[a](b", "<", "<b", "|", "\n- ", "\n|", "`", "~1",
		"$1-", "1/2 ", "^2", "->", "\n#", "--", "\n--", "a>", "1e",
		"*", "\u00b2", "\u00bd", "\u2605\u2606", "\U0001f389",
		"\U0001f389\ufe0f", "\ufe0f", "\u3002", "\u2014", "\u4e2d",
		"\u0301", "\ufdfa", "\U0001f1e6", "\u20ac-", "&amp;", "IT ",
	};
	const size_t n = BARK_TEXT_MAX;
	char *text = malloc(n);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t len = 0, n_part = strlen(parts[i]);
		struct bark_spoken s;
		int r;

		for (; len + n_part <= n; len += n_part)
			memcpy(text + len, parts[i], n_part);
		r = bark_spoken_make(&s, text, len);
		bark_spoken_clear(&s);
		TAP_CHECK(parts[i], r == 0 || r == -E2BIG);
	}
	free(text);
	tap_ok("hostile texts");
}

/* Every text ends, and every place is within the written one. */
static void test_noise(void)
{
	static const char letters[] = "aA1.,:/-$%@#'[]() \n\xc3\xa9Zz09M"
				      "<>|*`~^&=_\xc2\xb2\xbd\xe2\x80\x94";
	unsigned seed = 1;
	size_t wrong = 0;

	for (int k = 0; k < 20000; k++) {
		char text[24];
		size_t n = 0, begin, end;
		struct bark_spoken s;
		int r;

		while (n < sizeof(text)) {
			seed = seed * 1664525 + 1013904223;
			text[n++] = letters[(seed >> 16) %
					    (sizeof(letters) - 1)];
		}
		r = bark_spoken_make(&s, text, n);
		if (r == 0) {
			bark_spoken_source(&s, 0, s.len, &begin, &end);
			wrong += begin > end || end > n ||
				 strlen(s.text) != s.len;
		}
		wrong += r < 0 && r != -EILSEQ;
		bark_spoken_clear(&s);
	}
	TAP_CHECK("20,000 random texts", wrong == 0);
	tap_ok("20,000 random texts");
}

/* A text that has any character of Unicode ends, assigned or not. */
static void test_characters(void)
{
	const char *name = "every character";
	UChar32 c = 0;

	while (c <= 0x10ffff) {
		struct bark_spoken s;
		char text[256];
		int32_t n = 0;
		int r;

		for (; c <= 0x10ffff && n + 8 < (int32_t)sizeof(text); c++) {
			if (U_IS_SURROGATE(c))
				continue;
			text[n++] = 'x';
			U8_APPEND_UNSAFE(text, n, c);
			text[n++] = ' ';
		}
		r = bark_spoken_make(&s, text, (size_t)n);
		bark_spoken_clear(&s);
		TAP_CHECK(name, r == 0);
	}
	tap_ok(name);
}

int main(int argc, char **argv)
{
	test_pairs();
	test_table(argc > 1 ? argv[1] : ".");
	test_reported(argc > 1 ? argv[1] : ".");
	test_places();
	test_limits();
	test_noise();
	test_hostile();
	test_characters();
	return tap_failed;
}
