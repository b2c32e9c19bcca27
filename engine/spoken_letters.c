/* SPDX-License-Identifier: MIT */
/* Letters that are not ASCII. */
#include "spoken_put.h"

#include <pthread.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>

#include "spoken_names.h"

#define RUN_MAX 124  /* bytes of letters that are transliterated at once */
#define PARTS_MAX 32 /* units of a letter's parts */

/* Those without parts in Unicode. */
static const char *latin(UChar32 c)
{
	static const struct {
		UChar32 c;
		const char *said;
	} letters[] = {
		{0xdf, "ss"}, {0xe6, "ae"}, {0xc6, "Ae"}, {0xf8, "o"},
		{0xd8, "O"},  {0x153, "oe"}, {0x152, "Oe"}, {0x142, "l"},
		{0x141, "L"}, {0x111, "d"}, {0x110, "D"}, {0xf0, "d"},
		{0xfe, "th"}, {0xde, "Th"}, {0x131, "i"}, {0x2bc, "'"},
	};

	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (letters[i].c == c)
			return letters[i].said;
	return NULL;
}

bool fold_latin(struct fold *f, UChar32 c)
{
	UErrorCode e = U_ZERO_ERROR;
	const UNormalizer2 *nfkd = unorm2_getNFKDInstance(&e);
	UChar parts[PARTS_MAX];
	const char *own = latin(c);
	bool any = false;
	int32_t n = U_SUCCESS(e) ? unorm2_getDecomposition(nfkd, c, parts,
							   PARTS_MAX, &e)
				 : 0;

	if (own) {
		fold_text(f, own);
		return true;
	}
	for (int32_t i = 0; U_SUCCESS(e) && i < n; i++) {
		char letter = (char)parts[i];

		if (parts[i] < 0x80 && is_letter(letter)) {
			fold_put(f, &letter, 1);
			any = true;
		}
	}
	return any;
}

/* The rules are large: opened when they are needed, once for all. */
static void transliterate(struct fold *f, size_t end)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static UTransliterator *rules;
	UErrorCode e = U_ZERO_ERROR;
	UChar wide[4 * RUN_MAX], id[32];
	char ascii[4 * RUN_MAX], kept[4 * RUN_MAX];
	int32_t n = 0, limit, n_ascii = 0;
	size_t n_kept = 0;

	u_strFromUTF8(wide, RUN_MAX, &n, f->text + f->at,
		      (int32_t)(end - f->at), &e);
	u_uastrcpy(id, "Any-Latin; Latin-ASCII");
	pthread_mutex_lock(&lock);
	if (!rules)
		rules = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &e);
	limit = n;
	if (rules)
		utrans_transUChars(rules, wide, &n, 4 * RUN_MAX, 0, &limit,
				   &e);
	pthread_mutex_unlock(&lock);
	u_strToUTF8(ascii, sizeof(ascii), &n_ascii, wide, n, &e);
	for (int32_t i = 0; U_SUCCESS(e) && i < n_ascii; i++)
		if (is_letter(ascii[i]) || is_space(ascii[i]) ||
		    (ascii[i] == '\'' && i > 0))
			kept[n_kept++] = ascii[i];
	if (n_kept == 0)
		f->out->lost = true;
	fold_put(f, kept, n_kept);
}

static bool is_latin(UChar32 c)
{
	UErrorCode e = U_ZERO_ERROR;
	UScriptCode script = uscript_getScript(c, &e);

	return script == USCRIPT_LATIN || script == USCRIPT_INHERITED ||
	       script == USCRIPT_COMMON;
}

/* The end of a run of letters of one kind that begins at f->at. */
static size_t letters_end(const struct fold *f, bool *ret_latin)
{
	size_t end = f->at, next;
	bool first = true;

	while (end - f->at < RUN_MAX - 4) {
		UChar32 c = fold_at(f, end, &next);

		if (c < 0x80 || (!u_isalpha(c) && !fold_is_mark(c)))
			break;
		if (first)
			*ret_latin = is_latin(c);
		else if (!fold_is_mark(c) && is_latin(c) != *ret_latin)
			break;
		first = false;
		end = next;
	}
	return end;
}

/* Whether [f->at, end) is one letter with its marks. */
static bool is_one(const struct fold *f, size_t end)
{
	size_t i, next;

	fold_at(f, f->at, &i);
	while (i < end && fold_is_mark(fold_at(f, i, &next)))
		i = next;
	return i == end;
}

/* "cafe", "Moskva"; "e acute" where the letter is alone. */
size_t fold_letters(struct fold *f)
{
	char name[SPOKEN_NAME_MAX];
	bool of_latin = true;
	size_t end = letters_end(f, &of_latin), next;
	UChar32 c = fold_at(f, f->at, &next);

	if (is_one(f, end) && fold_is_alone(f, end) &&
	    spoken_name(name, c) > 0) {
		fold_words(f, name, end);
		return end;
	}
	if (!of_latin) {
		transliterate(f, end);
		if (fold_word_at(f, end))
			fold_part(f);
		return end;
	}
	for (size_t i = f->at, begin = f->at; i < end;) {
		c = fold_at(f, i, &next);
		if (!fold_latin(f, c) && !fold_is_mark(c)) {
			f->at = i;
			transliterate(f, next);
			f->at = begin;
		}
		i = next;
	}
	return end;
}
