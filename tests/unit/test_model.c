/* SPDX-License-Identifier: MIT */
/* Opening models: which weights land where, and what is refused. */
#include <errno.h>
#include <math.h>

#include "config.h"
#include "files/tensors_build.h"
#include "hostile.h"
#include "model.h"
#include "tap.h"
#include "test_model.h"
#include "tiny.h"
#include "../fixtures/files/expected.h"

static const char *root;

/* --- checksums, as make_files.py's --- */

struct sums {
	const double *expected;
	size_t n, at;
	double tolerance;
	bool differ;
};

static void compare(struct sums *s, const void *data, enum bk_dtype type,
		    size_t n)
{
	double sum = 0, size = 0;
	struct bk_ops ops;

	bk_ops_init(&ops, 0);
	for (size_t i = 0; i < n; i++) {
		float f;

		if (type == BK_F32)
			f = ((const float *)data)[i];
		else if (type == BK_F16)
			ops.f16_to_f32(&f, (const uint16_t *)data + i, 1);
		else
			ops.bf16_to_f32(&f, (const uint16_t *)data + i, 1);
		sum += f * (double)(i % 97 + 1);
		size += fabs(f) * (double)(i % 97 + 1);
	}
	if (s->at >= s->n ||
	    fabs(sum - s->expected[s->at]) > s->tolerance * size)
		s->differ = true;
	s->at++;
}

static void compare_linear(struct sums *s, const struct bark_linear *l)
{
	compare(s, l->w, l->type, (size_t)l->n * l->k);
	if (l->bias)
		compare(s, l->bias, BK_F32, l->n);
}

static void compare_norm(struct sums *s, const struct bark_norm *n, size_t k)
{
	compare(s, n->gain, BK_F32, k);
	if (n->bias)
		compare(s, n->bias, BK_F32, k);
}

static bool gpt_is(const struct bark_gpt_weights *g,
		   const struct bark_gpt_config *c, unsigned n_tables,
		   unsigned n_heads, struct sums s)
{
	for (unsigned i = 0; i < n_tables; i++)
		compare(&s, g->tables[i], g->type, (size_t)c->n_in * c->width);
	compare(&s, g->positions, BK_F32, (size_t)c->block_size * c->width);
	for (unsigned i = 0; i < n_heads; i++)
		compare_linear(&s, &g->heads[i]);
	for (unsigned i = 0; i < c->n_layer; i++) {
		const struct bark_gpt_layer *l = &g->layers[i];

		compare_norm(&s, &l->norm_1, c->width);
		compare_linear(&s, &l->att);
		compare_linear(&s, &l->out);
		compare_norm(&s, &l->norm_2, c->width);
		compare_linear(&s, &l->in_proj);
		compare_linear(&s, &l->out_proj);
	}
	compare_norm(&s, &g->norm, c->width);
	return !s.differ && s.at == s.n;
}

static void compare_conv(struct sums *s, const struct bark_conv *c)
{
	compare(s, c->w, BK_F32, (size_t)c->c_out * c->kernel * c->c_in);
	compare(s, c->bias, BK_F32, c->c_out);
}

static bool codec_is(const struct bark_codec_weights *w,
		     const struct bark_codec_config *c, struct sums s)
{
	const size_t n = w->lstm_width;

	for (unsigned i = 0; i < c->n_codebooks; i++)
		compare(&s, w->codebooks[i], BK_F32,
			(size_t)c->codebook_size * c->dim);
	compare_conv(&s, &w->first);
	for (unsigned i = 0; i < c->n_lstm; i++) {
		compare(&s, w->lstm[i].w_ih, BK_F32, 4 * n * n);
		compare(&s, w->lstm[i].w_hh, BK_F32, 4 * n * n);
		compare(&s, w->lstm[i].bias, BK_F32, 4 * n);
	}
	for (unsigned i = 0; i < c->n_ratios; i++) {
		const struct bark_upconv *u = &w->up[i];

		compare(&s, u->w, BK_F32,
			(size_t)u->c_out * u->kernel * u->c_in);
		compare(&s, u->bias, BK_F32, u->c_out);
		for (unsigned j = 0; j < c->n_residual; j++) {
			compare_conv(&s, &w->res[i][j].conv_1);
			compare_conv(&s, &w->res[i][j].conv_2);
			compare_conv(&s, &w->res[i][j].shortcut);
		}
	}
	compare_conv(&s, &w->last);
	return !s.differ && s.at == s.n;
}

static bool model_is_tiny(const struct bark_model *m, double tolerance)
{
	const struct bark_config *c = &m->config;

#define SUMS(a) (struct sums){a, sizeof(a) / sizeof(a[0]), 0, tolerance, false}
	return gpt_is(&m->semantic, &c->semantic.gpt, 1, 1,
		      SUMS(tiny_semantic)) &&
	       gpt_is(&m->coarse, &c->coarse.gpt, 1, 1, SUMS(tiny_coarse)) &&
	       gpt_is(&m->fine, &c->fine.gpt, 4, 3, SUMS(tiny_fine)) &&
	       codec_is(&m->codec, &c->codec, SUMS(tiny_codec));
}

/* --- directories --- */

static int open_as(struct bark_model **ret, enum bark_precision precision,
		   struct bark_error *err)
{
	const struct bark_model_options opts = {.precision = precision};

	*err = (struct bark_error){""};
	return bark_model_open(ret, temp_dir, &opts, err);
}

static void test_precisions(void)
{
	static const char *const files[] = {
		"model.safetensors", "pytorch_model.bin",
	};
	static const struct {
		enum bark_precision precision;
		enum bk_dtype type;
		double tolerance;
	} cases[] = {
		{BARK_PRECISION_F32, BK_F32, 1e-6},
		{BARK_PRECISION_F16, BK_F16, 1e-6},
		{BARK_PRECISION_BF16, BK_BF16, 4e-3},
	};
	static const char name[] = "precisions and containers";
	struct bark_model *m = NULL;
	struct bark_error err;

	write_configs(root);
	for (size_t i = 0; i < 6; i++) {
		const char *path = copy_fixture(root, i < 3 ? "tiny/model.safetensors"
						      : files[1], files[i / 3]);

		if (open_as(&m, cases[i % 3].precision, &err) < 0) {
			tap_not_ok(name, "%s", err.message);
			return;
		}
		TAP_CHECK(name, m->type == cases[i % 3].type);
		TAP_CHECK(name, model_is_tiny(m, cases[i % 3].tolerance));
		TAP_CHECK(name, bark_model_rate(m) == 1600);
		TAP_CHECK(name, bark_model_memory(m) > 10000 &&
			  bark_model_memory(m) < 60000);
		TAP_CHECK(name, !m->tokenizer);
		TAP_CHECK(name, m->fine.heads[0].w == m->fine.tables[1]);
		TAP_CHECK(name, bark_model_ref(m) == m);
		bark_model_unref(m);
		bark_model_unref(m);
		unlink(path);
	}
	bark_model_unref(NULL);
	tap_ok(name);
}

static void test_default(void)
{
	static const char name[] = "the default precision";
	const char *path = copy_fixture(root, "pytorch_model.bin",
					"pytorch_model.bin");
	struct bark_model *m = NULL;
	struct bark_error err;
	struct bk_ops ops;

	bk_ops_init(&ops, ~0u);
	TAP_CHECK(name, !open_as(&m, BARK_PRECISION_DEFAULT, &err));
	TAP_CHECK(name, bark_model_precision(m) ==
		  (ops.level == BK_LEVEL_C ? BARK_PRECISION_F32 :
					     BARK_PRECISION_INT8));
	bark_model_unref(m);
	unlink(path);
	tap_ok(name);
}

/* --- changed files --- */

static void test_refused(void)
{
	static const struct {
		const char *from, *to; /* in model.safetensors */
		const char *why;
	} cases[] = {
		{"\"semantic.lm_head.weight\"", "\"semantic.lm_heat.weight\"",
		 "no tensor semantic.lm_head.weight"},
		{"\"semantic.layers.1.attn.out_proj.bias\"",
		 "\"semantic.layers.1.attn.out_proj.bios\"",
		 "no tensor semantic.layers.1.attn.out_proj.bias"},
		{"\"semantic.layernorm_final.bias\"",
		 "\"coarse_acoustics.lm_head.bias\"",
		 "no tensor semantic.layernorm_final.bias"},
		{"[40,4]", "[4,40]", "is [4, 40] where the configuration asks "
		 "for [40, 4]"},
		{"\"shape\":[12,4]", "\"shape\":[4,12]", "[12, 4]"},
		{"\"shape\":[2,1,1]", "\"shape\":[1,2,1]",
		 "where the configuration asks for [2, 1, 1]"},
		{"\"codec_model.decoder.layers.0.conv.parametrizations.weight."
		 "original1\"", "\"codec_model.decoder.layers.0.conv."
		 "parametrizations.weight.original2\"",
		 "no tensor codec_model.decoder.layers.0.conv"},
		{"\"dtype\":\"F32\"", "\"dtype\":\"I32\"", "not a float"},
	};
	static const char name[] = "tensors that do not fit";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = read_fixture(root, "tiny/model.safetensors");
		struct bark_model *m = NULL;
		struct bark_error err;
		int r;

		TAP_CHECK(name, replace_bytes(&b, cases[i].from, cases[i].to));
		write_temp("model.safetensors", b.p, b.n);
		clear_bytes(&b);
		r = open_as(&m, BARK_PRECISION_F32, &err);
		if ((r != -EINVAL && r != -ENOTSUP) || m ||
		    !strstr(err.message, cases[i].why)) {
			tap_not_ok(name, "%s gave %d: %s", cases[i].why, r,
				   err.message);
			return;
		}
	}
	tap_ok(name);
}

static void test_extra_bias(void)
{
	static const char name[] = "a bias that the configuration denies";
	struct bytes b = read_fixture(root, "tiny/config.json");
	struct bark_model *m = NULL;
	struct bark_error err;
	unsigned char *p;

	copy_fixture(root, "tiny/model.safetensors", "model.safetensors");
	p = memmem(b.p, b.n, "\"semantic_config\"", 17);
	TAP_CHECK(name, p);
	p = memmem(p, b.n - (size_t)(p - b.p), "\"bias\": true", 12);
	TAP_CHECK(name, p);
	memcpy(p, "\"bias\":false", 12);
	write_temp("config.json", b.p, b.n);
	clear_bytes(&b);
	TAP_CHECK(name, open_as(&m, BARK_PRECISION_F32, &err) == -EINVAL);
	TAP_CHECK(name, strstr(err.message, "semantic.layers.0"));
	write_configs(root);
	tap_ok(name);
}

/* --- shards --- */

static const char index_file[] = "model.safetensors.index.json";

static int open_index(const char *text, struct bark_error *err)
{
	struct bark_tensors *set = NULL;
	size_t n = 0;
	int r;

	*err = (struct bark_error){""};
	write_temp(index_file, text, strlen(text));
	r = bark_tensors_open(&set, temp_dir, err);
	if (r == 0)
		n = bark_tensors_count(set);
	bark_tensors_free(set);
	return r < 0 ? r : (int)n;
}

static void test_shards(void)
{
	static const char name[] = "shards";
	static const char a[] = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],"
				"\"data_offsets\":[0,1]}}";
	static const char b[] = "{\"b\":{\"dtype\":\"U8\",\"shape\":[1],"
				"\"data_offsets\":[0,1]}}";
	struct bytes file = {0};
	struct bark_error err;

	unlink(temp_path("model.safetensors"));
	put_number(&file, sizeof(a) - 1, 8);
	put(&file, a, sizeof(a));
	write_temp("s1", file.p, file.n);
	memcpy(file.p + 8, b, sizeof(b));
	write_temp("s2", file.p, file.n);
	clear_bytes(&file);
	TAP_CHECK(name, open_index("{\"weight_map\":{\"a\":\"s1\","
				   "\"b\":\"s2\"}}", &err) == 2);
	TAP_CHECK(name, open_index("{\"weight_map\":{\"a\":\"s1\","
				   "\"b\":\"s1\"}}", &err) == -EINVAL &&
		  strstr(err.message, "b is not in s1"));
	TAP_CHECK(name, open_index("{\"weight_map\":{\"a\":\"s3\"}}", &err) ==
		  -ENOENT);
	TAP_CHECK(name, open_index("{\"weight_map\":{\"a\":\"../s1\"}}",
				   &err) == -EINVAL);
	TAP_CHECK(name, open_index("{\"weight_map\":{\"a\":\"..\"}}", &err) ==
		  -EINVAL);
	TAP_CHECK(name, open_index("{\"weight_map\":{\"a\":\"\"}}", &err) ==
		  -EINVAL);
	TAP_CHECK(name, open_index("{\"weight_map\":{\"a\":1}}", &err) ==
		  -EINVAL);
	TAP_CHECK(name, open_index("{\"weight_map\":{}}", &err) == -EINVAL);
	TAP_CHECK(name, open_index("{\"weight_map\":3}", &err) == -EINVAL);
	unlink(temp_path(index_file));
	tap_ok(name);
}

/* --- other names --- */

static void test_variants(void)
{
	/* The first by name, among those; whole names go first. */
	static const char *const names[] = {
		"pytorch_model.fp16.bin", "model.fp16.safetensors",
		"model.bf16.safetensors", "model.safetensors",
	};
	static const char name[] = "variants";
	static const char shard[] = "model.fp16-00001-of-00002.safetensors";
	static const char index[] = "model.safetensors.index.fp16.json";
	static const char map[] = "{\"weight_map\":{"
		"\"module.semantic.lm_head.weight\":"
		"\"model.fp16-00001-of-00002.safetensors\"}}";
	struct bark_model *m = NULL;
	struct bark_error err;

	unlink(temp_path("model.safetensors"));
	copy_fixture(root, "tiny/model.safetensors", shard);
	TAP_CHECK(name, open_as(&m, BARK_PRECISION_F32, &err) == -ENOENT);
	write_temp(index, map, sizeof(map) - 1);
	TAP_CHECK(name, !open_as(&m, BARK_PRECISION_F32, &err));
	TAP_CHECK(name, model_is_tiny(m, 1e-6));
	bark_model_unref(m);
	unlink(temp_path(index));
	unlink(temp_path(shard));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		copy_fixture(root, i ? "tiny/model.safetensors" : "pytorch_model.bin",
			     names[i]);
		TAP_CHECK(name, !open_as(&m, BARK_PRECISION_F32, &err));
		TAP_CHECK(name, model_is_tiny(m, 1e-6));
		bark_model_unref(m);
		/* What would go after it is not looked at. */
		if (i)
			write_temp(names[i - 1], "no weights", 10);
		TAP_CHECK(name, !open_as(&m, BARK_PRECISION_F32, &err));
		bark_model_unref(m);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(temp_path(names[i]));
	tap_ok(name);
}

/* torch's wrappers put their names into the tensors', anywhere. */
static void test_wrappers(void)
{
	static const struct {
		const char *from, *to; /* as long */
	} cases[] = {
		{"\"semantic.lm_head.weight\"",
		 "\"module._orig_mod.semantic.lm_head.weight\""},
		{"\"coarse_acoustics.layers.0.attn.out_proj.weight\"",
		 "\"coarse_acoustics._orig_mod.layers.0.module.attn.out_proj.weight\""},
	};
	static const char name[] = "wrappers' names in safetensors";
	struct bytes b = read_fixture(root, "tiny/model.safetensors"), out = {0};
	struct bark_model *m = NULL;
	struct bark_error err;
	size_t n = 0;
	char *header, *at;

	for (size_t i = 0; i < 8; i++)
		n |= (size_t)b.p[i] << 8 * i;
	header = strndup((char *)b.p + 8, n);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *longer = NULL;

		at = strstr(header, cases[i].from);
		TAP_CHECK(name, at);
		if (asprintf(&longer, "%.*s%s%s", (int)(at - header), header,
			     cases[i].to, at + strlen(cases[i].from)) < 0)
			abort();
		free(header);
		header = longer;
	}
	TAP_CHECK(name, strstr(header, "module._orig_mod.semantic") &&
		  strstr(header, "0.module.attn"));
	put_number(&out, strlen(header), 8);
	put_string(&out, header);
	put(&out, b.p + 8 + n, b.n - 8 - n);
	write_temp("model.safetensors", out.p, out.n);
	if (open_as(&m, BARK_PRECISION_F32, &err) < 0) {
		tap_not_ok(name, "%s", err.message);
		return;
	}
	TAP_CHECK(name, model_is_tiny(m, 1e-6));
	bark_model_unref(m);
	free(header);
	clear_bytes(&b);
	clear_bytes(&out);
	unlink(temp_path("model.safetensors"));
	tap_ok(name);
}

/* What Git leaves where Git LFS is missing, whichever file it is. */
static void test_lfs(void)
{
	static const char pointer[] =
		"version https://git-lfs.github.com/spec/v1\noid sha256:"
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
		"\nsize 1677721600\n";
	static const char *const files[] = {
		"vocab.txt", "model.safetensors", "config.json",
		"tokenizer_config.json",
	};
	static const char name[] = "pointers of Git LFS";

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct bark_model *m = NULL;
		struct bark_error err;
		int r;

		write_configs(root);
		copy_fixture(root, "tiny/model.safetensors", "model.safetensors");
		write_temp("vocab.txt", "[UNK]\na\nb\n", 10);
		write_temp(files[i], pointer, sizeof(pointer) - 1);
		r = open_as(&m, BARK_PRECISION_F32, &err);
		if (r != -EINVAL || !strstr(err.message, "git lfs pull") ||
		    !strstr(err.message, files[i])) {
			tap_not_ok(name, "%s gave %d: %s", files[i], r,
				   err.message);
			return;
		}
		unlink(temp_path(files[i]));
	}
	unlink(temp_path("vocab.txt"));
	unlink(temp_path("model.safetensors"));
	write_configs(root);
	tap_ok(name);
}

/* --- what is not there --- */

static void test_absent(void)
{
	static const char name[] = "files that are not there";
	struct bark_model *m = NULL;
	struct bark_error err;

	TAP_CHECK(name, open_as(&m, BARK_PRECISION_F32, &err) == -ENOENT &&
		  strstr(err.message, "pytorch_model.bin"));
	unlink(temp_path("config.json"));
	TAP_CHECK(name, open_as(&m, BARK_PRECISION_F32, &err) == -ENOENT &&
		  strstr(err.message, "text_2.pt"));
	copy_fixture(root, "suno.pt", "text.pt");
	TAP_CHECK(name, open_as(&m, BARK_PRECISION_F32, &err) == -ENOENT &&
		  strstr(err.message, "coarse.pt"));
	copy_fixture(root, "suno.pt", "coarse.pt");
	copy_fixture(root, "suno.pt", "fine.pt");
	copy_fixture(root, "views.th", "encodec_24khz-d7cc33bc.th");
	TAP_CHECK(name, open_as(&m, BARK_PRECISION_F32, &err) == -EINVAL &&
		  strstr(err.message, "semantic"));
	copy_fixture(root, "legacy.th", "text.pt");
	TAP_CHECK(name, open_as(&m, BARK_PRECISION_F32, &err) == -EINVAL &&
		  strstr(err.message, "torch's old format"));
	TAP_CHECK(name, bark_model_open(&m, temp_path("none"), NULL, &err) ==
		  -ENOENT);
	TAP_CHECK(name, bark_model_open(&m, temp_path("none"), NULL, NULL) ==
		  -ENOENT);
	tap_ok(name);
}

static void test_random(void)
{
	static const char name[] = "random weights";
	struct bark_model *a = NULL, *b = NULL, *half = NULL;
	struct bark_config c;
	double square = 0;
	size_t n;

	tiny_config(&c);
	TAP_CHECK(name, !bark_model_random(&a, &c, BARK_PRECISION_F32, 1));
	TAP_CHECK(name, !bark_model_random(&b, &c, BARK_PRECISION_F32, 1));
	TAP_CHECK(name, !bark_model_random(&half, &c, BARK_PRECISION_F16, 1));
	n = (size_t)c.semantic.gpt.n_in * c.semantic.gpt.width;
	TAP_CHECK(name, !memcmp(a->semantic.tables[0], b->semantic.tables[0],
				n * sizeof(float)));
	TAP_CHECK(name, memcmp(a->fine.tables[0], a->fine.tables[1], 1000));
	for (size_t i = 0; i < n; i++) {
		double v = ((const float *)a->semantic.tables[0])[i];

		square += v * v;
	}
	TAP_CHECK(name, fabs(sqrt(square / (double)n) - 0.02) < 0.001);
	TAP_CHECK(name, a->semantic.norm.gain[0] == 1);
	TAP_CHECK(name, bark_model_memory(half) < bark_model_memory(a));
	bark_model_unref(a);
	bark_model_unref(b);
	bark_model_unref(half);
	c.semantic.gpt.n_head = 3;
	TAP_CHECK(name, bark_model_random(&a, &c, BARK_PRECISION_F32, 1) == -EINVAL);
	tap_ok(name);
}

int main(int argc, char **argv)
{
	root = argc > 1 ? argv[1] : ".";
	make_temp_dir();
	test_precisions();
	test_default();
	test_refused();
	test_extra_bias();
	test_shards();
	test_variants();
	test_wrappers();
	test_lfs();
	test_absent();
	test_random();
	remove_temp_dir();
	return test_model_vocab(root) || tap_failed;
}
