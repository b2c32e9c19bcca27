/* SPDX-License-Identifier: MIT */
/* Containers of tensors: what they hold, and what hostile ones may not do. */
#include "files/tensors_build.h"
#include "hostile.h"
#include "tap.h"

static const char *root;

static int parse(const struct bytes *b, struct bark_tensors **ret,
		 struct bark_error *err)
{
	*err = (struct bark_error){""};
	return bark_tensors_parse(ret, b->p, b->n, "file", err);
}

/* Reads all that the tensors say they have, for a sanitizer to watch. */
static unsigned touch(const struct bark_tensors *set)
{
	unsigned sum = 0;

	for (size_t i = 0; i < bark_tensors_count(set); i++) {
		const struct bark_tensor *t = bark_tensors_at(set, i);
		const unsigned char *data = t->data;

		for (size_t j = 0; j < t->n_bytes; j++)
			sum += data[j];
	}
	return sum;
}

static int try_parse(const unsigned char *data, size_t n, void *arg)
{
	struct bark_tensors *set = NULL;
	struct bark_error err = {""};
	int r = bark_tensors_parse(&set, data, n, "file", &err);

	(void)arg;
	if (r == 0)
		touch(set);
	bark_tensors_free(set);
	return r;
}

/* --- safetensors --- */

static struct bytes safetensors(const char *header, size_t data)
{
	static const unsigned char zeros[64];
	struct bytes b = {0};

	put_number(&b, strlen(header), 8);
	put_string(&b, header);
	put(&b, zeros, data);
	return b;
}

static void test_safetensors(void)
{
	static const char name[] = "safetensors";
	struct bytes b = safetensors("{\"__metadata__\":{\"format\":\"pt\"},"
		"\"b\":{\"dtype\":\"F32\",\"shape\":[2,3],"
		"\"data_offsets\":[8,32]},"
		"\"a\":{\"dtype\":\"I64\",\"shape\":[],"
		"\"data_offsets\":[0,8]},"
		"\"c\":{\"dtype\":\"BF16\",\"shape\":[4,0],"
		"\"data_offsets\":[32,32]}}  ", 32);
	struct bark_tensors *set = NULL;
	const struct bark_tensor *t;
	struct bark_error err;

	TAP_CHECK(name, parse(&b, &set, &err) == 0);
	TAP_CHECK(name, bark_tensors_count(set) == 3);
	TAP_CHECK(name, !strcmp(bark_tensors_at(set, 0)->name, "a"));
	TAP_CHECK(name, !bark_tensors_at(set, 3));
	t = bark_tensors_find(set, "b");
	TAP_CHECK(name, t && t->n_dims == 2 && t->dims[0] == 2 &&
		  t->dims[1] == 3 && t->strides[0] == 3 &&
		  t->strides[1] == 1 && t->n_bytes == 24 &&
		  t->data == b.p + b.n - 24);
	TAP_CHECK(name, bark_tensor_elements(t) == 6);
	t = bark_tensors_find(set, "a");
	TAP_CHECK(name, t && t->n_dims == 0 && t->n_bytes == 8 &&
		  bark_tensor_elements(t) == 1);
	t = bark_tensors_find(set, "c");
	TAP_CHECK(name, t && bark_tensor_elements(t) == 0);
	TAP_CHECK(name, !bark_tensors_find(set, "d"));
	bark_tensors_free(set);
	TAP_CHECK(name, damage(&b, 3000, try_parse, NULL) == 0);
	clear_bytes(&b);
	tap_ok(name);
}

static void test_bad_safetensors(void)
{
#define ONE(shape, range) "{\"a\":{\"dtype\":\"F32\",\"shape\":" shape \
	",\"data_offsets\":" range "}}"
	static const struct {
		const char *header;
		size_t data;
		const char *why; /* in the message */
	} files[] = {
		{ONE("[3]", "[0,16]"), 16, "16 bytes of data"},
		{ONE("[4]", "[0,16]"), 12, "outside the file"},
		{ONE("[4]", "[0,16]"), 20, "the header describes 16"},
		{ONE("[4]", "[4,20]"), 20, "gap"},
		{ONE("[4]", "[16,0]"), 16, "outside the file"},
		{ONE("[-4]", "[0,16]"), 16, "size 0"},
		{ONE("[4.0]", "[0,16]"), 16, "size 0"},
		{ONE("[4]", "[0.0,16]"), 16, "outside the file"},
		{ONE("[4]", "[0]"), 16, "outside the file"},
		{ONE("[1,1,1,1,4]", "[0,16]"), 16, "at most 4"},
		{ONE("[4611686018427387904,4]", "[0,0]"), 0, "overflows"},
		{ONE("[4611686018427387904,0]", "[0,0]"), 0, "overflows"},
		{ONE("[4]", "[0,18446744073709551616]"), 16, "outside the file"},
		{"{\"a\":{\"dtype\":\"C64\",\"shape\":[2],"
		 "\"data_offsets\":[0,16]}}", 16, "unknown dtype C64"},
		{"{\"a\":{\"shape\":[4],\"data_offsets\":[0,16]}}", 16,
		 "unknown dtype"},
		{"{\"a\":3}", 0, "unknown dtype"},
		{"{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":"
		 "[0,2]},\"b\":{\"dtype\":\"U8\",\"shape\":[2],"
		 "\"data_offsets\":[1,3]}}", 3, "overlap"},
		{"{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":"
		 "[0,2]},\"a\":{\"dtype\":\"U8\",\"shape\":[2],"
		 "\"data_offsets\":[2,4]}}", 4, "duplicate"},
		{"{\"\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":"
		 "[0,2]}}", 2, "name"},
		{"{}", 0, "no tensors"},
		{"{\"a\":", 0, "line 1"},
	};
	static const char name[] = "bad safetensors";

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct bytes b = safetensors(files[i].header, files[i].data);
		struct bark_tensors *set = NULL;
		struct bark_error err;
		int r = parse(&b, &set, &err);

		if (r >= 0 || !strstr(err.message, files[i].why) || set) {
			tap_not_ok(name, "%s gave %d: %s", files[i].header, r,
				   err.message);
			return;
		}
		clear_bytes(&b);
	}
	tap_ok(name);
}

static void test_header_length(void)
{
	static const char name[] = "header lengths";
	static const uint64_t lens[] = {
		9, 1000, (uint64_t)16 << 20, ((uint64_t)16 << 20) + 1,
		UINT64_MAX, UINT64_MAX - 7, INT64_MAX,
	};

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct bytes b = {0};
		struct bark_tensors *set = NULL;
		struct bark_error err;

		put_number(&b, lens[i], 8);
		put_string(&b, "{}      ");
		TAP_CHECK(name, parse(&b, &set, &err) == -EINVAL);
		clear_bytes(&b);
	}
	tap_ok(name);
}

/* --- torch --- */

static float float_at(const struct bark_tensor *t, size_t i)
{
	float f;

	memcpy(&f, (const unsigned char *)t->data + i * sizeof(f), sizeof(f));
	return f;
}

static void test_suno(void)
{
	static const char name[] = "suno's dictionary";
	struct bytes b = read_fixture(root, "suno.pt");
	struct bark_tensors *set = NULL;
	const struct bark_tensor *t;
	struct bark_error err;
	int64_t value;

	TAP_CHECK(name, parse(&b, &set, &err) == 0);
	TAP_CHECK(name, bark_tensors_count(set) == 3);
	t = bark_tensors_find(set, "transformer.wte.weight");
	TAP_CHECK(name, t && t->type == BARK_TENSOR_F32 && t->n_dims == 2 &&
		  t->dims[0] == 3 && t->dims[1] == 4 && float_at(t, 11) == 11);
	t = bark_tensors_find(set, "transformer.h.0.attn.bias");
	TAP_CHECK(name, t && t->n_dims == 4);
	TAP_CHECK(name, !bark_tensors_arg(set, "n_embd", &value) && value == 4);
	TAP_CHECK(name, !bark_tensors_arg(set, "bias", &value) && value == 0);
	TAP_CHECK(name, !bark_tensors_arg(set, "vocab_size", &value) &&
		  value == 40);
	TAP_CHECK(name, bark_tensors_arg(set, "dropout", &value) == -ENOENT);
	bark_tensors_free(set);
	TAP_CHECK(name, damage(&b, 6000, try_parse, NULL) == 0);
	clear_bytes(&b);
	tap_ok(name);
}

static void test_views(void)
{
	static const char name[] = "views and types";
	static const struct {
		const char *name;
		enum bark_tensor_type type;
	} types[] = {
		{"scalar", BARK_TENSOR_I64}, {"half", BARK_TENSOR_F16},
		{"brain", BARK_TENSOR_BF16}, {"double", BARK_TENSOR_F64},
		{"flags", BARK_TENSOR_BOOL}, {"empty", BARK_TENSOR_F32},
		{"conv.weight_g", BARK_TENSOR_F32},
	};
	struct bytes b = read_fixture(root, "views.th");
	struct bark_tensors *set = NULL;
	const struct bark_tensor *t;
	struct bark_error err;

	TAP_CHECK(name, parse(&b, &set, &err) == 0);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		t = bark_tensors_find(set, types[i].name);
		TAP_CHECK(name, t && t->type == types[i].type);
	}
	t = bark_tensors_find(set, "transposed");
	TAP_CHECK(name, t && t->n_dims == 3 && t->dims[0] == 4 &&
		  t->strides[0] == 1 && t->strides[1] == 12 &&
		  t->strides[2] == 4 && t->n_bytes == 96);
	t = bark_tensors_find(set, "offset");
	TAP_CHECK(name, t && t->n_dims == 2 && t->dims[0] == 2 &&
		  float_at(t, 0) == 16 && t->n_bytes == 32);
	TAP_CHECK(name, !strcmp(bark_tensor_type_name(t->type), "f32"));
	bark_tensors_free(set);
	TAP_CHECK(name, damage(&b, 6000, try_parse, NULL) == 0);
	clear_bytes(&b);
	tap_ok(name);
}

/* A torch archive around a pickle, with one storage of 16 bytes. */
static struct bytes torch_file(const struct bytes *pickle, const char *order)
{
	static const unsigned char storage[16];
	struct zip_writer z = {0};
	const struct zip_member members[] = {
		{.name = "a/data.pkl", .data = pickle->p, .n = pickle->n},
		{.name = "a/byteorder", .data = order, .n = strlen(order)},
		{.name = "a/data/0", .data = storage, .n = sizeof(storage)},
	};

	for (size_t i = 0; i < 3; i++)
		zip_add(&z, &members[i]);
	zip_end(&z);
	return z.file;
}

/* Wraps, parses, and checks the error; why NULL: it must succeed. */
static int check_pickle(const char *name, const void *data, size_t n,
			const char *order, const char *why)
{
	struct bytes pickle = {0}, file;
	struct bark_tensors *set = NULL;
	struct bark_error err;
	int r;

	put(&pickle, data, n);
	file = torch_file(&pickle, order);
	r = parse(&file, &set, &err);
	bark_tensors_free(set);
	clear_bytes(&pickle);
	clear_bytes(&file);
	if (why ? r < 0 && strstr(err.message, why) : r == 0)
		return 0;
	tap_not_ok(name, "a pickle gave %d: %s (%s)", r, err.message,
		   why ? why : "");
	return -1;
}

/* {'t': a tensor of f32}; elements, offset, sizes and strides are given. */
#define TENSOR(elements, offset, sizes, strides)                      \
	"\x80\2}X\1\0\0\0tctorch._utils\n_rebuild_tensor_v2\n(("      \
	"X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" "0"         \
	"X\3\0\0\0" "cpu" elements "tQ" offset sizes strides "\x89tRs."
#define HUGE_LONG "\x8a\x8\xff\xff\xff\xff\xff\xff\xff\x7f"

static void test_pickles(void)
{
	static const char name[] = "hostile pickles";
	static const struct {
		const char *data;
		size_t n;
		const char *why;
	} files[] = {
#define P(s, why) {s, sizeof(s) - 1, why}
		P(TENSOR("K\4", "K\0", "K\4\x85", "K\1\x85"), NULL),
		P(TENSOR("K\4", "K\2", "K\1K\2\x86", "K\7K\1\x86"), NULL),
		/* An expanded view: large, but all of one element. */
		P(TENSOR("K\4", "K\0", "J\xff\xff\xff\x7f\x85", "K\0\x85"),
		  NULL),
		P(TENSOR("K\5", "K\0", "K\4\x85", "K\1\x85"), "truncated"),
		P(TENSOR("J\xff\xff\xff\xff", "K\0", "K\4\x85", "K\1\x85"),
		  "no storage"),
		P(TENSOR(HUGE_LONG, "K\0", "K\4\x85", "K\1\x85"), "truncated"),
		P(TENSOR("K\4", "K\1", "K\4\x85", "K\1\x85"), "beyond"),
		P(TENSOR("K\4", "K\5", "K\0\x85", "K\1\x85"), "truncated"),
		P(TENSOR("K\4", "J\xff\xff\xff\xff", "K\1\x85", "K\1\x85"),
		  "bad sizes"),
		P(TENSOR("K\4", "K\0", "J\xff\xff\xff\xff\x85", "K\1\x85"),
		  "bad sizes"),
		P(TENSOR("K\4", "K\0", "K\2\x85", "J\xff\xff\xff\xff\x85"),
		  "bad sizes"),
		P(TENSOR("K\4", "K\0", "K\3K\3\x86", HUGE_LONG HUGE_LONG
			 "\x86"), "beyond"),
		P(TENSOR("K\4", "K\0", HUGE_LONG HUGE_LONG "\x86",
			 "K\0K\0\x86"), "overflows"),
		P(TENSOR("K\4", "K\0", "K\2\x85", "K\1K\1\x86"), "strides"),
		P(TENSOR("K\4", "K\0", "(K\1K\1K\1K\1K\1t",
			 "(K\1K\1K\1K\1K\1t"), "bad sizes"),
		P(TENSOR("K\4", "K\0", "N\x85", "K\1\x85"), "strides"),
		P("\x80\2cos\nsystem\nX\4\0\0\0true\x85R.", "os.system"),
		P("\x80\4\x8c\5posix\x8c\6system\x93.", "posix.system"),
		P("\x80\2cbuiltins\neval\n.", "builtins.eval"),
		P("\x80\2ctorch\nload\n.", "torch.load"),
		P("\x80\2c\x1b[2J\nx\n.", "?[2J.x"),
		P("\x80\2(X\4\0\0\0truei" "os\nsystem\n.", "opcode 0x69"),
		P("\x80\2\x82\1.", "opcode 0x82"),
		P("\x80\2ctorch\nFloatStorage\n)R.", "storage's type"),
		P("\x80\2X\1\0\0\0a)R.", "cannot be called"),
		P("\x80\2ccollections\nOrderedDict\nK\1\x85R.", "arguments"),
		P("\x80\2K\1Q.", "no storage"),
		P("\x80\1}.", "protocol"),
		P("\x80\2}q\0X\1\0\0\0ah\0s.", "no tensors"),
		P("\x80\2]q\0h\0a.", "not a dictionary"),
		P("\x80\2h\1.", "unknown shared"),
		P("\x80\2}r\xff\xff\xff\x7f.", "too many shared"),
		P("\x80\2}K\1K\2a.", "another container"),
		P("\x80\2}(K\1u.", "no container"),
		P("\x80\2(K\1d.", "without a value"),
		P("\x80\2X\xff\xff\xff\xff" "a.", "truncated"),
		P("\x80\2}", "truncated"),
		P("\x80\2}}.", "other than one"),
		P("\x80\2(}.", "other than one"),
		P("\x80\2K\1(0.", "empty stack"),
		P("\x80\2.", "other than one"),
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (check_pickle(name, files[i].data, files[i].n, "little",
				 files[i].why) < 0)
			return;
	if (check_pickle(name, files[0].data, files[0].n, "big",
			 "not little-endian") < 0)
		return;
	tap_ok(name);
}

/* n times `unit` between a protocol and a stop. */
static int check_many(const char *name, const char *unit, size_t len,
		      size_t n, const char *why)
{
	struct bytes b = {0};
	int r;

	put(&b, "\x80\2}q\0", 5);
	b.p = realloc(b.p, b.n + n * len + 2);
	for (size_t i = 0; i < n; i++, b.n += len)
		memcpy(b.p + b.n, unit, len);
	put(&b, ".", 1);
	r = check_pickle(name, b.p, b.n, "little", why);
	clear_bytes(&b);
	return r;
}

static void test_bombs(void)
{
	static const char name[] = "pickle bombs";
	struct bytes b = {0};

	if (check_many(name, "(", 1, 5000, "open marks") < 0 ||
	    check_many(name, "\x85", 1, 500000, "not a dictionary") < 0 ||
	    check_many(name, "\x85", 1, 2000000, "too many values") < 0 ||
	    check_many(name, "h\0", 2, 2000000, "values at once") < 0 ||
	    check_many(name, "X\1\0\0\0ah\0s", 9, 100000, "no tensors") < 0 ||
	    check_many(name, "q\0", 2, 9000000, "over 16777216") < 0)
		return;
	/* Lists of lists: 2^64 leaves to whoever walks them all. */
	put(&b, "\x80\2]q\0", 5);
	for (unsigned i = 0; i < 64; i++)
		put(&b, "]q\1(h\0h\0eq\0", 11);
	for (unsigned i = 0; i < 64; i++)
		put(&b, "\x86", 1);
	put(&b, ".", 1);
	if (check_pickle(name, b.p, b.n, "little", "not a dictionary") < 0)
		return;
	clear_bytes(&b);
	tap_ok(name);
}

/* Opcodes in any order, of which most programs fail, and none may crash. */
static void test_opcodes(void)
{
	static const char name[] = "opcodes at random";
	static const char *const words[] = {
		"(", "0", "1", "N", "\x88", "J\xff\xff\xff\xff", "K\3", "]",
		"}", ")", "a", "e", "l", "s", "u", "d", "t", "\x85", "\x86",
		"\x87", "q\1", "h\1", "\x94", "R", "b", "Q", "\x8c\1a",
		"ctorch\nFloatStorage\n", "ccollections\nOrderedDict\n",
		"ctorch._utils\n_rebuild_parameter\n", "cnumpy\ndtype\n",
		"ctorch._utils\n_rebuild_tensor_v2\n", "ctorch\nSize\n", ".",
	};
	const size_t n_words = sizeof(words) / sizeof(words[0]);
	uint32_t state = 77;

	for (unsigned i = 0; i < 30000; i++) {
		const unsigned n = 1 + next_random(&state) % 24;
		struct bytes b = {0}, file;

		put(&b, "\x80\2", 2);
		for (unsigned j = 0; j < n; j++)
			put_string(&b, words[next_random(&state) % n_words]);
		put(&b, ".", 1);
		file = torch_file(&b, "little");
		try_parse(file.p, file.n, NULL);
		clear_bytes(&b);
		clear_bytes(&file);
	}
	tap_ok(name);
}

int main(int argc, char **argv)
{
	root = argc > 1 ? argv[1] : ".";
	test_safetensors();
	test_bad_safetensors();
	test_header_length();
	test_suno();
	test_views();
	test_pickles();
	test_bombs();
	test_opcodes();
	return tap_failed;
}
