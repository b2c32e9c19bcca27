/* SPDX-License-Identifier: MIT */
#include "spoken_names.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/uloc.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

struct sign {
	UChar32 c;
	const char *name;
};

/* Sorted by character, as the list below is. */
static const struct sign signs[] = {
	{0xa2, "cents"},
	{0xa3, "pounds"},
	{0xa5, "yen"},
	{0xa7, "section"},
	{0xa9, "copyright"},
	{0xac, "not"},
	{0xae, ""},
	{0xb0, "degrees"},
	{0xb1, "plus or minus"},
	{0xb6, ""},
	{0xd7, "times"},
	{0xf7, "divided by"},
	{0x2020, ""},
	{0x2021, ""},
	{0x2030, "per mille"},
	{0x20ac, "euros"},
	{0x2116, "number"},
	{0x2117, "copyright"},
	{0x2120, ""},
	{0x2122, ""},
	{0x2126, "ohms"},
	{0x2139, "information"},
	{0x2190, "left arrow"},
	{0x2191, "up arrow"},
	{0x2192, "to"},
	{0x2193, "down arrow"},
	{0x21a6, "to"},
	{0x21d2, "to"},
	{0x2208, "in"},
	{0x2211, "sum"},
	{0x2213, "minus or plus"},
	{0x221a, "root of"},
	{0x221e, "infinity"},
	{0x2248, "about"},
	{0x2260, "not equal to"},
	{0x2261, "is identical to"},
	{0x2264, "less than or equal to"},
	{0x2265, "greater than or equal to"},
	{0x25b8, ""},
	{0x25ba, ""},
	{0x2605, "star"},
	{0x2606, "empty star"},
	{0x2611, "check mark"},
	{0x2669, ""},
	{0x266a, ""},
	{0x266b, ""},
	{0x266c, ""},
	{0x266d, "flat"},
	{0x266f, "sharp"},
	{0x2705, "check mark"},
	{0x2713, "check mark"},
	{0x2714, "check mark"},
	{0x2717, "cross mark"},
	{0x2718, "cross mark"},
	{0x2764, "red heart"},
	{0x2794, "to"},
	{0x279c, "to"},
	{0x27f6, "to"},
};

/* Where Unicode's own name is not what people say. */
static const struct sign names[] = {
	{0xa3, "pound"},
	{0xa6, "broken bar"},
	{0xa8, "diaeresis"},
	{0xab, "left guillemet"},
	{0xae, "registered"},
	{0xb0, "degree"},
	{0xb4, "acute accent"},
	{0xb6, "paragraph"},
	{0xb7, "middle dot"},
	{0xbb, "right guillemet"},
	{0xc6, "a e"},
	{0xdf, "sharp s"},
	{0xe6, "a e"},
	{0x131, "dotless i"},
	{0x152, "o e"},
	{0x153, "o e"},
	{0x2018, "left single quote"},
	{0x2019, "right single quote"},
	{0x201a, "low single quote"},
	{0x201c, "left quote"},
	{0x201d, "right quote"},
	{0x201e, "low quote"},
	{0x2026, "ellipsis"},
	{0x2122, "trademark"},
	{0x2192, "right arrow"},
	{0x21d2, "double right arrow"},
	{0x2212, "minus"},
	{0x2260, "not equal"},
	{0x3001, "ideographic comma"},
};

static const char *find(const struct sign *list, size_t n, UChar32 c)
{
	size_t low = 0;

	while (low < n) {
		size_t middle = low + (n - low) / 2;

		if (list[middle].c == c)
			return list[middle].name;
		if (list[middle].c < c)
			low = middle + 1;
		else
			n = middle;
	}
	return NULL;
}

const char *spoken_sign(UChar32 c)
{
	return find(signs, N(signs), c);
}

/* --- Unicode's names --- */

/* Words of them that tell a reader nothing, "SMALL LETTER" before all. */
static bool is_idle(const char *word)
{
	static const char *const words[] = {
		"BLACK", "CAPITAL", "FORM", "GREEK",  "HEAVY",	"LATIN",
		"LETTER", "MEDIUM", "SIGN", "SMALL", "SYMBOL", "WHITE",
		"WITH",
	};

	for (size_t i = 0; i < N(words); i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

/* What stands for a word of a name. */
static const char *replaced(const char *word, const char *before)
{
	bool umlaut = strlen(before) == 1 && strchr("aou", before[0]);

	if (strcmp(word, "DIAERESIS") == 0)
		return umlaut ? "umlaut" : "diaeresis";
	return NULL;
}

/* "LATIN SMALL LETTER E WITH ACUTE" as "e acute". */
static size_t tidy(char ret[SPOKEN_NAME_MAX], char *name)
{
	char *left = NULL, *word, *last = ret;
	size_t n = 0;

	ret[0] = '\0';
	for (word = strtok_r(name, " ", &left); word;
	     word = strtok_r(NULL, " ", &left)) {
		const char *said = is_idle(word) ? "" : replaced(word, last);

		/* "RING ABOVE", "DOT ABOVE". */
		if (n > 0 && strcmp(word, "ABOVE") == 0)
			said = "";
		if (!said) {
			for (char *c = word; *c; c++)
				*c = *c == '-' ? ' ' : (char)tolower(*c);
			said = word;
		}
		if (!*said || n + strlen(said) + 2 > SPOKEN_NAME_MAX)
			continue;
		if (n > 0)
			ret[n++] = ' ';
		last = ret + n;
		n += (size_t)sprintf(ret + n, "%s", said);
	}
	return n;
}

/* Whose characters are read, not named. */
static bool is_read(UChar32 c)
{
	UErrorCode e = U_ZERO_ERROR;

	switch (uscript_getScript(c, &e)) {
	case USCRIPT_HAN:
	case USCRIPT_HANGUL:
	case USCRIPT_HIRAGANA:
	case USCRIPT_KATAKANA:
	case USCRIPT_YI:
	case USCRIPT_TANGUT:
		return u_isalpha(c);
	default:
		return false;
	}
}

size_t spoken_name(char ret[SPOKEN_NAME_MAX], UChar32 c)
{
	const char *own = find(names, N(names), c);
	UErrorCode e = U_ZERO_ERROR;
	char name[128];
	int32_t n;

	if (!own)
		own = spoken_sign(c);
	if (own && *own)
		return (size_t)snprintf(ret, SPOKEN_NAME_MAX, "%s", own);
	if (is_read(c))
		return 0;
	n = u_charName(c, U_UNICODE_CHAR_NAME, name, sizeof(name), &e);
	if (U_FAILURE(e) || n == 0 || n >= (int32_t)sizeof(name))
		return 0;
	return tidy(ret, name);
}

size_t spoken_flag(char ret[SPOKEN_NAME_MAX], char first, char second)
{
	const char place[] = {'u', 'n', 'd', '_', first, second, '\0'};
	UErrorCode e = U_ZERO_ERROR;
	UChar wide[SPOKEN_NAME_MAX];
	char country[SPOKEN_NAME_MAX - 8];
	int32_t n = uloc_getDisplayCountry(place, "en", wide, N(wide), &e);

	u_strToUTF8(country, sizeof(country), NULL, wide, n, &e);
	if (U_FAILURE(e) || n == 0)
		snprintf(country, sizeof(country), "%c %c", first, second);
	return (size_t)snprintf(ret, SPOKEN_NAME_MAX, "flag of %s", country);
}
