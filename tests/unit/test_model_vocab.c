/* SPDX-License-Identifier: MIT */
/* Opening models: the vocabulary in a model's folder, in either of its forms. */
#include "hostile.h"
#include "model.h"
#include "tap.h"
#include "test_model.h"

static void test_vocab(const char *root)
{
	static const char name[] = "vocabularies";
	struct bark_model_options opts = {0};
	struct bark_model *m = NULL;
	struct bark_error err;
	struct bytes many = {0};

	write_configs(root);
	copy_fixture(root, "tiny/model.safetensors", "model.safetensors");
	write_temp("vocab.txt", "[UNK]\na\nb\n", 10);
	TAP_CHECK(name, !bark_model_open(&m, temp_dir, NULL, &err));
	TAP_CHECK(name, m->tokenizer && bark_tokenizer_size(m->tokenizer) == 3);
	bark_model_unref(m);
	m = NULL;
	put_string(&many, "[UNK]\n");
	for (char c = 'A'; c < 'A' + 28; c++)
		put(&many, (char[]){c, '\n'}, 2);
	opts.vocab = write_temp("other.txt", many.p, many.n);
	clear_bytes(&many);
	TAP_CHECK(name, bark_model_open(&m, temp_dir, &opts, &err) ==
		  -EINVAL && strstr(err.message, "room for 28"));
	opts.vocab = temp_path("none.txt");
	TAP_CHECK(name, bark_model_open(&m, temp_dir, &opts, &err) == -ENOENT);
	write_temp("tokenizer_config.json", "{\"do_lower_case\":true}", 22);
	TAP_CHECK(name, !bark_model_open(&m, temp_dir, NULL, &err));
	bark_model_unref(m);
	m = NULL;
	write_temp("tokenizer_config.json", "{", 1);
	TAP_CHECK(name, bark_model_open(&m, temp_dir, NULL, &err) == -EINVAL);
	unlink(temp_path("tokenizer_config.json"));
	tap_ok(name);
}

/* What transformers writes, in small; the values are its version 5.24's. */
#define TOKENIZER(lower, type, vocab)                                         \
	"{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,"             \
	"\"added_tokens\":[{\"id\":0,\"content\":\"[UNK]\",\"single_word\":false," \
	"\"normalized\":false,\"special\":true},"                                \
	"{\"id\":6,\"content\":\"[SEP]\",\"special\":true}],"                    \
	"\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,"       \
	"\"handle_chinese_chars\":true,\"strip_accents\":null,"                 \
	"\"lowercase\":" lower "},"                                             \
	"\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},"                    \
	"\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\"##\"},"               \
	"\"model\":{\"type\":" type ",\"unk_token\":\"[UNK]\","                 \
	"\"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":"  \
	"100,\"vocab\":" vocab "}}"
#define SMALL_VOCAB "{\"[UNK]\":0,\"b\":2,\"##c\":4,\"a\":1,\"A\":3}"

static void write_tokenizer(const char *text)
{
	write_temp("tokenizer.json", text, strlen(text));
}

/* The ids of "A bc [SEP] ?" with what lies in the temporary directory. */
static int tokens(int32_t ids[8], struct bark_error *err)
{
	static const char text[] = "A bc [SEP] ?";
	struct bark_model *m = NULL;
	size_t n = 0;
	int r;

	*err = (struct bark_error){""};
	r = bark_model_open(&m, temp_dir, NULL, err);
	if (r < 0)
		return r;
	r = m->tokenizer ? bark_tokenizer_encode(m->tokenizer, text,
						 strlen(text), ids, 8, &n)
			 : -ENODATA;
	bark_model_unref(m);
	return r < 0 ? r : (int)n;
}

static void test_tokenizer_json(void)
{
	static const char name[] = "tokenizer.json";
	static const int32_t cased[] = {3, 2, 4, 6, 0};
	int32_t ids[8];
	struct bark_error err;

	unlink(temp_path("vocab.txt"));
	write_tokenizer(TOKENIZER("false", "\"WordPiece\"", SMALL_VOCAB));
	TAP_CHECK(name, tokens(ids, &err) == 5);
	TAP_CHECK(name, !memcmp(ids, cased, sizeof(cased)));
	write_tokenizer(TOKENIZER("true", "\"WordPiece\"", SMALL_VOCAB));
	TAP_CHECK(name, tokens(ids, &err) == 5 && ids[0] == 1);
	/* transformers lets this file's key win. */
	write_temp("tokenizer_config.json", "{\"do_lower_case\":false}", 23);
	TAP_CHECK(name, tokens(ids, &err) == 5 && ids[0] == 3);
	unlink(temp_path("tokenizer_config.json"));
	/* vocab.txt goes first where both are there. */
	write_temp("vocab.txt", "A\n[UNK]\nbc\n", 11);
	TAP_CHECK(name, tokens(ids, &err) == 6 && ids[0] == 0 && ids[1] == 2);
	unlink(temp_path("vocab.txt"));
	tap_ok(name);
}

static void test_tokenizer_refused(void)
{
	static const struct {
		const char *text, *why;
		int error;
	} cases[] = {
		{TOKENIZER("false", "\"BPE\"", SMALL_VOCAB), "its model",
		 -ENOTSUP},
		{TOKENIZER("false", "\"WordPiece\"", "[\"a\"]"), "its model",
		 -ENOTSUP},
		{TOKENIZER("false", "\"WordPiece\"", "{\"[UNK]\":-1}"),
		 "a token without", -EINVAL},
		{TOKENIZER("false", "\"WordPiece\"", "{\"[UNK]\":1048576}"),
		 "a token without", -EINVAL},
		{TOKENIZER("false", "\"WordPiece\"",
			   "{\"[UNK]\":1000000000000000000000000000000}"),
		 "a token without", -EINVAL},
		{TOKENIZER("false", "\"WordPiece\"", "{\"[UNK]\":1048575}"),
		 "room for 28", -EINVAL},
		{"{\"model\":{\"vocab\":{}}}", "normalizer", -ENOTSUP},
		{"{}", "its model", -ENOTSUP},
		{"{\"model\":", "tokenizer.json: line 1", -EINVAL},
	};
	static const char name[] = "tokenizer.json of another kind";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bark_error err;
		int32_t ids[8];
		int r;

		write_tokenizer(cases[i].text);
		r = tokens(ids, &err);
		if (r != cases[i].error || !strstr(err.message, cases[i].why)) {
			tap_not_ok(name, "%zu (%s) gave %d: %s", i,
				   cases[i].why, r, err.message);
			return;
		}
	}
	unlink(temp_path("tokenizer.json"));
	tap_ok(name);
}

/* transformers writes that there is no limit as an integer of 31 digits. */
static void test_no_limit(const char *root)
{
	static const char name[] = "numbers beyond 64 bits";
	static const char config[] =
		"{\"model_max_length\":1000000000000000019884624838656,"
		"\"do_lower_case\":true,\"list\":[{\"a\":[1,2.5]}]}";
	struct bytes b = read_fixture(root, "tiny/generation_config.json");
	struct bark_error err;
	struct bytes with = {0};
	int32_t ids[8];

	write_tokenizer(TOKENIZER("false", "\"WordPiece\"", SMALL_VOCAB));
	write_temp("tokenizer_config.json", config, sizeof(config) - 1);
	TAP_CHECK(name, tokens(ids, &err) == 5 && ids[0] == 1);
	/* The other numbers of such a file stay what they are. */
	put_string(&with, "{\"max_length\":1000000000000000019884624838656,");
	put(&with, strchr((char *)b.p, '{') + 1, b.n - 1);
	write_temp("generation_config.json", with.p, with.n);
	TAP_CHECK(name, tokens(ids, &err) == 5);
	write_configs(root);
	unlink(temp_path("tokenizer_config.json"));
	unlink(temp_path("tokenizer.json"));
	clear_bytes(&with);
	clear_bytes(&b);
	tap_ok(name);
}

int test_model_vocab(const char *root)
{
	make_temp_dir();
	test_vocab(root);
	test_tokenizer_json();
	test_tokenizer_refused();
	test_no_limit(root);
	remove_temp_dir();
	return tap_failed;
}
