/* SPDX-License-Identifier: MIT */
/* SSML as clients of Speech Dispatcher, Spiel and Wyoming send it, and worse. */
#include "ssml.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tap.h"

/* The text with each pause, and each change of how it is spoken, in brackets:
 * "one [400] two [rate 0.5] three". */
static char *spoken(const char *text, bool markup)
{
	double rate = 1, pitch = 1, volume = 1;
	const char *language = "";
	struct ssml s;
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	if (!f || ssml_parse(&s, text, markup, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < s.n_spans; i++) {
		const struct ssml_span *span = &s.spans[i];

		if (span->pause_ms)
			fprintf(f, "[%u]", span->pause_ms);
		if (span->rate != rate)
			fprintf(f, "[rate %.3g]", span->rate);
		if (span->pitch != pitch)
			fprintf(f, "[pitch %.3g]", span->pitch);
		if (span->volume != volume)
			fprintf(f, "[volume %.3g]", span->volume);
		if (strcmp(span->language, language) != 0)
			fprintf(f, "[%s]", *span->language ? span->language
							   : "its own");
		rate = span->rate;
		pitch = span->pitch;
		volume = span->volume;
		language = span->language;
		fwrite(s.text + span->begin, 1, span->end - span->begin, f);
	}
	ssml_clear(&s);
	return fclose(f) == 0 ? out : NULL;
}

struct pair {
	const char *text, *wanted;
};

static void check_all(const char *name, const struct pair *pairs, size_t n)
{
	bool good = true;

	for (size_t i = 0; i < n; i++) {
		char *got = spoken(pairs[i].text, true);

		if (!got || strcmp(got, pairs[i].wanted) != 0) {
			printf("# \"%s\" became \"%s\" instead of \"%s\"\n",
			       pairs[i].text, got ? got : "nothing",
			       pairs[i].wanted);
			good = false;
		}
		free(got);
	}
	TAP_CHECK(name, good);
	tap_ok(name);
}

#define CHECK_ALL(name, pairs) \
	check_all(name, pairs, sizeof(pairs) / sizeof(*(pairs)))

static void test_text(void)
{
	static const struct pair pairs[] = {
		{"", ""},
		{"plain", "plain"},
		{"<speak>a <b>b</b></speak>", "a b"},
		{"<?xml version='1.0'?><!DOCTYPE speak [<!ENTITY a 'b'>]>"
		 "<speak>a<!-- <b> -->b<?x?>c<![CDATA[<d> & ]]>e</speak>",
		 "abc<d> & e"},
		{"&lt;b&gt;&amp;&#65;&#x42;&apos;&nbsp;.", "<b>&AB' ."},
		{"<speak><p>One</p><s>two</s><s>Three.</s><s>four</s></speak>",
		 "One\n\ntwo\n\nThree. four"},
		{"one<voice name='x'>two</voice><br/>three", "one two three"},
		{"<sub alias=\"World Wide &amp; Web\">WWW</sub> is",
		 "World Wide & Web is"},
		{"a <say-as interpret-as='characters'>b7</say-as>c",
		 "a b, 7, c"},
		{"<say-as interpret-as=\"ordinal\">2</say-as> "
		 "<say-as interpret-as=\"ordinal\">11</say-as>", "2nd 11th"},
		{"<say-as interpret-as='tts:key'>shift_a</say-as>", "shift a"},
		{"a<metadata>b<c>d</c></metadata><desc>e</desc>f", "a f"},
		{"<x:p>a</x:p>b", "a\n\nb"},
		{"<speak xml:lang='en-GB'>a <lang xml:lang='de'>b <b>c</b>"
		 "</lang> d</speak>", "[en-GB]a [de]b c [en-GB]d"},
		{"<p xml:lang='fr'>a</p>b", "[fr]a[its own]b"},
		{"<voice xml:lang='far-too-long-a-name-for-a-language'>a"
		 "</voice>", "a"},
	};

	CHECK_ALL("ssml: what is spoken", pairs);
}

static void test_style(void)
{
	static const struct pair pairs[] = {
		{"one<break/>two", "one[400]two"},
		{"one <break time=\"1.5s\"/><break time='250ms'/> two",
		 "one  [1750]two"},
		{"one<break strength='none'/>two<break time='1h'/>",
		 "one two[400]"},
		{"<break time='600s'/>x", "[10000]x"},
		{"a <prosody rate='slow'>b<prosody pitch='+50%'>c</prosody>"
		 "</prosody> d",
		 "a [rate 0.75]b[pitch 1.5]c [rate 1][pitch 1]d"},
		{"<prosody rate='200%' volume='-6dB' pitch='+12st'>a</prosody>",
		 "[rate 2][pitch 2][volume 0.501]a"},
		{"<prosody rate='nan' volume='inf' pitch='0x9%'>a</prosody>",
		 "a"},
		{"<prosody rate='+0x1' pitch='0X9%' volume=''>a</prosody>",
		 "a"},
		{"<prosody rate='99999'>a</prosody>", "[rate 10]a"},
		{"<prosody volume='silent'>a</prosody>", "[volume 0]a"},
		{"<emphasis level='none'>a</emphasis>"
		 "<emphasis level='strong'>b</emphasis>",
		 "a[rate 0.85][volume 1.3]b"},
		{"<prosody rate='slow'> </prosody>a", "a"},
	};

	CHECK_ALL("ssml: pauses, and how it is spoken", pairs);
}

/* None of it may be lost, nor any of it be taken for text. */
static void test_broken(void)
{
	static const struct pair pairs[] = {
		{"1 < 2 <", "1 < 2 <"},
		{"<speak", "<speak"},
		{"<!-- open", "<!-- open"},
		{"a & b &x; &#xd800; &#0; c&", "a & b &x;   c&"},
		{"a]]>b", "a]]>b"},
		{"</b>a<i>b</speak>c", "ab c"},
		{"<speak>a<b>c</speak>d<speak>e", "ac d e"},
		{"<p>a<b>c</p>d", "ac\n\nd"},
		{"<p class=x>a</p><s b b>c</s>", "a\n\nc"},
		{"a <b and <mark name='x'/>c", "a <b and c"},
		{"<a b='1' b='2'>c</a>", "c"},
		{"<sub alias='x'>y", "x"},
		{"<![CDATA[a <b>b</b>", "a b"},
		{"\x01" "a\xff" "b\xc3(", "ab("},
		{"<prosody rate='x-fast'>a & b</prosody>c",
		 "[rate 2]a & b[rate 1]c"},
	};

	CHECK_ALL("ssml: what is not well-formed", pairs);
}

static void test_marks(void)
{
	const char *name = "ssml: marks, and where characters came from";
	const char *text = "<mark name=\"a\"/>\xc3\xa4&amp;<mark name='b'/>"
			   "<b>x</b><mark/><mark name=/>"
			   "<break/><mark name='&quot;'/>"
			   "<sub alias='longer'>z</sub><mark name='c";
	struct ssml s;

	TAP_CHECK(name, ssml_parse(&s, text, true, NULL) == 0);
	TAP_CHECK(name, s.n_marks == 3 && s.n_spans == 2);
	TAP_CHECK(name, strcmp(s.marks[0].name, "a") == 0 &&
				s.marks[0].at == 0 && s.marks[0].span == 0);
	TAP_CHECK(name, strcmp(s.marks[1].name, "b") == 0 &&
				s.marks[1].at == 3 && s.marks[1].span == 0);
	/* Behind the pause, where it is heard. */
	TAP_CHECK(name, strcmp(s.marks[2].name, "\"") == 0 &&
				s.marks[2].at == 4 && s.marks[2].span == 1);
	TAP_CHECK(name, s.spans[1].begin == 4 && s.spans[1].first == 3);
	/* The letter is one character, the entity five. */
	TAP_CHECK(name, s.places[0].begin == 16 && s.places[0].end == 17);
	TAP_CHECK(name, s.places[1].begin == 17 && s.places[1].end == 22);
	TAP_CHECK(name, s.places[2].begin == 41 && s.places[2].end == 42);
	/* All of the alias comes from the letter it stands for. */
	TAP_CHECK(name, text[s.places[3].begin + 1] == 'z' &&
				s.places[3].end == s.places[3].begin + 1 &&
				s.places[8].begin == s.places[3].begin);
	ssml_clear(&s);
	ssml_clear(&s);
	tap_ok(name);
}

static void test_plain(void)
{
	const char *name = "ssml: plain text stays what it is";
	char *got = spoken("<b>&amp;</b>", false);

	TAP_CHECK(name, got && strcmp(got, "<b>&amp;</b>") == 0);
	free(got);
	tap_ok(name);
}

static size_t shout(void *data, char ret[SSML_PUT_MAX], const char *c,
		    size_t n, enum ssml_as as)
{
	return (size_t)snprintf(ret, SSML_PUT_MAX, "<%.*s%d>", (int)n, c,
				as == SSML_AS_CHARACTERS);
}

static void test_writer(void)
{
	const char *name = "ssml: a caller's own way to write characters";
	const struct ssml_writer writer = {.put = shout};
	struct ssml s;

	TAP_CHECK(name, ssml_parse(&s,
				   "a<say-as interpret-as='digits'>1</say-as>"
				   "<mark name='m'/>",
				   true, &writer) == 0);
	TAP_CHECK(name, strcmp(s.text, "<a0><11>") == 0 && s.n == 8);
	TAP_CHECK(name, s.marks[0].at == 8);
	ssml_clear(&s);
	tap_ok(name);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* n bytes of one thing over and over. */
static double time_of(const char *unit, size_t n)
{
	size_t k = strlen(unit);
	char *text = malloc(n + 1);
	struct ssml s;
	double began;
	int r;

	if (!text)
		return INFINITY;
	for (size_t i = 0; i < n; i++)
		text[i] = unit[i % k];
	text[n] = '\0';
	began = seconds();
	r = ssml_parse(&s, text, true, NULL);
	began = seconds() - began;
	free(text);
	if (r < 0)
		return INFINITY;
	ssml_clear(&s);
	return began;
}

/* No text takes much longer than others of its length. */
static void test_limits(void)
{
	static const char *const units[] = {
		"<", "&", "&#1;", "<a>", "</a>", "<a ", "<?a ", "<!-- ",
		"<![CDATA[", "<!DOCTYPE [", "<a b='", "]]>", "\xff", "\x01",
		"<mark name='a'/>", "<p>", "<break/>", "<sub alias='b'>",
	};
	const char *name = "ssml: no text takes long";
	double usual = time_of("<p>Some <b>words</b> &amp; more.</p> ", 1 << 20);
	bool good = true;

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		double t = time_of(units[i], 1 << 20);

		if (t > 20 * usual + .2) {
			printf("# \"%s\": %.2f s instead of %.2f s\n", units[i],
			       t, usual);
			good = false;
		}
	}
	TAP_CHECK(name, good);
	tap_ok(name);
}

int main(void)
{
	test_text();
	test_style();
	test_broken();
	test_marks();
	test_plain();
	test_writer();
	test_limits();
	return tap_failed;
}
