/* SPDX-License-Identifier: MIT */
#include "words.h"

#include "text.h"

static const struct {
	char c;
	const char *name;
	int level;
} words[] = {
	{'#', "number", PUNCT_SOME},	   {'$', "dollar", PUNCT_SOME},
	{'%', "percent", PUNCT_SOME},	   {'&', "and", PUNCT_SOME},
	{'*', "star", PUNCT_SOME},	   {'+', "plus", PUNCT_SOME},
	{'/', "slash", PUNCT_SOME},	   {'=', "equals", PUNCT_SOME},
	{'@', "at", PUNCT_SOME},	   {'\\', "backslash", PUNCT_SOME},
	{'<', "less", PUNCT_MOST},	   {'>', "greater", PUNCT_MOST},
	{'^', "caret", PUNCT_MOST},	   {'_', "underscore", PUNCT_MOST},
	{'|', "bar", PUNCT_MOST},	   {'~', "tilde", PUNCT_MOST},
	{'`', "grave", PUNCT_MOST},	   {'(', "left paren", PUNCT_MOST},
	{')', "right paren", PUNCT_MOST},  {'[', "left bracket", PUNCT_MOST},
	{']', "right bracket", PUNCT_MOST}, {'{', "left brace", PUNCT_MOST},
	{'}', "right brace", PUNCT_MOST},  {'"', "quote", PUNCT_MOST},
	{':', "colon", PUNCT_MOST},	   {';', "semicolon", PUNCT_MOST},
	{'-', "dash", PUNCT_MOST},	   {'.', "dot", PUNCT_ALL},
	{',', "comma", PUNCT_ALL},	   {'!', "exclaim", PUNCT_ALL},
	{'?', "question", PUNCT_ALL},	   {'\'', "apostrophe", PUNCT_ALL},
	{' ', "space", PUNCT_ALL + 1},	   {'\t', "tab", PUNCT_ALL + 1},
	{'\n', "new line", PUNCT_ALL + 1}, {'\r', "return", PUNCT_ALL + 1},
};

#define N_WORDS (sizeof(words) / sizeof(*words))

const char *word_of(const char *p, size_t n)
{
	for (size_t i = 0; n == 1 && i < N_WORDS; i++)
		if (words[i].c == *p)
			return words[i].name;
	return NULL;
}

int word_level(char c)
{
	for (size_t i = 0; i < N_WORDS; i++)
		if (words[i].c == c)
			return words[i].level;
	return PUNCT_ALL + 1;
}
