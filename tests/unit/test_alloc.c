/* SPDX-License-Identifier: MIT */
/*
 * Every allocation of opening a model or a voice fails in turn: the error is
 * -ENOMEM, nothing crashes, and nothing stays allocated.
 * Linked with --wrap for the allocator's functions; libraries keep theirs,
 * jansson but for a test of its own.
 */
#include <sys/mman.h>

#include "hostile.h"
#include "files/json.h"
#include "model.h"
#include "tap.h"

static const char *root;
static long countdown = -1; /* allocations until one fails; < 0: none */
static bool failed;         /* one did */
static size_t live;         /* allocations not freed */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__real_mmap(void *at, size_t n, int prot, int flags, int fd, off_t from);
int __real_munmap(void *at, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t from);
void *__wrap_mmap64(void *at, size_t n, int prot, int flags, int fd,
		    off_t from);
int __wrap_munmap(void *at, size_t n);
void __wrap_free(void *p);

static bool fails(void)
{
	if (countdown < 0 || countdown-- > 0)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : (live++, __real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : (live++, __real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t n)
{
	if (fails())
		return NULL;
	live += !p;
	return __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
	return fails() ? NULL : (live++, __real_aligned_alloc(align, n));
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : (live++, __real_strdup(s));
}

char *__wrap_strndup(const char *s, size_t n)
{
	return fails() ? NULL : (live++, __real_strndup(s, n));
}

void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t from)
{
	if (fails())
		return MAP_FAILED;
	live++;
	return __real_mmap(at, n, prot, flags, fd, from);
}

/* The name of mmap where offsets are asked to have 64 bits. */
void *__wrap_mmap64(void *at, size_t n, int prot, int flags, int fd, off_t from)
{
	return __wrap_mmap(at, n, prot, flags, fd, from);
}

int __wrap_munmap(void *at, size_t n)
{
	live--;
	return __real_munmap(at, n);
}

void __wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}

static int read_json(void)
{
	json_t *json = NULL;
	int r = bark_json_read(&json, temp_path("config.json"), NULL);

	json_decref(json);
	return r;
}

static int open_model(void)
{
	struct bark_model *m = NULL;
	int r = bark_model_open(&m, temp_dir, NULL, NULL);

	bark_model_unref(m);
	return r;
}

static int new_random(struct bark_model **ret)
{
	struct bark_config c;

	bark_config_published(&c, false);
	c.semantic.gpt.n_layer = c.coarse.gpt.n_layer = 1;
	c.fine.gpt.n_layer = 1;
	c.semantic.gpt.width = c.coarse.gpt.width = c.fine.gpt.width = 12;
	c.codec.n_filters = 2;
	return bark_model_random(ret, &c, BARK_PRECISION_INT8, 1);
}

static int make_random(void)
{
	struct bark_model *m = NULL;
	int r = new_random(&m);

	bark_model_unref(m);
	return r;
}

/* Saves it where open_model() finds it. */
static void save_random(void)
{
	struct bark_model *m;

	if (new_random(&m) < 0 ||
	    bark_model_save(m, temp_path("model.gguf"), NULL) < 0)
		abort();
	bark_model_unref(m);
	unlink(temp_path("config.json"));
}

static int open_voice(void)
{
	static struct bark_model model;
	struct bark_voice *v = NULL;
	int r;

	bark_config_published(&model.config, false);
	model.config.fine.n_total = 4;
	r = bark_voice_open(&v, &model, temp_path("voice.npz"), NULL);
	bark_voice_unref(v);
	return r;
}

/* Runs until no allocation is left to fail. */
static void run(const char *name, int (*what)(void))
{
	size_t before = live;
	long n = 0;
	int r;

	do {
		failed = false;
		countdown = n++;
		r = what();
		countdown = -1;
		if (failed && (r != -ENOMEM || live != before)) {
			tap_not_ok(name, "allocation %ld gave %d, %zd left", n,
				   r, (ssize_t)(live - before));
			return;
		}
	} while (failed);
	TAP_CHECK(name, r == 0 && n > 3 && live == before);
	tap_ok(name);
}

/* jansson goes on after some failures, without a byte of a string, and takes
 * others for mistakes in the file, which they must not be called. */
static void test_json(void)
{
	const char *name = "a JSON file is not called damaged";
	unsigned n_told = 0;
	int r;

	json_set_alloc_funcs(__wrap_malloc, __wrap_free);
	for (long n = 0; n == 0 || failed; n++) {
		failed = false;
		countdown = n;
		r = read_json();
		countdown = -1;
		TAP_CHECK(name, r == -ENOMEM || r == 0);
		n_told += r == -ENOMEM;
	}
	json_set_alloc_funcs(__real_malloc, __real_free);
	TAP_CHECK(name, r == 0 && n_told > 10);
	tap_ok(name);
}

int main(int argc, char **argv)
{
	root = argc > 1 ? argv[1] : ".";
	make_temp_dir();
	write_configs(root);
	copy_fixture(root, "pytorch_model.bin", "pytorch_model.bin");
	test_json();
	run("a torch file", open_model);
	copy_fixture(root, "tiny/model.safetensors", "model.safetensors");
	run("a safetensors file", open_model);
	run("random weights", make_random);
	save_random();
	run("a GGUF file", open_model);
	copy_fixture(root, "voice.npz", "voice.npz");
	run("a voice", open_voice);
	copy_fixture(root, "deflated.npz", "voice.npz");
	run("a compressed voice", open_voice);
	remove_temp_dir();
	return tap_failed;
}
