/* SPDX-License-Identifier: MIT */
/* Voices: prompt histories from numpy files, checked against a model. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "error.h"
#include "model.h"
#include "files/npz.h"

#define MAX_TOKENS ((size_t)1 << 20) /* of one row */
#define MAX_PATH 4096

static _Atomic uint64_t last_id;

struct want {
	const char *member;
	unsigned rows; /* 0: one dimension */
	unsigned n;    /* codes 0..n-1 */
};

static int check(const struct bark_ints *a, const struct want *want,
		 const char *file, struct bark_error *err)
{
	size_t columns, n;

	if (want->rows == 0 ? a->n_dims != 1
			    : a->n_dims != 2 || a->dims[0] != want->rows)
		return bark_fail(err, -EINVAL, "%s: %s has %zu rows where the "
				 "model has %u", file, want->member,
				 a->n_dims == 2 ? a->dims[0] : 1,
				 want->rows ? want->rows : 1);
	columns = want->rows ? a->dims[1] : a->dims[0];
	if (columns < 1 || columns > MAX_TOKENS)
		return bark_fail(err, -EINVAL, "%s: %s is of length %zu, not "
				 "in 1..%zu", file, want->member, columns,
				 MAX_TOKENS);
	n = columns * (want->rows ? want->rows : 1);
	for (size_t i = 0; i < n; i++)
		if (a->data[i] < 0 || (uint32_t)a->data[i] >= want->n)
			return bark_fail(err, -EINVAL, "%s: %s holds %d, not "
					 "in 0..%u", file, want->member,
					 a->data[i], want->n - 1);
	return 0;
}

/* path is an archive, or the prefix of three files. */
static int read_array(struct bark_ints *ret, const char *path, bool archive,
		      const struct want *want, struct bark_error *err)
{
	char file[MAX_PATH];
	int r;

	if (archive) {
		r = bark_npz_read(ret, path, want->member, err);
	} else if (snprintf(file, sizeof(file), "%s_%s.npy", path,
			    want->member) >= (int)sizeof(file)) {
		return bark_fail(err, -ENAMETOOLONG, "a voice's path is too "
				 "long");
	} else {
		r = bark_npy_read(ret, file, err);
	}
	return r < 0 ? r : check(ret, want, bark_base_name(path), err);
}

/* "de" of "de_speaker_3", as suno's presets are named; "" otherwise. */
static void language_of(char ret[4], const char *path)
{
	const char *name = bark_base_name(path);
	size_t n = strcspn(name, "_");

	ret[0] = '\0';
	if ((n == 2 || n == 3) && strncmp(name + n, "_speaker_", 9) == 0) {
		memcpy(ret, name, n);
		ret[n] = '\0';
	}
}

int bark_voice_open(struct bark_voice **ret, const struct bark_model *model,
		    const char *path, struct bark_error *err)
{
	const struct bark_config *c = &model->config;
	const struct want wants[] = {
		{"semantic_prompt", 0, c->semantic.vocab},
		{"coarse_prompt", c->coarse.n_codebooks, c->codebook_size},
		{"fine_prompt", c->fine.n_total, c->codebook_size},
	};
	struct bark_ints arrays[3] = {{0}};
	struct bark_voice *voice = NULL;
	struct stat st;
	bool archive = stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
	int r = 0;

	for (size_t i = 0; i < 3 && r == 0; i++)
		r = read_array(&arrays[i], path, archive, &wants[i], err);
	if (r == 0) {
		voice = calloc(1, sizeof(*voice));
		if (!voice)
			r = bark_fail(err, -ENOMEM, "out of memory");
	}
	if (r < 0) {
		for (size_t i = 0; i < 3; i++)
			bark_ints_clear(&arrays[i]);
		return r;
	}
	atomic_init(&voice->refs, 1);
	voice->id = atomic_fetch_add(&last_id, 1) + 1;
	voice->n_semantic = arrays[0].dims[0];
	voice->n_coarse = arrays[1].dims[1];
	voice->n_fine = arrays[2].dims[1];
	voice->semantic = arrays[0].data;
	voice->coarse = arrays[1].data;
	voice->fine = arrays[2].data;
	language_of(voice->language, path);
	*ret = voice;
	return 0;
}

struct bark_voice *bark_voice_ref(struct bark_voice *voice)
{
	atomic_fetch_add_explicit(&voice->refs, 1, memory_order_relaxed);
	return voice;
}

void bark_voice_unref(struct bark_voice *voice)
{
	if (!voice || atomic_fetch_sub_explicit(&voice->refs, 1,
						memory_order_acq_rel) > 1)
		return;
	free(voice->semantic);
	free(voice->coarse);
	free(voice->fine);
	free(voice);
}
