/* SPDX-License-Identifier: MIT */
#include "chat_filter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat_text.h"

struct chat_filter {
	char **words; /* folded, sorted */
	size_t n;
};

/* Some words of a text. */
struct key {
	const char *text;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int compare_key(const void *key, const void *word)
{
	const struct key *k = key;
	const char *w = *(char *const *)word;
	int r = strncmp(k->text, w, k->n);

	return r ? r : w[k->n] ? -1 : 0;
}

static int add(struct chat_filter *f, const char *line)
{
	char *word;

	if (f->n == CHAT_WORDS_MAX)
		return -E2BIG;
	word = chat_fold_words(line);
	if (!word)
		return -ENOMEM;
	if (*word)
		f->words[f->n++] = word;
	else
		free(word);
	return 0;
}

int chat_filter_load(struct chat_filter **ret, const char *path)
{
	struct chat_filter *f = calloc(1, sizeof(*f));
	FILE *file = fopen(path, "re");
	int r = file ? 0 : -errno;
	size_t room = 0;
	char *line = NULL;

	if (f)
		f->words = calloc(CHAT_WORDS_MAX, sizeof(*f->words));
	if (r == 0 && (!f || !f->words))
		r = -ENOMEM;
	while (r == 0 && getline(&line, &room, file) >= 0)
		if (*line != '#')
			r = add(f, line);
	/* A folder opens, but cannot be read. */
	if (r == 0 && ferror(file))
		r = -EIO;
	free(line);
	if (file)
		fclose(file);
	if (r < 0) {
		chat_filter_free(f);
		return r;
	}
	qsort(f->words, f->n, sizeof(*f->words), compare);
	*ret = f;
	return 0;
}

void chat_filter_free(struct chat_filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n; i++)
		free(f->words[i]);
	free(f->words);
	free(f);
}

/* Whether a phrase begins where p does. */
static bool begins_phrase(const struct chat_filter *f, const char *p)
{
	struct key key = {.text = p};

	for (int i = 0; i < CHAT_PHRASE_MAX; i++) {
		key.n += strcspn(p + key.n, " ");
		if (bsearch(&key, f->words, f->n, sizeof(*f->words),
			    compare_key))
			return true;
		if (!p[key.n])
			return false;
		key.n++;
	}
	return false;
}

int chat_filter_finds(const struct chat_filter *f, const char *text)
{
	char *words = chat_fold_words(text);
	bool found = false;

	if (!words)
		return -ENOMEM;
	for (const char *p = words; *p && !found;) {
		found = begins_phrase(f, p);
		p += strcspn(p, " ");
		p += *p == ' ';
	}
	free(words);
	return found;
}
