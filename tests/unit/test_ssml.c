/* SPDX-License-Identifier: MIT */
/* SSML as Spiel's clients send it, and worse. */
#include "ssml.h"

#include <stdio.h>
#include <string.h>

#include "tap.h"

static bool spoken(const char *text, bool markup, const char *wanted)
{
	struct ssml s;
	bool same;

	if (ssml_parse(&s, text, markup) < 0)
		return false;
	same = strcmp(s.text, wanted) == 0;
	if (!same)
		printf("# \"%s\" became \"%s\"\n", text, s.text);
	ssml_clear(&s);
	return same;
}

static void test_text(void)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{"", ""},
		{"plain", "plain"},
		{"<speak>a <b>b</b></speak>", "a b"},
		{"a<!-- <b> -->b<?x?>c<!DOCTYPE y>d", "abcd"},
		{"1 < 2 <", "1 < 2 <"},
		{"<speak", "<speak"},
		{"<!-- open", "<!-- open"},
		{"&lt;b&gt;&amp;&#65; & &x;", "<b>&A & &x;"},
	};
	const char *name = "ssml: what is spoken";
	bool good = true;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		good &= spoken(cases[i].text, true, cases[i].wanted);
	TAP_CHECK(name, good);
	TAP_CHECK(name, spoken("<b>&amp;</b>", false, "<b>&amp;</b>"));
	tap_ok(name);
}

static void test_marks(void)
{
	const char *name = "ssml: marks, and where characters came from";
	const char *text = "<mark name=\"a\"/>\xc3\xa4&amp;<mark name='b'/>"
			   "<b>x</b><mark/><mark name=/><mark name='c";
	struct ssml s;

	TAP_CHECK(name, ssml_parse(&s, text, true) == 0);
	TAP_CHECK(name, s.n_marks == 2);
	TAP_CHECK(name, strcmp(s.marks[0].name, "a") == 0 &&
				s.marks[0].at == 0);
	TAP_CHECK(name, strcmp(s.marks[1].name, "b") == 0 &&
				s.marks[1].at == 2);
	/* The letter is one character, the entity five. */
	TAP_CHECK(name, s.places[0].begin == 16 && s.places[0].end == 17);
	TAP_CHECK(name, s.places[1].begin == 17 && s.places[1].end == 22);
	TAP_CHECK(name, s.places[2].begin == 41 && s.places[2].end == 42);
	ssml_clear(&s);
	tap_ok(name);
}

int main(void)
{
	test_text();
	test_marks();
	return tap_failed;
}
