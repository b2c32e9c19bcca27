/* SPDX-License-Identifier: MIT */
/*
 * A model's tokenizer: vocab.txt, or the tokenizer.json that transformers has
 * written instead since its version 5. Of the latter's many kinds the one that
 * BERT is is understood. Either gives the same ids of a text: those of the
 * tokenizer that Bark was trained with (tokenizer.h), which composes letters
 * and their marks, as tokenizer.json's own rules do not.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "files/json.h"
#include "files/map.h"
#include "model.h"
#include "vocab.h"

#define MAX_JSON ((size_t)32 << 20)
/* Rows of the table that a whole vocabulary may leave unused at its end. */
#define MAX_UNUSED 63

/* --- tokenizer.json --- */

/* Absent is as good as right. */
static bool is_word(const json_t *v, const char *wanted)
{
	return !v || (json_is_string(v) && !strcmp(json_string_value(v), wanted));
}

static bool is_on(const json_t *v)
{
	return !v || json_is_true(v);
}

/* What is there but BERT's; NULL: nothing. */
static const char *foreign_part(const json_t *root)
{
	const json_t *model = json_object_get(root, "model");
	const json_t *norm = json_object_get(root, "normalizer");
	const json_t *split = json_object_get(root, "pre_tokenizer");
	const json_t *most = json_object_get(model, "max_input_chars_per_word");

	if (!is_word(json_object_get(model, "type"), "WordPiece") ||
	    !json_is_object(json_object_get(model, "vocab")))
		return "model";
	if (!is_word(json_object_get(model, "unk_token"), "[UNK]"))
		return "model.unk_token";
	if (!is_word(json_object_get(model, "continuing_subword_prefix"), "##"))
		return "model.continuing_subword_prefix";
	if (most && json_integer_value(most) != 100)
		return "model.max_input_chars_per_word";
	if (!json_is_object(norm) ||
	    !is_word(json_object_get(norm, "type"), "BertNormalizer") ||
	    !is_on(json_object_get(norm, "clean_text")) ||
	    !is_on(json_object_get(norm, "handle_chinese_chars")))
		return "normalizer";
	if (!json_is_object(split) ||
	    !is_word(json_object_get(split, "type"), "BertPreTokenizer"))
		return "pre_tokenizer";
	return NULL;
}

static bool put_token(struct bark_vocab_token *ret, const char *s, size_t len,
		      const json_t *id)
{
	const json_int_t n = json_integer_value(id);

	*ret = (struct bark_vocab_token){s, len, (uint32_t)n};
	return json_is_integer(id) && n >= 0 && n < BARK_VOCAB_MAX;
}

/* tokens: room for all of the vocabulary and the added ones. */
static bool collect(struct bark_vocab_token *tokens, size_t *ret_n,
		    json_t *vocab, const json_t *added)
{
	const char *key;
	size_t n = 0, i;
	json_t *v;

	json_object_foreach(vocab, key, v)
		if (!put_token(&tokens[n++], key, strlen(key), v))
			return false;
	json_array_foreach(added, i, v) {
		const json_t *content = json_object_get(v, "content");

		if (!json_is_string(content) ||
		    !put_token(&tokens[n], json_string_value(content),
			       json_string_length(content),
			       json_object_get(v, "id")))
			return false;
		/* Most are in the vocabulary besides. */
		n += !json_object_get(vocab, tokens[n].s);
	}
	*ret_n = n;
	return true;
}

static int make_vocab(struct bark_vocab *ret, const json_t *root,
		      const char *name, struct bark_error *err)
{
	json_t *vocab = json_object_get(json_object_get(root, "model"),
					"vocab");
	const json_t *added = json_object_get(root, "added_tokens");
	size_t n = json_object_size(vocab) + json_array_size(added);
	struct bark_vocab_token *tokens;
	int r;

	if (n > BARK_VOCAB_MAX)
		return bark_fail(err, -E2BIG, "%s: over %u tokens", name,
				 BARK_VOCAB_MAX);
	tokens = calloc(n + 1, sizeof(*tokens));
	if (!tokens)
		return bark_fail(err, -ENOMEM, "%s: out of memory", name);
	if (!collect(tokens, &n, vocab, added))
		r = bark_fail(err, -EINVAL, "%s: a token without a name or a "
			      "number below %u", name, BARK_VOCAB_MAX);
	else if (bark_vocab_build(ret, tokens, n) < 0)
		r = bark_fail(err, -ENOMEM, "%s: out of memory", name);
	else
		r = 0;
	free(tokens);
	return r;
}

static void take_flag(bool *ret, const json_t *v)
{
	if (json_is_boolean(v))
		*ret = json_is_true(v);
}

static int read_json(struct bark_vocab *ret,
		     struct bark_tokenizer_options *opts, const char *path,
		     struct bark_error *err)
{
	const char *name = bark_base_name(path), *foreign;
	const json_t *norm;
	json_t *root;
	int r;

	r = bark_json_read_large(&root, path, MAX_JSON, err);
	if (r < 0)
		return r;
	foreign = foreign_part(root);
	norm = json_object_get(root, "normalizer");
	if (foreign) {
		r = bark_fail(err, -ENOTSUP, "%s: its %s is not that of BERT's "
			      "WordPiece, which Bark reads", name, foreign);
	} else {
		take_flag(&opts->lower_case, json_object_get(norm, "lowercase"));
		opts->strip_accents = opts->lower_case;
		take_flag(&opts->strip_accents,
			  json_object_get(norm, "strip_accents"));
		r = make_vocab(ret, root, name, err);
	}
	json_decref(root);
	return r;
}

/* --- a model's folder --- */

/* Its keys go before tokenizer.json's, as in transformers; absent ones are
 * those of the cased vocabulary that Bark was trained with. */
static int read_options(struct bark_tokenizer_options *opts, const char *dir,
			struct bark_error *err)
{
	char path[BARK_PATH_MAX];
	json_t *root, *v;
	int r;

	if (!bark_path_find(path, dir, "tokenizer_config.json"))
		return 0;
	r = bark_json_read(&root, path, err);
	if (r < 0)
		return r;
	v = json_object_get(root, "do_lower_case");
	if (json_is_boolean(v)) {
		opts->lower_case = json_is_true(v);
		opts->strip_accents = opts->lower_case;
	}
	take_flag(&opts->strip_accents, json_object_get(root, "strip_accents"));
	json_decref(root);
	return 0;
}

const char *const bark_vocab_names[2] = {"vocab.txt", "tokenizer.json"};

static bool is_json(const char *path)
{
	const size_t n = strlen(path);

	return n > 5 && !strcmp(path + n - 5, ".json");
}

const char *bark_vocab_name(const char *path)
{
	return bark_vocab_names[is_json(path)];
}

/* The tokens' place in the table ends where the padding token's begins. */
static int check_size(const struct bark_model *model, const char *path,
		      struct bark_error *err)
{
	const struct bark_semantic_config *c = &model->config.semantic;
	const size_t size = bark_tokenizer_size(model->tokenizer);
	const unsigned most = c->gpt.n_in - c->text_offset;

	if (size > most)
		return bark_fail(err, -EINVAL, "%s: %zu tokens, but the model "
				 "has room for %u", bark_base_name(path), size,
				 most);
	if (c->text_pad > c->text_offset &&
	    size + MAX_UNUSED < c->text_pad - c->text_offset)
		return bark_fail(err, -EINVAL, "%s: %zu tokens where the model "
				 "has %u: the file is cut short, or another "
				 "model's", bark_base_name(path), size,
				 c->text_pad - c->text_offset);
	return 0;
}

int bark_model_open_tokenizer(struct bark_model *model, const char *dir,
			      const char *vocab, struct bark_error *err)
{
	struct bark_tokenizer_options opts = {0};
	struct bark_vocab tokens;
	char path[BARK_PATH_MAX];
	int r;

	if (!vocab) {
		if (!bark_path_find(path, dir, bark_vocab_names[0]) &&
		    !bark_path_find(path, dir, bark_vocab_names[1]))
			return 0;
		vocab = path;
	}
	r = is_json(vocab) ? read_json(&tokens, &opts, vocab, err)
			   : bark_vocab_read(&tokens, vocab, err);
	if (r < 0)
		return r;
	r = read_options(&opts, dir, err);
	if (r < 0) {
		bark_vocab_clear(&tokens);
		return r;
	}
	r = bark_tokenizer_new(&model->tokenizer, &tokens, &opts, err);
	return r < 0 ? r : check_size(model, vocab, err);
}
