/* SPDX-License-Identifier: MIT */
/* What Speech Dispatcher sends, and what barkd is asked to say. */
#include "settings.h"
#include "text.h"
#include "types.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

/* The parts, each in brackets with its marks: "[One.|a|]b" is a part at whose
 * end a mark b is reached, with a mark inside. */
static char *parts_of(const char *ssml, const struct text_style *style)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);
	struct text t;

	if (!f || text_parse(&t, ssml, style, "en") < 0)
		return NULL;
	for (size_t i = 0; i < t.n; i++) {
		const struct text_part *p = &t.parts[i];
		size_t at = 0;

		if (p->pause_ms)
			fprintf(f, "%u", p->pause_ms);
		fputs(p->language, f);
		fputc('[', f);
		for (size_t k = 0; k < p->n_marks; k++) {
			fprintf(f, "%.*s|%s|", (int)(p->marks[k].at - at),
				p->text + at, p->marks[k].name);
			at = p->marks[k].at;
		}
		fprintf(f, "%s]%s", p->text + at, p->mark ? p->mark : "");
	}
	text_clear(&t);
	return fclose(f) == 0 ? out : NULL;
}

static bool parts_are(const char *ssml, const struct text_style *style,
		      const char *wanted)
{
	char *got = parts_of(ssml, style);
	bool same = got && strcmp(got, wanted) == 0;

	if (!same)
		printf("# \"%s\" became \"%s\" instead of \"%s\"\n", ssml,
		       got ? got : "nothing", wanted);
	free(got);
	return same;
}

#define SPD(n) "<mark name=\"__spd_" n "\"/>"

static void test_parts(void)
{
	static const struct {
		const char *ssml, *wanted;
	} cases[] = {
		{"", "[]"},
		{"<speak>One." SPD("0") " Two!" SPD("1") " Three</speak>",
		 "[One.]__spd_0[ Two!]__spd_1[ Three]"},
		/* Not every full stop ends a sentence. */
		{"<speak>Mr." SPD("0") " Jones met Dr." SPD("1")
		 " Lee at 5 p.m." SPD("2") " sharp.</speak>",
		 "[Mr.|__spd_0| Jones met Dr.|__spd_1| Lee at 5 p.m."
		 "|__spd_2| sharp.]"},
		{"<mark name=\"0:3\"/>Prof." SPD("0")
		 " <mark name=\"6:9\"/>Hill left." SPD("1") "</speak>",
		 "[|0:3|Prof.|__spd_0| |6:9|Hill left.]__spd_1"},
		{"One.<break time=\"2s\"/>Two<break time='1s'/>",
		 "[One.]2000[Two]1000[]"},
		{"<mark name='a'/>", "[|a|]"},
		{"Say <lang xml:lang='de'>Hallo." SPD("0") " Du</lang> now",
		 "[Say ]de[Hallo.]__spd_0de[ Du ][now]"},
		/* As Speech Dispatcher's symbols leave numbers. */
		{"Pi is 3 .14 or 3 ,145." SPD("0") " Then 10 .0 .0 .1 costs $7 .25",
		 "[Pi is 3.14 or 3,145.]__spd_0[ Then 10.0.0.1 costs $7.25]"},
		{"5  .5, a .5, 5 . 5 and 1 .x", "[5  .5, a .5, 5 . 5 and 1 .x]"},
		{"1 .5<mark name='m'/> 2 .5 " SPD("0") "3 .5",
		 "[1.5|m| 2.5 |__spd_0|3.5]"},
	};
	const struct text_style plain = {0};
	const char *name = "speechd: parts, marks and numbers";
	bool good = true;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		good &= parts_are(cases[i].ssml, &plain, cases[i].wanted);
	TAP_CHECK(name, good);
	tap_ok(name);
}

static void test_style(void)
{
	const struct text_style capitals = {.capitals = true};
	const struct text_style spelled = {.spell = true, .capitals = true};
	const struct text_style some = {.punctuation = PUNCT_SOME};
	const char *name = "speechd: punctuation, spelling and capitals";

	TAP_CHECK(name, parts_are("Big ABC of my iPad, \xc3\x89t\xc3\xa9.",
				  &capitals,
				  "[capital Big capital ABC of my i capital Pad,"
				  " capital \xc3\x89t\xc3\xa9.]"));
	TAP_CHECK(name, parts_are("aB c", &spelled, "[a, capital B, c, ]"));
	TAP_CHECK(name, parts_are("a+b &lt;", &some, "[a plus b <]"));
	TAP_CHECK(name, parts_are("<say-as interpret-as='tts:char'>A</say-as>",
				  &capitals, "[capital A, ]"));
	tap_ok(name);
}

static void test_short(void)
{
	static const struct {
		const char *ssml;
		bool is_short;
	} cases[] = {
		{"<speak><mark name=\"0:1\"/>t </speak>", true},
		{"<speak><mark name=\"0:5\"/>left <mark name=\"5:9\"/>shift "
		 "</speak>", true},
		{"<speak> right arrow </speak>", true},
		{"<speak>Hello there.</speak>", false},
		{"<speak>This is more than a key</speak>", false},
		{"<speak></speak>", false},
		{"<speak>a<break/>b</speak>", false},
	};
	const struct text_style plain = {0};
	const char *name = "speechd: what is echoed";

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct text t;

		TAP_CHECK(name, text_parse(&t, cases[i].ssml, &plain, NULL) ==
					0);
		TAP_CHECK(name, text_is_short(&t) == cases[i].is_short);
		text_clear(&t);
	}
	tap_ok(name);
}

static void test_settings(void)
{
	static const char *const keys[] = {
		"rate", "pitch", "volume", "language", "voice",
		"synthesis_voice", "punctuation_mode", "spelling_mode",
		"cap_let_recogn", "no_such_key",
	};
	const char *name = "speechd: no setting is refused";
	struct settings s;
	char longest[300];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	settings_init(&s);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		settings_set(&s, keys[i], longest);
		settings_set(&s, keys[i], "");
	}
	TAP_CHECK(name, s.rate == 0 && s.volume == 100 && !*s.language &&
				!*s.voice && !*s.type);
	settings_set(&s, "rate", "300");
	settings_set(&s, "pitch", "-101");
	TAP_CHECK(name, s.rate == 100 && s.pitch == -100);
	settings_set(&s, "synthesis_voice", "Default");
	settings_set(&s, "language", "c");
	TAP_CHECK(name, !*s.voice && !*s.language);
	settings_set(&s, "cap_let_recogn", "icon");
	TAP_CHECK(name, s.style.capitals);
	settings_set(&s, "cap_let_recogn", "loud");
	TAP_CHECK(name, !s.style.capitals);
	tap_ok(name);
}

static bool type_is(const struct types *t, const char *language,
		    const char *type, const char *wanted, double wanted_pitch)
{
	double pitch = 1;
	const char *got = types_voice(t, language, type, &pitch);

	if ((got == wanted || (got && wanted && strcmp(got, wanted) == 0)) &&
	    fabs(pitch - wanted_pitch) < 1e-9)
		return true;
	printf("# %s %s is %s, %g\n", language, type, got ? got : "nobody",
	       pitch);
	return false;
}

static void test_types(void)
{
	static const char json[] =
		"[{\"name\":\"a\",\"language\":null,\"gender\":\"male\"},"
		"{\"name\":\"own\",\"language\":\"en\",\"gender\":\"female\","
		"\"default\":true},"
		"{\"name\":\"b\",\"language\":\"en\",\"gender\":\"male\"},"
		"{\"name\":\"x\",\"language\":\"de\",\"gender\":null}]";
	const char *name = "speechd: voice types";
	struct types t = {0};

	TAP_CHECK(name, type_is(&t, "en", "female1", NULL, 1));
	types_read(&t, "no json");
	types_read(&t, json);
	TAP_CHECK(name, t.n == 4);
	/* What the server asks for where nobody has chosen. */
	TAP_CHECK(name, type_is(&t, "en-us", "male1", NULL, 1));
	TAP_CHECK(name, type_is(&t, "en-us", "male", NULL, 1));
	TAP_CHECK(name, type_is(&t, "en-us", "MALE2", "a", 1));
	TAP_CHECK(name, type_is(&t, "", "male3", "b", 1));
	TAP_CHECK(name, type_is(&t, "en", "female1", "own", 1));
	TAP_CHECK(name, type_is(&t, "en", "female2", "own", 1.12));
	TAP_CHECK(name, type_is(&t, "en", "child_male", "a", 1.35));
	TAP_CHECK(name, type_is(&t, "en", "child_female", "own", 1.35));
	TAP_CHECK(name, type_is(&t, "de", "female2", "x", 1.12));
	TAP_CHECK(name, type_is(&t, "fr", "female2", NULL, 1));
	TAP_CHECK(name, type_is(&t, "en", "nonsense", NULL, 1));
	types_clear(&t);
	tap_ok(name);
}

int main(void)
{
	test_parts();
	test_style();
	test_short();
	test_settings();
	test_types();
	return tap_failed;
}
