/* SPDX-License-Identifier: MIT */
/*
 * The layout is REPO/resolve/REV/FILE, and nothing lists the files: they are
 * tried by name, in the order in which the engine looks for them.
 */
#include "fetch.h"

#include <errno.h>
#include <fnmatch.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "copy.h"
#include "fetch_lists.h"
#include "files/npz.h"
#include "models.h"
#include "options.h"
#include "stage.h"
#include "transfer.h"
#include "weights.h"

#define MB ((uint64_t)1000000)
#define MAX_SMALL (16 * MB)
#define MAX_WEIGHTS (64000 * MB)
#define MAX_VOICE (4 * MB)
#define MAX_WAIT_S 30

struct fetch {
	const struct fetch_options *o;
	struct progress *progress;
	struct transfer *transfer;
	struct stage stage;
	const char *repo, *rev; /* files come from */
	unsigned unhashed;
	int status; /* once it was said why */
};

bool fetch_rev_ok(const char *rev)
{
	size_t n = strspn(rev, "abcdefghijklmnopqrstuvwxyz"
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/");

	return n > 0 && n <= 128 && !rev[n] && *rev != '/' && *rev != '.' &&
	       !strstr(rev, "..") && !strstr(rev, "//");
}

bool fetch_repo_ok(const char *repo)
{
	const char *slash = strchr(repo, '/');

	return fetch_rev_ok(repo) && slash && slash[1] && slash[1] != '.' &&
	       !strchr(slash + 1, '/');
}

/* --- one file --- */

static void on_begin(void *arg, uint64_t at)
{
	progress_resume(arg, at);
}

static void on_progress(void *arg, uint64_t at, uint64_t total)
{
	progress_update(arg, at, total);
}

/* BASE/REPO/resolve/REV/FILE; the revision is one part of the path. */
static char *address(const struct fetch *f, const char *file)
{
	size_t n = strlen(f->o->base);
	char rev[3 * 128 + 1], *p = rev, *url;

	for (const char *q = f->rev; *q && p < rev + sizeof(rev) - 4; q++) {
		if (*q == '/')
			p = stpcpy(p, "%2F");
		else
			*p++ = *q;
	}
	*p = '\0';
	while (n && f->o->base[n - 1] == '/')
		n--;
	if (asprintf(&url, "%.*s/%s/resolve/%s/%s", (int)n, f->o->base,
		     f->repo, rev, file) < 0)
		return NULL;
	return url;
}

static void wait_s(unsigned s)
{
	struct timespec left = {.tv_sec = s};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* Tries again while the line is to blame; bytes that came start the count
 * anew. */
static int transfer_persistently(struct fetch *f,
				 const struct transfer_file *file,
				 struct transfer_result *ret)
{
	uint64_t had = f->progress->at;
	unsigned tries = 0;
	int r;

	while ((r = transfer_get(f->transfer, file, ret)) == -EAGAIN) {
		unsigned pause;

		if (f->progress->at > had)
			tries = 0;
		had = f->progress->at;
		if (++tries >= f->o->tries)
			break;
		pause = 1u << (tries < 6 ? tries - 1 : 5);
		progress_note(f->progress, "%s: %s; again in %u s",
			      f->progress->file, transfer_why(f->transfer),
			      pause < MAX_WAIT_S ? pause : MAX_WAIT_S);
		wait_s(pause < MAX_WAIT_S ? pause : MAX_WAIT_S);
	}
	return r;
}

static void flatten(char *ret, size_t size, const char *file)
{
	snprintf(ret, size, "%s", file);
	for (char *p = ret; *p; p++) {
		if (*p == '/')
			*p = '+';
	}
}

/* Says why a file did not come, and what remains of the work. */
static int tell(struct fetch *f, const char *file, int r)
{
	const char *why = transfer_why(f->transfer);

	progress_clear(f->progress);
	switch (r) {
	case -ENOSPC:
	case -EDQUOT:
	case -EFBIG:
	case -EAGAIN:
	case -EIO:
		f->status = options_fail("%s: %s%s; the same command goes on where it ended",
					 file, why,
					 r == -EAGAIN ? "" : "; make room");
		break;
	case -ENOENT:
		f->status = options_fail("%s@%s has no %s", f->repo, f->rev,
					 file);
		break;
	default:
		f->status = options_fail("%s: %s", file, why);
	}
	return r;
}

/*
 * Brings the hub's file `from` to `file`, unless it is there. -ENOENT for one
 * that the hub does not have says nothing yet; any other failure does.
 */
static int bring(struct fetch *f, const char *from, const char *file,
		 uint64_t limit)
{
	struct transfer_result got = {0};
	char part[256], *url;
	int r;

	if (stage_has(&f->stage, file)) {
		if (f->progress->series)
			f->progress->series_at++;
		return 0;
	}
	flatten(part, sizeof(part), file);
	url = address(f, from);
	if (!url)
		return -ENOMEM;
	progress_begin(f->progress, file);
	r = transfer_persistently(f,
		&(struct transfer_file){
			.url = url, .dir = f->stage.parts, .part = part,
			.limit = limit, .begin = on_begin,
			.progress = on_progress, .arg = f->progress,
		}, &got);
	free(url);
	if (r == -ENOENT)
		return r;
	if (r)
		return tell(f, file, r);
	r = stage_finish(&f->stage, part, file);
	if (!r && !f->stage.commit[0] && f->repo == f->o->repo &&
	    got.commit[0] && fetch_rev_ok(got.commit)) {
		r = stage_pin(&f->stage, got.commit);
		f->rev = f->stage.commit;
	}
	if (r) {
		progress_clear(f->progress);
		f->status = options_fail("%s: %s", file, strerror(-r));
		return r;
	}
	f->unhashed += !got.hashed;
	progress_end(f->progress, got.size);
	return 0;
}

static int need(struct fetch *f, const char *file, uint64_t limit)
{
	int r = bring(f, file, file, limit);

	return r == -ENOENT ? tell(f, file, r) : r;
}

/* 0 if it is there or is not. */
static int want(struct fetch *f, const char *file)
{
	int r = bring(f, file, file, MAX_SMALL);

	return r == -ENOENT ? 0 : r;
}

/* --- weights --- */

static int bring_shards(struct fetch *f, const char *index)
{
	char why[256];
	json_t *names;
	size_t i;
	json_t *name;
	int r;

	r = fetch_shards(&names, f->stage.path, index, why, sizeof(why));
	if (r) {
		f->status = options_fail("%s", why);
		return r;
	}
	json_array_foreach(names, i, name) {
		r = need(f, json_string_value(name), MAX_WEIGHTS);
		if (r)
			break;
	}
	json_decref(names);
	return r;
}

static int bring_weights(struct fetch *f)
{
	static const char *const files[] = {
		"model.safetensors", "model.safetensors.index.json",
		"pytorch_model.bin", "pytorch_model.bin.index.json",
		"model.fp16.safetensors", "model.safetensors.index.fp16.json",
		"pytorch_model.fp16.bin", "pytorch_model.bin.index.fp16.json",
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const bool index = i % 2;
		int r = bring(f, files[i], files[i],
			      index ? FETCH_MAX_JSON : MAX_WEIGHTS);

		if (r == -ENOENT)
			continue;
		return !r && index ? bring_shards(f, files[i]) : r;
	}
	return -ENOENT;
}

/* suno's own: each net of the large shape, or of the small. */
static int bring_suno(struct fetch *f)
{
	for (size_t i = 0; i < BARK_PARTS; i++) {
		const char *const *files = bark_suno_files[i];
		int r = bring(f, files[0], files[0], MAX_WEIGHTS);

		if (r == -ENOENT)
			r = bring(f, files[1], files[1], MAX_WEIGHTS);
		if (r == -ENOENT && i > 0)
			return tell(f, files[1], r);
		if (r)
			return r;
	}
	return 0;
}

/* A config.json may stand beside suno's files, of which it says nothing. */
static int bring_any(struct fetch *f, bool config)
{
	int r = config ? bring_weights(f) : -ENOENT;

	if (r == -ENOENT && !f->status)
		r = bring_suno(f);
	if (r != -ENOENT || f->status)
		return r;
	f->status = config ?
		options_fail("%s@%s has neither model.safetensors nor pytorch_model.bin nor suno's text_2.pt or text.pt",
			     f->repo, f->rev) :
		options_fail("%s@%s has neither config.json nor text_2.pt nor text.pt: no Bark model, or no such name",
			     f->repo, f->rev);
	return r;
}

static bool has_vocab(const struct fetch *f)
{
	return stage_has(&f->stage, bark_vocab_names[0]) ||
	       stage_has(&f->stage, bark_vocab_names[1]);
}

static int bring_vocab(struct fetch *f)
{
	int r = want(f, bark_vocab_names[0]);

	return r || has_vocab(f) ? r : want(f, bark_vocab_names[1]);
}

static int bring_model(struct fetch *f)
{
	int r = bring(f, "config.json", "config.json", FETCH_MAX_JSON);
	const bool suno = r == -ENOENT;

	if (r && !suno)
		return r;
	if (!suno)
		r = want(f, "generation_config.json");
	else
		r = 0;
	if (!r)
		r = want(f, "tokenizer_config.json");
	/* The licence and what the model is for. */
	if (!r)
		r = want(f, "README.md");
	if (!r && !f->o->vocab)
		r = bring_vocab(f);
	if (!r)
		r = bring_any(f, !suno);
	if (!r && !f->o->vocab && !has_vocab(f)) {
		f->status = options_fail("%s has neither vocab.txt nor tokenizer.json; give the tokenizer's with --vocab, the rest is kept",
					 f->repo);
		r = -ENOENT;
	}
	return r;
}

/* --- voices --- */

/* One of the three files of a preset. Presets may lie with another repository,
 * which the list names. */
static int bring_preset(struct fetch *f, const struct fetch_preset *p,
			unsigned i, const char *elsewhere)
{
	char file[256];
	int r;

	snprintf(file, sizeof(file), "speaker_embeddings/%s_%s.npy", p->name,
		 bark_voice_arrays[i]);
	r = bring(f, p->files[i], file, MAX_VOICE);
	if (r == -ENOENT && elsewhere && f->repo == f->o->repo) {
		f->repo = elsewhere;
		f->rev = "main";
		r = bring(f, p->files[i], file, MAX_VOICE);
	}
	return r == -ENOENT ? tell(f, p->files[i], r) : r;
}

static int bring_presets(struct fetch *f, const struct fetch_presets *list)
{
	unsigned n = 0;
	int r = 0;

	for (size_t i = 0; i < list->n; i++)
		n += !fnmatch(f->o->voices, list->items[i].name, 0);
	if (!n) {
		f->status = options_fail("no voice of %s matches '%s'",
					 f->repo, f->o->voices);
		return -ENOENT;
	}
	progress_series(f->progress, "voices", 3 * n);
	for (size_t i = 0; i < list->n && !r; i++) {
		if (fnmatch(f->o->voices, list->items[i].name, 0))
			continue;
		for (unsigned k = 0; k < 3 && !r; k++)
			r = bring_preset(f, &list->items[i], k,
					 list->elsewhere);
	}
	if (!r)
		progress_series_end(f->progress);
	return r;
}

static int bring_voices(struct fetch *f)
{
	static const char file[] = "speaker_embeddings_path.json";
	struct fetch_presets list = {0};
	char why[256];
	int r;

	if (!strcmp(f->o->voices, "none"))
		return 0;
	r = want(f, file);
	if (r || !stage_has(&f->stage, file))
		return r;
	r = fetch_presets_read(&list, f->stage.path, file, why, sizeof(why));
	if (r)
		f->status = options_fail("%s", why);
	else if (list.n)
		r = bring_presets(f, &list);
	fetch_presets_clear(&list);
	return r;
}

/* --- all --- */

/* What came is read as the engine will, and then takes its place. */
static int install(struct fetch *f)
{
	int r, status;
	const char *vocab = bark_vocab_name(f->o->vocab ? f->o->vocab : "");

	progress_note(f->progress, "checking");
	if (f->o->vocab && !stage_has(&f->stage, vocab)) {
		r = copy_file(f->o->vocab, f->stage.path, vocab);
		if (r)
			return options_fail("%s: %s", f->o->vocab,
					    strerror(-r));
	}
	status = models_check(f->stage.path, NULL, false, NULL);
	if (status) {
		/* Without hashes, a byte may be wrong that nobody knows of. */
		if (f->unhashed)
			stage_discard(&f->stage);
		return status;
	}
	r = stage_install(&f->stage, f->o->name);
	if (r)
		return options_fail("%s cannot become %s: %s", f->stage.path,
				    f->o->name, strerror(-r));
	if (f->unhashed)
		progress_note(f->progress, "%u files without a hash from the server: only their sizes were checked",
			      f->unhashed);
	return EXIT_OK;
}

static int run(struct fetch *f)
{
	int r = bring_model(f);

	f->repo = f->o->repo;
	if (!r)
		r = bring_voices(f);
	if (r && !f->status)
		f->status = options_fail("%s", strerror(-r));
	return r ? f->status : install(f);
}

static int open_stage(struct fetch *f, const char *home)
{
	const char *name = f->o->name;
	char source[512];
	int r;

	snprintf(source, sizeof(source), "%s %s\n", f->o->repo, f->o->rev);
	r = stage_open(&f->stage, home, name, source);
	if (r == -EEXIST)
		return options_fail("%s/%s is there already; 'barkctl model remove %s' removes it",
				    home, name, name);
	if (r == -EBUSY)
		return options_fail("%s is being fetched already", name);
	return r ? options_fail("%s: %s", home, strerror(-r)) : EXIT_OK;
}

int fetch_model(const struct fetch_options *opts, struct progress *progress)
{
	struct fetch f = {.o = opts, .progress = progress, .repo = opts->repo,
			  .rev = opts->rev};
	char *home;
	int r, status;

	r = transfer_new(&f.transfer, opts->base, opts->token, opts->ca,
			 opts->timeout_s);
	if (r == -EINVAL)
		return options_fail("not the address of a hub, or not a token: '%s'",
				    opts->base);
	if (r)
		return options_fail("%s", strerror(-r));
	status = models_home(&home);
	if (status) {
		transfer_free(f.transfer);
		return status;
	}
	status = open_stage(&f, home);
	if (!status) {
		if (f.stage.commit[0])
			f.rev = f.stage.commit;
		status = run(&f);
		stage_close(&f.stage);
	}
	free(home);
	transfer_free(f.transfer);
	return status;
}
