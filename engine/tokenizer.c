/* SPDX-License-Identifier: MIT */
/*
 * Words of text and their pieces.
 *
 * Characters are classed by ICU's Unicode data. Debian 12 has Unicode 15.0,
 * its Python 14.0: the 4,489 characters that 15.0 added are control
 * characters ("unassigned") to Python, which drops them; here all but seven,
 * which are format controls, are letters, marks, digits or symbols and become
 * [UNK]. No other character differs.
 */
#include "tokenizer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include "vocab.h"

#define MAX_TEXT ((size_t)16 << 20)
#define MAX_WORD 100 /* code points; a longer word is unknown */
/*
 * Combining marks in a row that are kept: more make the word unknown whatever
 * they are, and ICU would sort them in quadratic time.
 */
#define MAX_MARKS 256

/*
 * The tokens that a text may name as they are, whole. One that the vocabulary
 * lacks is ordinary text; transformers would give it an id past the end.
 */
static const char *const special_names[] = {
	"[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]",
};
#define N_SPECIAL (sizeof(special_names) / sizeof(special_names[0]))

struct bark_tokenizer {
	struct bark_vocab vocab;
	int32_t special[N_SPECIAL]; /* ids, -1: not in the vocabulary */
	bool lower_case, strip_accents;
	const UNormalizer2 *nfc, *nfd;
};

static int fail(struct bark_error *err, int error, const char *message)
{
	if (err != NULL)
		snprintf(err->message, sizeof(err->message), "%s", message);
	return error;
}

int bark_tokenizer_new(struct bark_tokenizer **ret, struct bark_vocab *vocab,
		       const struct bark_tokenizer_options *opts,
		       struct bark_error *err)
{
	struct bark_tokenizer *tok = calloc(1, sizeof(*tok));
	UErrorCode status = U_ZERO_ERROR;

	if (tok == NULL) {
		bark_vocab_clear(vocab);
		return fail(err, -ENOMEM, "vocabulary: out of memory");
	}
	tok->vocab = *vocab;
	tok->lower_case = opts != NULL && opts->lower_case;
	tok->strip_accents = opts != NULL &&
			     (opts->lower_case || opts->strip_accents);
	for (size_t i = 0; i < N_SPECIAL; i++)
		tok->special[i] = bark_vocab_find(vocab, special_names[i]);
	tok->nfc = unorm2_getNFCInstance(&status);
	tok->nfd = unorm2_getNFDInstance(&status);
	if (U_FAILURE(status) || tok->special[0] < 0) {
		bark_tokenizer_free(tok);
		return U_FAILURE(status) ?
			       fail(err, -ENOMEM, "ICU has no data") :
			       fail(err, -EINVAL, "vocabulary: no [UNK]");
	}
	*ret = tok;
	return 0;
}

int bark_tokenizer_open(struct bark_tokenizer **ret, const char *path,
			const struct bark_tokenizer_options *opts,
			struct bark_error *err)
{
	struct bark_vocab vocab;
	int r = bark_vocab_read(&vocab, path, err);

	return r < 0 ? r : bark_tokenizer_new(ret, &vocab, opts, err);
}

int bark_tokenizer_parse(struct bark_tokenizer **ret, const void *vocab,
			 size_t len, const struct bark_tokenizer_options *opts,
			 struct bark_error *err)
{
	struct bark_vocab parsed;
	int r = bark_vocab_parse(&parsed, vocab, len, "vocabulary", err);

	return r < 0 ? r : bark_tokenizer_new(ret, &parsed, opts, err);
}

void bark_tokenizer_free(struct bark_tokenizer *tok)
{
	if (tok == NULL)
		return;
	bark_vocab_clear(&tok->vocab);
	free(tok);
}

size_t bark_tokenizer_size(const struct bark_tokenizer *tok)
{
	return tok->vocab.n_ids;
}

int32_t bark_tokenizer_unknown(const struct bark_tokenizer *tok)
{
	return tok->special[0];
}

/* One call's state: where ids go and the word in hand, in UTF-16. */
struct run {
	const struct bark_tokenizer *tok;
	int32_t *ids;
	size_t cap, n;
	UChar *word, *norm; /* word: room for the whole text, normalized */
	size_t n_word, cap_norm;
	unsigned n_marks; /* at the end of word */
};

static void put(struct run *run, int32_t id)
{
	if (run->n < run->cap)
		run->ids[run->n] = id;
	run->n++;
}

/* The pieces of one word, or [UNK] when they do not cover it. */
static void put_pieces(struct run *run, const UChar *s, int32_t len)
{
	unsigned char utf8[MAX_WORD * 4];
	int32_t ids[MAX_WORD];
	size_t n_utf8 = 0, n_ids = 0, n = 0;

	for (int32_t i = 0; i < len;) {
		UChar32 c;

		U16_NEXT(s, i, len, c);
		if (n++ == MAX_WORD) {
			put(run, run->tok->special[0]);
			return;
		}
		U8_APPEND_UNSAFE(utf8, n_utf8, c);
	}
	for (size_t at = 0, l = 0; at < n_utf8; at += l) {
		int32_t id = bark_vocab_longest(&run->tok->vocab, utf8 + at,
						n_utf8 - at, at > 0, &l);

		if (id < 0) {
			put(run, run->tok->special[0]);
			return;
		}
		ids[n_ids++] = id;
	}
	for (size_t i = 0; i < n_ids; i++)
		put(run, ids[i]);
}

/* Symbols of ASCII count as punctuation, those elsewhere do not. */
static bool is_punctuation(UChar32 c)
{
	if (c < 128)
		return c > ' ' && c < 127 && !u_isalnum(c);
	return (U_MASK(u_charType(c)) & U_GC_P_MASK) != 0;
}

static void put_split(struct run *run, const UChar *s, int32_t len)
{
	int32_t start = 0;

	for (int32_t i = 0; i < len;) {
		int32_t at = i;
		UChar32 c;

		U16_NEXT(s, i, len, c);
		if (!is_punctuation(c))
			continue;
		if (start < at)
			put_pieces(run, s + start, at - start);
		put_pieces(run, s + at, i - at);
		start = i;
	}
	if (start < len)
		put_pieces(run, s + start, len - start);
}

/* Normalises s, which may be run->word only; *ret_s may be s itself. */
static int normalize(struct run *run, const UNormalizer2 *form, const UChar *s,
		     int32_t len, const UChar **ret_s, int32_t *ret_len)
{
	UErrorCode status = U_ZERO_ERROR;
	int32_t n = unorm2_spanQuickCheckYes(form, s, len, &status);

	if (U_SUCCESS(status) && n == len) {
		*ret_s = s;
		*ret_len = len;
		return 0;
	}
	for (;;) {
		UChar *larger;

		status = U_ZERO_ERROR;
		n = unorm2_normalize(form, s, len, run->norm,
				     (int32_t)run->cap_norm, &status);
		if (status != U_BUFFER_OVERFLOW_ERROR)
			break;
		larger = realloc(run->norm, (size_t)n * sizeof(*larger));
		if (larger == NULL)
			return -ENOMEM;
		run->norm = larger;
		run->cap_norm = (size_t)n;
	}
	if (U_FAILURE(status))
		return -ENOMEM;
	*ret_s = run->norm;
	*ret_len = n;
	return 0;
}

static bool is_special(const struct bark_tokenizer *tok, const UChar *s,
		       int32_t len)
{
	for (size_t i = 0; i < N_SPECIAL; i++) {
		const char *name = special_names[i];
		int32_t n = (int32_t)strlen(name), k = 0;

		if (tok->special[i] < 0 || n != len)
			continue;
		while (k < n && s[k] == (UChar)name[k])
			k++;
		if (k == n)
			return true;
	}
	return false;
}

/* NFD without non-spacing marks, back into run->word. */
static int strip_accents(struct run *run, const UChar *s, int32_t len)
{
	int32_t n = 0;

	if (s != run->word)
		memcpy(run->word, s, (size_t)len * sizeof(*s));
	if (normalize(run, run->tok->nfd, run->word, len, &s, &len) < 0)
		return -ENOMEM;
	for (int32_t i = 0; i < len;) {
		UChar32 c;

		U16_NEXT(s, i, len, c);
		if (u_charType(c) != U_NON_SPACING_MARK)
			U16_APPEND_UNSAFE(run->word, n, c);
	}
	run->n_word = (size_t)n;
	return 0;
}

/*
 * Ends the word in hand. Composing it alone is composing the whole text:
 * nothing composes with a space.
 */
static int flush(struct run *run)
{
	int32_t len = (int32_t)run->n_word;
	const UChar *s;
	int r;

	run->n_marks = 0;
	if (len == 0)
		return 0;
	r = normalize(run, run->tok->nfc, run->word, len, &s, &len);
	if (r < 0)
		return r;
	if (is_special(run->tok, s, len)) {
		put_pieces(run, s, len);
	} else if (run->tok->strip_accents) {
		r = strip_accents(run, s, len);
		if (r < 0)
			return r;
		put_split(run, run->word, (int32_t)run->n_word);
	} else {
		put_split(run, s, len);
	}
	run->n_word = 0;
	return 0;
}

/* The blocks that BERT sets apart: ideographs, not kana or Hangul. */
static bool is_cjk(UChar32 c)
{
	static const UChar32 blocks[][2] = {
		{ 0x3400, 0x4dbf },   { 0x4e00, 0x9fff },
		{ 0xf900, 0xfaff },   { 0x20000, 0x2a6df },
		{ 0x2a700, 0x2b73f }, { 0x2b740, 0x2b81f },
		{ 0x2b820, 0x2ceaf }, { 0x2f800, 0x2fa1f },
	};

	if (c < blocks[0][0])
		return false;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		if (c >= blocks[i][0] && c <= blocks[i][1])
			return true;
	}
	return false;
}

enum kind { KIND_DROPPED, KIND_SPACE, KIND_CJK, KIND_OTHER };

static enum kind classify(UChar32 c)
{
	uint32_t mask;

	if (c >= 0x21 && c < 0x7f)
		return KIND_OTHER;
	if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
		return KIND_SPACE;
	if (c <= 0 || c == 0xfffd) /* invalid UTF-8 is U+FFFD too */
		return KIND_DROPPED;
	mask = U_MASK(u_charType(c));
	if (mask & (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CS_MASK | U_GC_CO_MASK |
		    U_GC_CN_MASK))
		return KIND_DROPPED;
	if (mask & U_GC_Z_MASK)
		return KIND_SPACE;
	return is_cjk(c) ? KIND_CJK : KIND_OTHER;
}

static void add(struct run *run, UChar32 c)
{
	if (c < 0x300 || u_getCombiningClass(c) == 0)
		run->n_marks = 0;
	else if (run->n_marks == MAX_MARKS)
		return;
	else
		run->n_marks++;
	if (run->tok->lower_case) {
		/* the only character with a longer lower case */
		if (c == 0x130) {
			run->word[run->n_word++] = 'i';
			c = 0x307;
		} else {
			c = u_tolower(c);
		}
	}
	U16_APPEND_UNSAFE(run->word, run->n_word, c);
}

static int encode_plain(struct run *run, const char *text, int32_t len)
{
	int r = 0;

	for (int32_t i = 0; i < len && r == 0;) {
		enum kind kind;
		UChar32 c;

		U8_NEXT(text, i, len, c);
		kind = classify(c);
		if (kind == KIND_OTHER) {
			add(run, c);
		} else if (kind != KIND_DROPPED) {
			r = flush(run);
			if (r == 0 && kind == KIND_CJK) {
				add(run, c);
				r = flush(run);
			}
		}
	}
	return r < 0 ? r : flush(run);
}

/* The special token that s begins with, or -1. */
static int special_at(const struct bark_tokenizer *tok, const char *s,
		      size_t len)
{
	for (size_t i = 0; i < N_SPECIAL; i++) {
		size_t n = strlen(special_names[i]);

		if (tok->special[i] >= 0 && n <= len &&
		    memcmp(s, special_names[i], n) == 0)
			return (int)i;
	}
	return -1;
}

/*
 * Special tokens are found in the text as it came, before anything else and
 * inside words too, as PreTrainedTokenizer.tokenize does.
 */
static int encode(struct run *run, const char *text, size_t len)
{
	size_t start = 0;
	int r = 0;

	for (size_t at = 0; at < len && r == 0;) {
		const char *open = memchr(text + at, '[', len - at);
		int special;

		if (open == NULL)
			break;
		at = (size_t)(open - text);
		special = special_at(run->tok, open, len - at);
		if (special < 0) {
			at++;
			continue;
		}
		r = encode_plain(run, text + start, (int32_t)(at - start));
		put(run, run->tok->special[special]);
		at += strlen(special_names[special]);
		start = at;
	}
	return r < 0 ? r : encode_plain(run, text + start,
					(int32_t)(len - start));
}

int bark_tokenizer_encode(const struct bark_tokenizer *tok, const char *text,
			  size_t len, int32_t *ids, size_t cap, size_t *ret_n)
{
	struct run run = { .tok = tok, .ids = ids, .cap = cap };
	int r;

	if (len > MAX_TEXT)
		return -E2BIG;
	/* a byte of UTF-8 normalizes to at most 1.5 units (U+1D160) */
	run.word = malloc((2 * len + 1) * sizeof(*run.word));
	if (run.word == NULL)
		return -ENOMEM;
	r = encode(&run, text, len);
	free(run.norm);
	free(run.word);
	if (r < 0)
		return r;
	*ret_n = run.n;
	return 0;
}
