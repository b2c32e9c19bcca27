/* SPDX-License-Identifier: MIT */
/* Voices, and all of the published ones where they are at hand. */
#include <errno.h>
#include <unistd.h>

#include "files/npz.h"
#include "hostile.h"
#include "model.h"
#include "tap.h"

static const char *root;

/* A voice is checked against dimensions alone. */
static struct bark_model model;

static int open_voice(struct bark_voice **ret, const char *path,
		      struct bark_error *err)
{
	*err = (struct bark_error){""};
	return bark_voice_open(ret, &model, path, err);
}

static void use_tiny(void)
{
	bark_config_published(&model.config, false);
	model.config.semantic.vocab = 10;
	model.config.codebook_size = 8;
	model.config.fine.n_total = 4;
}

static void test_npz(void)
{
	static const char name[] = "an archive";
	struct bytes b = read_fixture(root, "voice.npz");
	const char *path = write_temp("voice.npz", b.p, b.n);
	struct bark_voice *v = NULL, *w = NULL;
	struct bark_error err;

	TAP_CHECK(name, !open_voice(&v, path, &err));
	TAP_CHECK(name, v->n_semantic == 9 && v->n_coarse == 36 &&
		  v->n_fine == 36 && v->semantic[8] == 8 &&
		  v->coarse[36] == 36 % 8 && v->fine[143] == 143 % 7);
	TAP_CHECK(name, !open_voice(&w, path, &err));
	TAP_CHECK(name, v->id && w->id && v->id != w->id);
	TAP_CHECK(name, bark_voice_ref(v) == v);
	bark_voice_unref(v);
	bark_voice_unref(v);
	bark_voice_unref(w);
	bark_voice_unref(NULL);
	clear_bytes(&b);
	tap_ok(name);
}

static void test_prefix(void)
{
	static const char name[] = "three files";
	const int32_t semantic[] = {1, 2, 3};
	const int32_t coarse[] = {1, 2, 3, 4, 5, 6, 7, 0};
	const int32_t fine[] = {1, 2, 3, 4};
	struct bark_voice *v = NULL;
	struct bark_error err;

	TAP_CHECK(name, open_voice(&v, temp_path("x"), &err) == -ENOENT);
	TAP_CHECK(name, !bark_npy_write_i32(temp_path("x_semantic_prompt.npy"),
					    semantic, 1, (size_t[]){3}));
	TAP_CHECK(name, !bark_npy_write_i32(temp_path("x_coarse_prompt.npy"),
					    coarse, 2, (size_t[]){2, 4}));
	TAP_CHECK(name, open_voice(&v, temp_path("x"), &err) == -ENOENT &&
		  strstr(err.message, "fine_prompt"));
	TAP_CHECK(name, !bark_npy_write_i32(temp_path("x_fine_prompt.npy"),
					    fine, 2, (size_t[]){4, 1}));
	TAP_CHECK(name, !open_voice(&v, temp_path("x"), &err));
	TAP_CHECK(name, v->n_semantic == 3 && v->n_coarse == 4 &&
		  v->n_fine == 1 && v->coarse[4] == 5 && v->fine[3] == 4);
	bark_voice_unref(v);
	TAP_CHECK(name, open_voice(&v, temp_dir, &err) == -ENOENT);
	tap_ok(name);
}

static void test_refused(void)
{
	static const char name[] = "voices that do not fit";
	static const struct {
		int32_t semantic, coarse, fine; /* a value in each */
		size_t n, rows, total, m;       /* sizes */
		const char *why;
	} cases[] = {
		{10, 0, 0, 3, 2, 4, 5, "semantic_prompt holds 10"},
		{-1, 0, 0, 3, 2, 4, 5, "semantic_prompt holds -1"},
		{9, 8, 0, 3, 2, 4, 5, "coarse_prompt holds 8"},
		{9, 7, 8, 3, 2, 4, 5, "fine_prompt holds 8"},
		{0, 0, 0, 0, 2, 4, 5, "semantic_prompt is of length 0"},
		{0, 0, 0, 3, 3, 4, 5, "coarse_prompt has 3 rows"},
		{0, 0, 0, 3, 2, 8, 5, "fine_prompt has 8 rows"},
		{0, 0, 0, 3, 2, 4, 0, "coarse_prompt is of length 0"},
		{0, 0, 0, (1 << 20) + 1, 2, 4, 5, "is of length 1048577"},
	};
	int32_t *values[3];

	for (size_t i = 0; i < 3; i++)
		values[i] = calloc((1 << 20) + 1, sizeof(int32_t));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct bark_ints arrays[3] = {
			{values[0], 1, {cases[i].n, 0}},
			{values[1], 2, {cases[i].rows, cases[i].m}},
			{values[2], 2, {cases[i].total, cases[i].m}},
		};
		struct bark_voice *v = NULL;
		const char *path = temp_path("bad.npz");
		struct bark_error err;
		int r;

		values[0][1] = cases[i].semantic;
		values[1][1] = cases[i].coarse;
		values[2][1] = cases[i].fine;
		TAP_CHECK(name, !bark_npz_write_voice(path, &arrays[0],
						      &arrays[1], &arrays[2]));
		r = open_voice(&v, path, &err);
		if (r != -EINVAL || !strstr(err.message, cases[i].why)) {
			tap_not_ok(name, "%s gave %d: %s", cases[i].why, r,
				   err.message);
			return;
		}
	}
	for (size_t i = 0; i < 3; i++)
		free(values[i]);
	tap_ok(name);
}

/* --- the published voices --- */

static char reference[4096];
static unsigned n_opened, n_failed;

static int open_one(const char *path, const struct stat *st, int type,
		    struct FTW *ftw)
{
	const char *dot = strrchr(path, '.');
	struct bark_voice *v = NULL;
	struct bark_error err;

	if (type != FTW_F || !dot || strcmp(dot, ".npz"))
		return 0;
	if (open_voice(&v, path, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		n_failed++;
		return 0;
	}
	n_opened++;
	bark_voice_unref(v);
	return 0;
}

/* Sums as in make_files.py, by numpy: of value times (index mod 97 + 1). */
static int64_t checksum(const int32_t *values, size_t n)
{
	int64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += values[i] * (int64_t)(i % 97 + 1);
	return sum;
}

static void test_published(void)
{
	static const char name[] = "published voices";
	static const struct {
		const char *file;
		size_t n_semantic, n_coarse, n_fine;
		int64_t semantic, coarse, fine;
	} spots[] = {
		{"announcer.npz", 499, 750, 750, 74612662, 41629544,
		 177119766},
		{"v2/en_speaker_6.npz", 309, 464, 464, 32092888, 22272194,
		 104324322},
		{"v2/zh_speaker_0.npz", 248, 372, 372, 42814790, 20871069,
		 84620186},
		{"v2/tr_speaker_8.npz", 247, 371, 371, 38666334, 20312181,
		 84746158},
	};
	struct stat st;

	if (stat(reference, &st) < 0) {
		tap_skip(name, "no reference voices");
		return;
	}
	bark_config_published(&model.config, false);
	nftw(reference, open_one, 8, FTW_PHYS);
	TAP_CHECK(name, n_failed == 0 && n_opened == 131);
	for (size_t i = 0; i < sizeof(spots) / sizeof(spots[0]); i++) {
		struct bark_voice *v = NULL;
		struct bark_error err;
		char path[4200];

		snprintf(path, sizeof(path), "%s/%s", reference, spots[i].file);
		TAP_CHECK(name, !open_voice(&v, path, &err));
		TAP_CHECK(name, v->n_semantic == spots[i].n_semantic &&
			  v->n_coarse == spots[i].n_coarse &&
			  v->n_fine == spots[i].n_fine);
		TAP_CHECK(name, checksum(v->semantic, v->n_semantic) ==
			  spots[i].semantic);
		TAP_CHECK(name, checksum(v->coarse, 2 * v->n_coarse) ==
			  spots[i].coarse);
		TAP_CHECK(name, checksum(v->fine, 8 * v->n_fine) ==
			  spots[i].fine);
		bark_voice_unref(v);
	}
	tap_ok(name);
}

/* Voices as other programs saved them, where they are at hand. */
static void test_saved(void)
{
	static const char name[] = "voices of other programs";
	static const char *const files[] = {
		"anna.pth", "coqui.pth", "batch1.npz", "t_float32.npz",
	};
	struct bark_voice *v = NULL;
	struct bark_error err;
	char path[4200];

	bark_config_published(&model.config, false);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/../shared/faults/%s", root,
			 files[i]);
		if (access(path, R_OK)) {
			tap_skip(name, "no such files");
			return;
		}
		if (open_voice(&v, path, &err) < 0) {
			tap_not_ok(name, "%s", err.message);
			return;
		}
		TAP_CHECK(name, v->n_semantic == 309 && v->n_coarse == 464 &&
			  v->n_fine == 464);
		TAP_CHECK(name, !memcmp(v->coarse, v->fine,
					2 * 464 * sizeof(int32_t)));
		bark_voice_unref(v);
	}
	snprintf(path, sizeof(path), "%s/../shared/faults/fine_none.npz", root);
	TAP_CHECK(name, open_voice(&v, path, &err) == -EINVAL &&
		  strstr(err.message, "fine_prompt: Python objects"));
	tap_ok(name);
}

int main(int argc, char **argv)
{
	const char *dir = getenv("BARKD_REFERENCE");

	root = argc > 1 ? argv[1] : ".";
	if (dir)
		snprintf(reference, sizeof(reference), "%s/voices", dir);
	else
		snprintf(reference, sizeof(reference),
			 "%s/../shared/reference/voices", root);
	make_temp_dir();
	use_tiny();
	test_npz();
	test_prefix();
	test_refused();
	test_published();
	test_saved();
	remove_temp_dir();
	return tap_failed;
}
