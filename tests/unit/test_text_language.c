/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "language.h"
#include "tap.h"

static const struct {
	const char *text, *told, *want;
} cases[] = {
	{"Good morning.", NULL, ""},
	{"Guten Morgen.", "de-AT", "de-AT"},
	{"Guten Morgen.", "en-US", "en-US"},
	{"42", "de", "de"},
	{"", NULL, ""},
	/* by script, whatever was told */
	{"Доброе утро, друзья!", NULL, "ru"},
	{"Доброе утро, друзья!", "en-US", "ru"},
	{"Доброго ранку", "uk", "uk"},
	{"Добро јутро", "sr", "sr"},
	{"Καλημέρα σας", "en", "el"},
	{"おはようございます", NULL, "ja"},
	{"東京都の天気予報", "en-us", "ja"},
	{"早上好，朋友们", "en", "zh"},
	{"早上好，朋友们", "ja", "ja"},
	{"안녕하세요", NULL, "ko"},
	{"नमस्ते दोस्तों", "en", "hi"},
	{"صباح الخير", "en", "ar"},
	{"صبح بخیر", "fa", "fa"},
	{"שלום לכולם", NULL, "he"},
	{"ж", "en-us", "ru"},
	/* Latin letters contradict no language */
	{"Firefox", "ru", "ru"},
	{"Dobro jutro", "sr", "sr"},
	/* a word or a sign among others changes nothing */
	{"The word привет is Russian.", "en", "en"},
	{"Angle α is 30°", NULL, ""},
	{"10 Ω", "en", "en"},
	{"\xce\xb1 = 3", NULL, ""},
	/* a language that nobody knows */
	{"Привет всем", "xx-nonsense", "xx-nonsense"},
	{"Hello", "a language of far too many letters", "a language of f"},
};

static void test_texts(void)
{
	static const char name[] = "the language of a text";
	char got[LANGUAGE_ROOM], long_text[9000];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		language_of_text(got, cases[i].text, strlen(cases[i].text),
				 cases[i].told);
		if (strcmp(got, cases[i].want) != 0)
			fprintf(stderr, "%s (%s): \"%s\", not \"%s\"\n",
				cases[i].text, cases[i].told, got,
				cases[i].want);
		TAP_CHECK(name, strcmp(got, cases[i].want) == 0);
	}
	/* Cut within a character, and no UTF-8 at all. */
	for (size_t i = 0; i + 1 < sizeof(long_text); i += 2)
		memcpy(long_text + i, "\xd1\x84", 2);
	language_of_text(got, long_text, 4001, "en");
	TAP_CHECK(name, strcmp(got, "ru") == 0);
	memset(long_text, 0xff, sizeof(long_text));
	language_of_text(got, long_text, sizeof(long_text), "en");
	TAP_CHECK(name, strcmp(got, "en") == 0);
	TAP_CHECK(name, language_same("de-AT", "DE"));
	TAP_CHECK(name, !language_same("de", "den") && !language_same(NULL, "de"));
	tap_ok(name);
}

int main(void)
{
	test_texts();
	return tap_failed;
}
