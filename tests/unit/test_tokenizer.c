/* SPDX-License-Identifier: MIT */
/*
 * The tokenizer against what transformers' BertTokenizer computed (the tables
 * of tests/fixtures/tokenizer), with a small vocabulary of ours and, where it
 * is at hand, with the multilingual one.
 * Arguments: the source root. BARKD_REFERENCE: where the multilingual
 * vocabulary is, by default ../shared/reference from there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"
#include "tokenizer.h"

#define MOST_IDS 4096

static const char *root;

/* --- tables --- */

struct line {
	int32_t ids[MOST_IDS];
	size_t n_ids;
	char text[8192];
	size_t len;
};

static int hex(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Takes a line apart: ids, tab, text with escapes. */
static int parse(struct line *line, const char *s)
{
	line->n_ids = line->len = 0;
	while (*s != '\t' && *s != '\0' && line->n_ids < MOST_IDS) {
		char *end;

		line->ids[line->n_ids++] = (int32_t)strtol(s, &end, 10);
		if (end == s)
			return -EINVAL;
		s = end + (*end == ' ');
	}
	if (*s++ != '\t')
		return -EINVAL;
	for (; *s != '\0' && *s != '\n'; s++) {
		char c = *s;

		if (c == '\\' && *++s == 'x') {
			c = (char)(hex(s[1]) << 4 | hex(s[2]));
			s += 2;
		}
		line->text[line->len++] = c;
	}
	return 0;
}

static void check_line(const struct bark_tokenizer *tok, const char *table,
		       unsigned number, const struct line *line)
{
	static int32_t ids[MOST_IDS];
	char name[64];
	size_t n = 0;

	snprintf(name, sizeof(name), "tokenizer %s:%u", table, number);
	TAP_CHECK(name, bark_tokenizer_encode(tok, line->text, line->len, ids,
					      MOST_IDS, &n) == 0);
	for (size_t i = 0; i < n && i < line->n_ids; i++) {
		if (ids[i] != line->ids[i]) {
			tap_not_ok(name, "id %zu is %d, not %d, in: %.*s", i,
				   ids[i], line->ids[i], (int)line->len,
				   line->text);
			return;
		}
	}
	if (n != line->n_ids)
		tap_not_ok(name, "%zu ids, not %zu: %.*s", n, line->n_ids,
			   (int)line->len, line->text);
	else
		tap_ok(name);
}

static void check_table(const char *vocab, const char *table)
{
	static struct line line;
	struct bark_tokenizer *tok = NULL;
	struct bark_error err = { "" };
	char path[4096], *text = NULL;
	size_t cap = 0;
	unsigned number = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/fixtures/tokenizer/%s", root,
		 table);
	f = fopen(path, "re");
	if (f == NULL || bark_tokenizer_open(&tok, vocab, NULL, &err) < 0) {
		tap_not_ok(table, "cannot be opened: %s", err.message);
	} else {
		while (getline(&text, &cap, f) > 0) {
			number++;
			if (parse(&line, text) < 0)
				tap_not_ok(table, "line %u is not one", number);
			else
				check_line(tok, table, number, &line);
		}
		if (number == 0)
			tap_not_ok(table, "is empty");
	}
	free(text);
	bark_tokenizer_free(tok);
	if (f != NULL)
		fclose(f);
}

static void test_tables(void)
{
	const char *reference = getenv("BARKD_REFERENCE");
	char path[4096];

	snprintf(path, sizeof(path), "%s/tests/fixtures/tokenizer/vocab.txt",
		 root);
	check_table(path, "small.txt");
	if (reference != NULL)
		snprintf(path, sizeof(path), "%s/%s", reference,
			 "bert-base-multilingual-cased-vocab.txt");
	else
		snprintf(path, sizeof(path), "%s/../shared/reference/%s", root,
			 "bert-base-multilingual-cased-vocab.txt");
	if (access(path, R_OK) == 0)
		check_table(path, "multilingual.txt");
	else
		tap_skip("tokenizer multilingual.txt", "no such vocabulary");
}

/* --- vocabularies --- */

static int parse_vocab(struct bark_tokenizer **ret, const char *vocab,
		       bool lower_case)
{
	struct bark_tokenizer_options opts = { .lower_case = lower_case };

	return bark_tokenizer_parse(ret, vocab, strlen(vocab), &opts, NULL);
}

static void test_vocabulary(void)
{
	static const char name[] = "tokenizer vocabularies";
	struct bark_tokenizer *tok = NULL;
	struct bark_error err = { "" };
	int32_t ids[4];
	size_t n = 0;

	TAP_CHECK(name, bark_tokenizer_open(&tok, "/nonexistent/vocab.txt",
					    NULL, &err) == -ENOENT);
	TAP_CHECK(name, strstr(err.message, "vocab.txt"));
	TAP_CHECK(name, bark_tokenizer_open(&tok, "/", NULL, &err) == -EINVAL);
	TAP_CHECK(name, parse_vocab(&tok, "", false) == -EINVAL);
	TAP_CHECK(name, parse_vocab(&tok, "a\nb\n", false) == -EINVAL);
	TAP_CHECK(name, parse_vocab(&tok, "[UNK]\n\xff\n", false) == -EINVAL);
	TAP_CHECK(name, tok == NULL);

	/* all three line ends; a token twice has its last id */
	TAP_CHECK(name, parse_vocab(&tok, "[UNK]\r\na\rb\na", false) == 0);
	TAP_CHECK(name, bark_tokenizer_size(tok) == 4);
	TAP_CHECK(name, bark_tokenizer_encode(tok, "a b c", 5, ids, 4, &n) ==
				0);
	TAP_CHECK(name, n == 3 && ids[0] == 3 && ids[1] == 2 && ids[2] == 0);
	/* a special token that the vocabulary lacks is ordinary text */
	TAP_CHECK(name, bark_tokenizer_encode(tok, "[SEP]", 5, ids, 4, &n) ==
				0);
	TAP_CHECK(name, n == 3 && ids[1] == 0);
	bark_tokenizer_free(tok);
	bark_tokenizer_free(NULL);
	tap_ok(name);
}

static void test_too_many(void)
{
	static const char name[] = "tokenizer limits of a vocabulary";
	const size_t n = (1 << 20) + 1;
	struct bark_tokenizer *tok = NULL;
	char *vocab = malloc(2 * n);

	TAP_CHECK(name, vocab != NULL);
	for (size_t i = 0; i < n; i++)
		memcpy(vocab + 2 * i, "a\n", 2);
	TAP_CHECK(name, bark_tokenizer_parse(&tok, vocab, 2 * n, NULL, NULL) ==
				-E2BIG);
	memcpy(vocab, "[UNK]\n", 6);
	TAP_CHECK(name, bark_tokenizer_parse(&tok, vocab, 2 * n - 2, NULL,
					     NULL) == 0);
	bark_tokenizer_free(tok);
	free(vocab);
	tap_ok(name);
}

static void test_cut(void)
{
	static const char name[] = "tokenizer cuts ids that do not fit";
	struct bark_tokenizer *tok = NULL;
	int32_t ids[3] = { -1, -1, -1 };
	size_t n = 0;

	TAP_CHECK(name, parse_vocab(&tok, "[UNK]\na\n##a\n", false) == 0);
	TAP_CHECK(name, bark_tokenizer_encode(tok, "aaa a", 5, ids, 2, &n) ==
				0);
	TAP_CHECK(name, n == 4 && ids[0] == 1 && ids[1] == 2 && ids[2] == -1);
	TAP_CHECK(name, bark_tokenizer_encode(tok, "aaa a", 5, NULL, 0, &n) ==
				0 && n == 4);
	bark_tokenizer_free(tok);
	tap_ok(name);
}

static void test_lower_case(void)
{
	static const char name[] = "tokenizer lower case without accents";
	static const char text[] = "E\xcc\x81" "COLE \xc4\xb0 [MASK] [mask]";
	struct bark_tokenizer *tok = NULL;
	int32_t ids[8];
	size_t n = 0;

	TAP_CHECK(name, parse_vocab(&tok, "[UNK]\necole\ni\n[MASK]\nmask\n[\n]",
				    true) == 0);
	TAP_CHECK(name, bark_tokenizer_encode(tok, text, strlen(text), ids, 8,
					      &n) == 0);
	TAP_CHECK(name, n == 6 && ids[0] == 1 && ids[1] == 2 && ids[2] == 3 &&
				ids[3] == 5 && ids[4] == 4 && ids[5] == 6);
	bark_tokenizer_free(tok);
	tap_ok(name);
}

/* What only hostile text has: one endless word, marks without end. */
static void test_hostile(void)
{
	static const char name[] = "tokenizer hostile text";
	const size_t len = 1 << 20;
	struct bark_tokenizer *tok = NULL;
	char *text = malloc(len * 16 + 1);
	size_t n = 0;

	TAP_CHECK(name, text != NULL);
	TAP_CHECK(name, parse_vocab(&tok, "[UNK]\na\n##a\n", false) == 0);
	memset(text, 'a', len);
	TAP_CHECK(name, bark_tokenizer_encode(tok, text, len, NULL, 0, &n) ==
				0 && n == 1);
	memset(text, '[', len);
	TAP_CHECK(name, bark_tokenizer_encode(tok, text, len, NULL, 0, &n) ==
				0 && n == len);
	for (size_t i = 0; i < len; i += 2)
		memcpy(text + i, i % 4 ? "\xcc\x81" : "\xcc\xa7", 2);
	TAP_CHECK(name, bark_tokenizer_encode(tok, text, len, NULL, 0, &n) ==
				0 && n == 1);
	/* the one that grows most: 4 bytes, 6 units in either form */
	for (size_t i = 0; i < len; i += 4)
		memcpy(text + i, "\xf0\x9d\x85\xa0", 4);
	TAP_CHECK(name, bark_tokenizer_encode(tok, text, len, NULL, 0, &n) ==
				0 && n == 1);
	memset(text, 'a', len * 16 + 1);
	TAP_CHECK(name, bark_tokenizer_encode(tok, text, len * 16 + 1, NULL, 0,
					      &n) == -E2BIG);
	bark_tokenizer_free(tok);
	free(text);
	tap_ok(name);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	root = argv[1];
	test_tables();
	test_vocabulary();
	test_too_many();
	test_cut();
	test_lower_case();
	test_hostile();
	return tap_failed;
}
