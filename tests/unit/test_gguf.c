/* SPDX-License-Identifier: MIT */
/* Quantised models in a file: the same as made at load, and files that are
 * cut, changed or cannot be written. */
#include <signal.h>
#include <sys/resource.h>

#include "codec.h"
#include "files/tensors_build.h"
#include "hostile.h"
#include "stages.h"
#include "tap.h"
#include "tiny.h"

static const char *root;
static struct bark_compute compute;
static const int32_t ids[] = {5, 9, 7, 12, 4, 8};

/* All codes and all sound of a text; the caller frees both. */
static bool speak(const struct bark_model *m, int32_t **ret_codes,
		  float **ret_pcm, size_t *ret_frames)
{
	const unsigned books = m->config.fine.n_total;
	struct bark_timeline_options opts;
	struct bark_codec *codec;
	struct bark_timeline t;

	bark_timeline_defaults(&opts, &m->config, BARK_MODE_EXACT);
	opts.no_eos = true;
	opts.max_semantic = 20;
	if (bark_timeline_init(&t, &compute, m, NULL, &opts) < 0 ||
	    bark_codec_new(&codec, &compute, m) < 0)
		return false;
	t.sampler.seed = 7;
	bark_timeline_begin(&t, ids, sizeof(ids) / sizeof(ids[0]));
	while (bark_timeline_step(&t))
		;
	*ret_frames = t.n_fine;
	*ret_codes = calloc(t.n_fine * books + 1, sizeof(**ret_codes));
	*ret_pcm = calloc(t.n_fine * m->config.codec.hop + 1,
			  sizeof(**ret_pcm));
	memcpy(*ret_codes, t.fine + t.fine_base * books,
	       t.n_fine * books * sizeof(**ret_codes));
	bark_codec_decode(codec, *ret_codes, t.n_fine, *ret_pcm);
	bark_codec_free(codec);
	bark_timeline_clear(&t);
	return true;
}

static bool say_the_same(const struct bark_model *a, const struct bark_model *b)
{
	const size_t books = a->config.fine.n_total;
	const size_t hop = a->config.codec.hop;
	int32_t *codes[2];
	float *pcm[2];
	size_t n[2];
	bool same;

	if (!speak(a, &codes[0], &pcm[0], &n[0]) ||
	    !speak(b, &codes[1], &pcm[1], &n[1]))
		return false;
	same = n[0] > 0 && n[0] == n[1] &&
	       !memcmp(codes[0], codes[1], n[0] * books * sizeof(*codes[0])) &&
	       !memcmp(pcm[0], pcm[1], n[0] * hop * sizeof(*pcm[0]));
	for (size_t i = 0; i < 2; i++) {
		free(codes[i]);
		free(pcm[i]);
	}
	return same;
}

static int open_as(struct bark_model **ret, enum bark_precision precision,
		   struct bark_error *err)
{
	const struct bark_model_options opts = {.precision = precision};

	*err = (struct bark_error){""};
	return bark_model_open(ret, temp_dir, &opts, err);
}

/* With a configuration beside the file and, its own keys alone, without. */
static void test_same_from_file(const char *name,
				enum bark_precision precision)
{
	struct bark_model *made = NULL, *loaded = NULL;
	struct bark_error err;
	struct bark_config c;

	tiny_config(&c);
	c.fine.tied = false;
	c.loudness = -20.5f;
	for (unsigned i = 0; i < 2; i++, c.fine.tied = true) {
		const char *path = temp_path("model.gguf");

		TAP_CHECK(name, !bark_model_random(&made, &c, precision, 9));
		TAP_CHECK(name, !bark_model_save(made, path, &err));
		TAP_CHECK(name, bark_model_save(made, path, &err) == -EEXIST &&
			  strstr(err.message, "model.gguf"));
		TAP_CHECK(name, !open_as(&loaded, BARK_PRECISION_DEFAULT,
					 &err));
		TAP_CHECK(name, bark_model_precision(loaded) == precision);
		TAP_CHECK(name, bark_saved_precision(temp_dir) == precision);
		TAP_CHECK(name, loaded->config.fine.tied == c.fine.tied &&
			  loaded->config.semantic.rate == c.semantic.rate &&
			  loaded->config.codec.hop == c.codec.hop &&
			  loaded->config.loudness == c.loudness);
		TAP_CHECK(name, bark_model_memory(loaded) <=
			  bark_model_memory(made));
		TAP_CHECK(name, say_the_same(made, loaded));
		bark_model_unref(loaded);
		bark_model_unref(made);
		unlink(path);
	}
	tap_ok(name);
}

static struct bytes read_whole(const char *path)
{
	struct bytes b = {0};
	FILE *file = fopen(path, "rb");
	unsigned char part[4096];
	size_t n;

	while (file && (n = fread(part, 1, sizeof(part), file)) > 0)
		put(&b, part, n);
	if (file)
		fclose(file);
	return b;
}

static void copy_files(const char *from)
{
	static const char *const names[] = {
		"config.json", "generation_config.json", "model.safetensors",
	};
	char path[4096];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct bytes b;

		snprintf(path, sizeof(path), "%s/tests/%s/%s", root, from,
			 names[i]);
		b = read_whole(path);
		write_temp(names[i], b.p, b.n);
		clear_bytes(&b);
	}
}

static void test_preferred(const char *name, enum bark_precision precision,
			   enum bark_precision another)
{
	struct bark_model *f32 = NULL, *made = NULL, *loaded = NULL;
	struct bark_error err;

	copy_files("parity/fixtures/small/model");
	unlink(temp_path("model.gguf"));
	TAP_CHECK(name, bark_saved_precision(temp_dir) ==
				BARK_PRECISION_DEFAULT);
	TAP_CHECK(name, !open_as(&made, precision, &err));
	TAP_CHECK(name, !open_as(&f32, BARK_PRECISION_F32, &err));
	TAP_CHECK(name, bark_model_save(f32, temp_path("model.gguf"), &err) ==
		  -EINVAL && strstr(err.message, "not quantized"));
	TAP_CHECK(name, !bark_model_save(made, temp_path("model.gguf"), &err));
	bark_model_unref(f32);
	TAP_CHECK(name, !open_as(&f32, BARK_PRECISION_F32, &err));
	TAP_CHECK(name, bark_model_precision(f32) == BARK_PRECISION_F32);
	TAP_CHECK(name, !open_as(&loaded, another, &err));
	TAP_CHECK(name, bark_model_precision(loaded) == another);
	bark_model_unref(loaded);
	unlink(temp_path("model.safetensors"));
	TAP_CHECK(name, !open_as(&loaded, BARK_PRECISION_DEFAULT, &err));
	TAP_CHECK(name, bark_model_precision(loaded) == precision);
	TAP_CHECK(name, say_the_same(made, loaded));
	bark_model_unref(loaded);
	TAP_CHECK(name, open_as(&loaded, BARK_PRECISION_F16, &err) == -ENOENT &&
		  strstr(err.message, "needs the original"));
	TAP_CHECK(name, open_as(&loaded, another, &err) == -ENOENT &&
		  strstr(err.message, "needs the original"));
	bark_model_unref(made);
	bark_model_unref(f32);
	tap_ok(name);
}

/* Leaves a file that is small enough to be damaged everywhere. */
static void test_small(const char *name, enum bark_precision precision)
{
	struct bark_model *m = NULL;
	struct bark_error err;

	copy_files("fixtures/files/tiny");
	unlink(temp_path("model.gguf"));
	TAP_CHECK(name, !open_as(&m, precision, &err));
	TAP_CHECK(name, !bark_model_save(m, temp_path("model.gguf"), &err));
	bark_model_unref(m);
	m = NULL;
	TAP_CHECK(name, !open_as(&m, precision, &err));
	bark_model_unref(m);
	tap_ok(name);
}

static int try_parse(const unsigned char *data, size_t n, void *arg)
{
	struct bark_tensors *set;
	int r = bark_tensors_parse(&set, data, n, "file", NULL);
	unsigned sum = 0;

	if (r < 0)
		return r;
	/* All that is named can be read. */
	for (size_t i = 0; i < bark_tensors_count(set); i++) {
		const struct bark_tensor *t = bark_tensors_at(set, i);

		for (size_t j = 0; j < t->n_bytes; j++)
			sum += ((const unsigned char *)t->data)[j];
	}
	*(unsigned *)arg += sum;
	bark_tensors_free(set);
	return 0;
}

static void test_damaged(const char *name)
{
	struct bytes whole = read_whole(temp_path("model.gguf")), cut;
	struct bark_model *m = NULL;
	struct bark_error err;
	uint32_t state = 99;
	unsigned sum = 0;

	TAP_CHECK(name, whole.n > 10000);
	TAP_CHECK(name, !try_parse(whole.p, whole.n, &sum));
	/* The last tensor's padding is all that may be cut off. */
	TAP_CHECK(name, damage(&whole, 2000, try_parse, &sum) < 64);
	for (size_t n = 0; n < whole.n - 64; n += 1 + n / 16) {
		write_temp("model.gguf", whole.p, n);
		TAP_CHECK(name, open_as(&m, BARK_PRECISION_DEFAULT, &err) < 0);
		TAP_CHECK(name, strstr(err.message, "model.gguf"));
	}
	for (unsigned i = 0; i < 300; i++) {
		uint32_t at = next_random(&state);

		cut = (struct bytes){0};
		put(&cut, whole.p, whole.n);
		cut.p[at / 8 % 12000 % cut.n] ^= (unsigned char)(1 << at % 8);
		write_temp("model.gguf", cut.p, cut.n);
		clear_bytes(&cut);
		if (!open_as(&m, BARK_PRECISION_DEFAULT, &err))
			bark_model_unref(m);
		else
			TAP_CHECK(name, err.message[0]);
	}
	write_temp("model.gguf", whole.p, whole.n);
	clear_bytes(&whole);
	tap_ok(name);
}

static void test_contradictory(void)
{
	static const struct {
		const char *from, *to, *why;
	} cases[] = {
		{"GGUF\3", "GGUF\2", "version 2"},
		{"GGUF", "GGMF", "not a safetensors"},
		{"bark\13", "bork\13", "general.architecture is bork"},
		{"groups-128", "groups-256", "bark.layout is"},
		{"layout.version", "layout.vorsion", "bark.layout is"},
		{"bark.codec.hop", "bark.codec.dim", "bark.codec.dim is there "
		 "twice"},
		{"lm_head.weight.scale", "lm_head.weight.scole",
		 "no tensor semantic.lm_head.weight.scale"},
		{"layernorm_1.weight", "layernorm_2.weight",
		 "layernorm_2.weight is there twice"},
		{"layers.1.attn.out_proj.bias", "layers.1.attn.out_proj.bios",
		 "no tensor semantic.layers.1.attn.out_proj.bias"},
		/* The alignment's 64 as 8: places do not follow each other. */
		{"general.alignment\4", "general.olignment\4", "lies at"},
	};
	static const char name[] = "contradictory files";
	struct bytes whole = read_whole(temp_path("model.gguf"));

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bark_model *m = NULL;
		struct bark_error err;
		struct bytes b = {0};
		int r;

		put(&b, whole.p, whole.n);
		TAP_CHECK(name, replace_bytes(&b, cases[i].from, cases[i].to));
		write_temp("model.gguf", b.p, b.n);
		clear_bytes(&b);
		r = open_as(&m, BARK_PRECISION_DEFAULT, &err);
		if ((r != -EINVAL && r != -ENOTSUP) || m ||
		    !strstr(err.message, cases[i].why)) {
			tap_not_ok(name, "%s gave %d: %s", cases[i].why, r,
				   err.message);
			return;
		}
	}
	write_temp("model.gguf", whole.p, whole.n);
	clear_bytes(&whole);
	tap_ok(name);
}

/* Writes the file with `width` bytes changed, `at` behind a tensor's name. */
static bool write_changed(const struct bytes *whole, const char *tensor,
			  size_t at, uint64_t value, size_t width)
{
	struct bytes b = {0};
	unsigned char *p;

	put(&b, whole->p, whole->n);
	p = memmem(b.p, b.n, tensor, strlen(tensor));
	for (size_t i = 0; p && i < width; i++)
		p[strlen(tensor) + at + i] = (unsigned char)(value >> 8 * i);
	write_temp("model.gguf", b.p, b.n);
	clear_bytes(&b);
	return p != NULL;
}

/* A tensor's name is followed by the number of its dimensions, those, the
 * type and the place. */
static void test_changed_tensors(void)
{
	static const struct {
		size_t at, width;
		uint64_t value;
		const char *why;
	} cases[] = {
		{0, 4, 5, "has 5 dimensions"},
		{4, 8, UINT64_MAX, "the shape overflows"},
		{4, 8, (uint64_t)1 << 40, "is not all there"},
		{4, 8, 8, "shape"},
		{28, 4, 0, "is of type f32, not i32"},
		{28, 4, 8, "is of type 8"},
		{32, 8, 64, "lies at 64"},
	};
	static const char name[] = "tensors of other sizes, types and places";
	static const char tensor[] = "semantic.lm_head.weight.sum";
	struct bytes whole = read_whole(temp_path("model.gguf"));

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bark_model *m = NULL;
		struct bark_error err;
		int r;

		TAP_CHECK(name, write_changed(&whole, tensor, cases[i].at,
					      cases[i].value, cases[i].width));
		r = open_as(&m, BARK_PRECISION_DEFAULT, &err);
		if ((r != -EINVAL && r != -ENOTSUP) || m ||
		    !strstr(err.message, cases[i].why) ||
		    !strstr(err.message, tensor)) {
			tap_not_ok(name, "%s gave %d: %s", cases[i].why, r,
				   err.message);
			return;
		}
	}
	write_temp("model.gguf", whole.p, whole.n);
	clear_bytes(&whole);
	tap_ok(name);
}

static void test_other_configuration(void)
{
	static const char name[] = "a file and a configuration that differ";
	struct bytes b = read_fixture(root, "tiny/config.json");
	struct bark_model *m = NULL;
	struct bark_error err;

	TAP_CHECK(name, !open_as(&m, BARK_PRECISION_DEFAULT, &err));
	bark_model_unref(m);
	m = NULL;
	TAP_CHECK(name, replace_bytes(&b, "\"hidden_size\": 4", "\"hidden_size\": 8"));
	write_temp("config.json", b.p, b.n);
	clear_bytes(&b);
	TAP_CHECK(name, open_as(&m, BARK_PRECISION_DEFAULT, &err) == -EINVAL);
	TAP_CHECK(name, strstr(err.message, "coarse_acoustics.input_embeds_layer"));
	tap_ok(name);
}

static void test_full_disk(void)
{
	static const char name[] = "a file that cannot be written is removed";
	const char *path = temp_path("full.gguf");
	struct bark_model *m = NULL;
	struct rlimit was, small;
	struct bark_error err;
	struct bark_config c;
	int r;

	tiny_config(&c);
	TAP_CHECK(name, !bark_model_random(&m, &c, BARK_PRECISION_INT8, 1));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	small = (struct rlimit){30000, was.rlim_max};
	setrlimit(RLIMIT_FSIZE, &small);
	r = bark_model_save(m, path, &err);
	setrlimit(RLIMIT_FSIZE, &was);
	TAP_CHECK(name, r == -EFBIG && strstr(err.message, "full.gguf"));
	TAP_CHECK(name, access(path, F_OK) < 0);
	TAP_CHECK(name, !bark_model_save(m, path, &err));
	bark_model_unref(m);
	tap_ok(name);
}

int main(int argc, char **argv)
{
	root = argc > 1 ? argv[1] : ".";
	bk_ops_init(&compute.ops, ~0u);
	if (bk_pool_new(&compute.pool, 2, 0) < 0)
		return 1;
	make_temp_dir();
	test_same_from_file("a file says what was saved, to the bit",
			    BARK_PRECISION_INT8);
	test_same_from_file("a q4 file says what was saved, to the bit",
			    BARK_PRECISION_Q4);
	test_preferred("a q4 model.gguf is preferred where it is there",
		       BARK_PRECISION_Q4, BARK_PRECISION_INT8);
	test_preferred("model.gguf is preferred where it is there",
		       BARK_PRECISION_INT8, BARK_PRECISION_Q4);
	test_small("a q4 model of four channels", BARK_PRECISION_Q4);
	test_damaged("a damaged q4 file is refused or harmless");
	test_small("a model of four channels", BARK_PRECISION_INT8);
	test_damaged("a damaged file is refused or harmless");
	test_contradictory();
	test_changed_tensors();
	test_other_configuration();
	test_full_disk();
	remove_temp_dir();
	bk_pool_free(compute.pool);
	return tap_failed;
}
