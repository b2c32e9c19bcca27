/* SPDX-License-Identifier: MIT */
/* Opening a model directory of either layout; references. */
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config.h"
#include "error.h"
#include "files/map.h"
#include "files/tensors.h"
#include "weights.h"

static const char gguf_file[] = "model.gguf";

/* What a model from files holds. */
struct storage {
	struct bark_arena arena;
	struct bark_tensors *sets[BARK_PARTS]; /* the distinct ones */
};

static void free_sets(struct bark_tensors *sets[BARK_PARTS])
{
	for (size_t i = 0; i < BARK_PARTS; i++) {
		bark_tensors_free(sets[i]);
		/* One file may hold several parts. */
		for (size_t j = BARK_PARTS; j-- > i;)
			if (sets[j] == sets[i])
				sets[j] = NULL;
	}
}

static void release(struct bark_model *model)
{
	struct storage *storage = model->storage;

	bark_weights_clear(model);
	if (!storage)
		return;
	bark_arena_clear(&storage->arena);
	free_sets(storage->sets);
	free(storage);
}

static bool exists(const char *dir, const char *name)
{
	char path[BARK_PATH_MAX];

	return bark_path_find(path, dir, name);
}

/* --- weights --- */

enum bk_dtype bark_precision_type(enum bark_precision precision)
{
	switch (precision) {
	case BARK_PRECISION_F32:
		return BK_F32;
	case BARK_PRECISION_BF16:
		return BK_BF16;
	case BARK_PRECISION_F16:
	case BARK_PRECISION_INT8:
	case BARK_PRECISION_Q4:
	case BARK_PRECISION_DEFAULT:
		break;
	}
	return BK_F16;
}

/* The plain C of 8-bit products is slower than that of floats. */
enum bark_precision bark_choose_precision(enum bark_precision wanted)
{
	struct bk_ops ops;

	if (wanted != BARK_PRECISION_DEFAULT)
		return wanted;
	bk_ops_init(&ops, ~0u);
	return ops.level == BK_LEVEL_C ? BARK_PRECISION_F32 :
					 BARK_PRECISION_INT8;
}

/* Takes the sets into the model's storage, which release() frees. */
static int load_weights(struct bark_model *model, struct storage *storage,
			const struct bark_names *names,
			enum bark_precision precision, struct bark_error *err)
{
	struct bark_file_source src;
	struct bk_ops ops;
	int r;

	bk_ops_init(&ops, ~0u);
	bark_file_source_init(&src, storage->sets,
			      bark_precision_type(precision), &ops, err);
	src.base.int8 = bark_precision_quantized(precision);
	src.base.q4 = precision == BARK_PRECISION_Q4;
	if (src.base.int8) {
		r = bk_pool_new(&src.base.pool, 0, 0);
		if (r < 0)
			return bark_fail(err, r, "no threads to quantize: %s",
					 strerror(-r));
	}
	r = bark_weights_load(model, &src.base, names);
	bk_pool_free(src.base.pool);
	storage->arena = src.base.arena;
	if (r < 0)
		return r;
	model->n_bytes = storage->arena.size + src.n_kept;
	/* Files that were converted whole need not stay mapped. */
	if (storage->sets[0] == storage->sets[BARK_PART_CODEC])
		return 0;
	for (size_t i = 0; i < BARK_PARTS; i++) {
		if (src.kept[i])
			continue;
		bark_tensors_free(storage->sets[i]);
		storage->sets[i] = NULL;
	}
	return 0;
}

static int open_transformers(struct bark_model *model, const char *dir,
			     enum bark_precision precision,
			     struct bark_error *err)
{
	struct storage *storage = model->storage;
	struct bark_tensors *set;
	int r;

	r = bark_config_transformers(&model->config, dir, err);
	if (r == 0)
		r = bark_tensors_open(&set, dir, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < BARK_PARTS; i++)
		storage->sets[i] = set;
	return load_weights(model, storage, &bark_names_transformers, precision,
			    err);
}

const char *const bark_suno_files[BARK_PARTS][2] = {
	{"text_2.pt", "text.pt"},
	{"coarse_2.pt", "coarse.pt"},
	{"fine_2.pt", "fine.pt"},
	{"encodec_24khz-d7cc33bc.th", "encodec_24khz-d7cc33bc.th"},
};

static const char *suno_file(const char *dir, enum bark_part part)
{
	const char *const *files = bark_suno_files[part];

	return files[!exists(dir, files[0])];
}

static int open_suno(struct bark_model *model, const char *dir,
		     enum bark_precision precision, struct bark_error *err)
{
	struct storage *storage = model->storage;
	char path[BARK_PATH_MAX];
	int r;

	for (unsigned i = 0; i < BARK_PARTS; i++) {
		r = bark_path_join(path, dir, suno_file(dir, i), err);
		if (r == 0)
			r = bark_tensors_open(&storage->sets[i], path, err);
		if (r < 0)
			return r;
	}
	r = bark_config_suno(&model->config, storage->sets[BARK_PART_SEMANTIC],
			     storage->sets[BARK_PART_COARSE],
			     storage->sets[BARK_PART_FINE], err);
	if (r < 0)
		return r;
	return load_weights(model, storage, &bark_names_suno, precision, err);
}

/*
 * The sizes and the sampling are config.json's where the file has one of
 * Bark's beside it, so that they can be changed there; else the file's own.
 * -EAGAIN: the file holds another precision than is wanted.
 */
static int open_gguf(struct bark_model *model, const char *dir,
		     enum bark_precision wanted, struct bark_error *err)
{
	struct storage *storage = model->storage;
	enum bark_precision held;
	struct bark_tensors *set;
	char path[BARK_PATH_MAX];
	int r;

	r = bark_path_join(path, dir, gguf_file, err);
	if (r == 0)
		r = bark_tensors_open(&set, path, err);
	if (r < 0)
		return r;
	held = bark_gguf_precision(set);
	if (wanted != BARK_PRECISION_DEFAULT &&
	    held != BARK_PRECISION_DEFAULT && held != wanted) {
		bark_tensors_free(set);
		return -EAGAIN;
	}
	for (size_t i = 0; i < BARK_PARTS; i++)
		storage->sets[i] = set;
	model->own_config = exists(dir, "config.json") &&
			    !bark_config_is_foreign(dir);
	if (model->own_config)
		r = bark_config_transformers(&model->config, dir, err);
	else
		r = bark_config_gguf(&model->config, set, err);
	return r < 0 ? r : bark_weights_gguf(model, set, err);
}

static int open_original(struct bark_model *model, const char *dir,
			 enum bark_precision precision, struct bark_error *err)
{
	const bool suno = exists(dir, suno_file(dir, BARK_PART_SEMANTIC));
	const bool weights = bark_tensors_in(dir);

	if (!suno && !weights && exists(dir, gguf_file))
		return bark_fail(err, -ENOENT, "%s: the weights are quantized to "
				 "another precision; this one needs the "
				 "original model", bark_base_name(dir));
	/* Beside suno's files, a config.json is theirs only with weights that it
	 * describes. */
	model->own_config = exists(dir, "config.json") &&
			    (!suno ||
			     (weights && !bark_config_is_foreign(dir)));
	if (model->own_config)
		return open_transformers(model, dir, precision, err);
	if (suno)
		return open_suno(model, dir, precision, err);
	return bark_fail(err, -ENOENT, "%s: none of config.json, text_2.pt, "
			 "text.pt and %s is there", bark_base_name(dir),
			 gguf_file);
}

enum bark_precision bark_saved_precision(const char *dir)
{
	enum bark_precision held;
	struct bark_tensors *set;
	char path[BARK_PATH_MAX];

	if (bark_path_join(path, dir, gguf_file, NULL) < 0 ||
	    bark_tensors_open(&set, path, NULL) < 0)
		return BARK_PRECISION_DEFAULT;
	held = bark_gguf_precision(set);
	bark_tensors_free(set);
	return held;
}

/* --- the model --- */

int bark_model_open(struct bark_model **ret, const char *path,
		    const struct bark_model_options *opts,
		    struct bark_error *err)
{
	static const struct bark_model_options defaults;
	struct bark_model *model;
	struct stat st;
	int r;

	if (!opts)
		opts = &defaults;
	if (stat(path, &st) < 0)
		return bark_fail(err, -errno, "%s: %s", bark_base_name(path),
				 strerror(errno));
	model = calloc(1, sizeof(*model));
	if (!model)
		return bark_fail(err, -ENOMEM, "out of memory");
	atomic_init(&model->refs, 1);
	model->release = release;
	model->storage = calloc(1, sizeof(struct storage));
	if (!model->storage)
		r = bark_fail(err, -ENOMEM, "out of memory");
	else if (exists(path, gguf_file) &&
		 (opts->precision == BARK_PRECISION_DEFAULT ||
		  bark_precision_quantized(opts->precision)))
		r = open_gguf(model, path, opts->precision, err);
	else
		r = -EAGAIN;
	if (r == -EAGAIN)
		r = open_original(model, path,
				  bark_choose_precision(opts->precision), err);
	if (r == 0)
		r = bark_model_open_tokenizer(model, path, opts->vocab, err);
	if (r < 0) {
		bark_model_unref(model);
		return r;
	}
	*ret = model;
	return 0;
}

struct bark_model *bark_model_ref(struct bark_model *model)
{
	atomic_fetch_add_explicit(&model->refs, 1, memory_order_relaxed);
	return model;
}

void bark_model_unref(struct bark_model *model)
{
	if (!model || atomic_fetch_sub_explicit(&model->refs, 1,
						memory_order_acq_rel) > 1)
		return;
	model->release(model);
	bark_tokenizer_free(model->tokenizer);
	free(model);
}

unsigned bark_model_rate(const struct bark_model *model)
{
	return model->config.codec.rate;
}

enum bark_precision bark_model_precision(const struct bark_model *model)
{
	if (model->int8)
		return model->q4 ? BARK_PRECISION_Q4 : BARK_PRECISION_INT8;
	if (model->type == BK_F16)
		return BARK_PRECISION_F16;
	return model->type == BK_BF16 ? BARK_PRECISION_BF16
				      : BARK_PRECISION_F32;
}

size_t bark_model_memory(const struct bark_model *model)
{
	return model->n_bytes;
}
