/* SPDX-License-Identifier: MIT */
/* Voices: prompt histories from files, checked against a model. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "error.h"
#include "model.h"
#include "files/ints.h"
#include "files/map.h"

#define MAX_TOKENS ((size_t)1 << 20) /* of one row */

static _Atomic uint64_t last_id;

struct want {
	const char *member;
	unsigned rows; /* 0: one dimension */
	unsigned n;    /* codes 0..n-1 */
};

static int check(struct bark_ints *a, const struct want *want,
		 const char *file, struct bark_error *err)
{
	size_t columns, n;

	/* A batch of one. */
	if (want->rows == 0 && a->n_dims == 2 && a->dims[0] == 1)
		*a = (struct bark_ints){a->data, 1, {a->dims[1], 0}};
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

/* A dictionary of torch's. */
static int read_tensors(struct bark_ints ret[BARK_VOICE_ARRAYS], const char *path,
			const struct want wants[BARK_VOICE_ARRAYS],
			struct bark_error *err)
{
	struct bark_tensors *set = NULL;
	char label[160];
	int r;

	r = bark_tensors_open(&set, path, err);
	for (size_t i = 0; i < BARK_VOICE_ARRAYS && r == 0; i++) {
		const struct bark_tensor *t =
			bark_tensors_find(set, wants[i].member);

		snprintf(label, sizeof(label), "%.100s: %s",
			 bark_tensors_label(set), wants[i].member);
		r = t ? bark_ints_tensor(&ret[i], t, label, err)
		      : bark_fail(err, -ENOENT, "%s: no such array", label);
	}
	bark_tensors_free(set);
	return r;
}

static int read_triple(struct bark_ints ret[BARK_VOICE_ARRAYS], const char *prefix,
		       const struct want wants[BARK_VOICE_ARRAYS],
		       struct bark_error *err)
{
	char file[BARK_PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < BARK_VOICE_ARRAYS && r == 0; i++) {
		if (snprintf(file, sizeof(file), "%s_%s.npy", prefix,
			     wants[i].member) >= (int)sizeof(file))
			return bark_fail(err, -ENAMETOOLONG, "a voice's path "
					 "is too long");
		r = bark_npy_read(&ret[i], file, err);
	}
	return r;
}

/* By what is in it: an archive of numpy's, or what tensors may be kept in. */
static int read_file(struct bark_ints ret[BARK_VOICE_ARRAYS], const char *path,
		     const struct want wants[BARK_VOICE_ARRAYS], struct bark_error *err)
{
	int r = read_tensors(ret, path, wants, err);

	if (r != -ENODATA)
		return r;
	r = 0;
	for (size_t i = 0; i < BARK_VOICE_ARRAYS && r == 0; i++)
		r = bark_npz_read(&ret[i], path, wants[i].member, err);
	return r;
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
	const struct want wants[BARK_VOICE_ARRAYS] = {
		{bark_voice_arrays[0], 0, c->semantic.vocab},
		{bark_voice_arrays[1], c->coarse.n_codebooks, c->codebook_size},
		{bark_voice_arrays[2], c->fine.n_total, c->codebook_size},
	};
	struct bark_ints arrays[BARK_VOICE_ARRAYS] = {{0}};
	struct bark_voice *voice = NULL;
	struct stat st;
	bool archive = stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
	int r;

	r = archive ? read_file(arrays, path, wants, err)
		    : read_triple(arrays, path, wants, err);
	for (size_t i = 0; i < BARK_VOICE_ARRAYS && r == 0; i++)
		r = check(&arrays[i], &wants[i], bark_base_name(path), err);
	if (r == 0) {
		voice = calloc(1, sizeof(*voice));
		if (!voice)
			r = bark_fail(err, -ENOMEM, "out of memory");
	}
	if (r < 0) {
		for (size_t i = 0; i < BARK_VOICE_ARRAYS; i++)
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
