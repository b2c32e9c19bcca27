/* SPDX-License-Identifier: MIT */
#include "copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model.h"
#include "paths.h"

#define MAX_DEPTH 3

bool copy_name_ok(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"0123456789._-");

	return n > 0 && n <= 64 && !name[n] && name[0] != '.';
}

static int write_all(int fd, const char *buf, size_t n)
{
	while (n) {
		ssize_t w = write(fd, buf, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		buf += w;
		n -= (size_t)w;
	}
	return 0;
}

static int copy_bytes(int in, int out)
{
	const size_t size = 1 << 20;
	char *buf = malloc(size);
	int r = buf ? 0 : -ENOMEM;

	while (!r) {
		ssize_t n = read(in, buf, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = -errno;
		else if (!n)
			break;
		else
			r = write_all(out, buf, (size_t)n);
	}
	if (!r && fsync(out) < 0)
		r = -errno;
	free(buf);
	return r;
}

static int copy_at(int from_dir, const char *from, int to_dir, const char *to)
{
	int in, out, r;

	in = openat(from_dir, from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return -errno;
	out = openat(to_dir, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (out < 0) {
		r = -errno;
		close(in);
		return r;
	}
	r = copy_bytes(in, out);
	if (close(out) < 0 && !r)
		r = -errno;
	close(in);
	return r;
}

int copy_appear(int dir, const char *hidden, const char *name)
{
	if (renameat2(dir, hidden, dir, name, RENAME_NOREPLACE) < 0) {
		struct stat st;

		/* Not every file system knows the flag. */
		if (errno != EINVAL && errno != ENOSYS)
			return -errno;
		if (!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
			return -EEXIST;
		if (renameat(dir, hidden, dir, name) < 0)
			return -errno;
	}
	fsync(dir);
	return 0;
}

static int open_target(const char *dir, const char *name, char *hidden,
		       size_t size)
{
	int r = barkd_make_folders(dir), fd;

	if (r)
		return r;
	snprintf(hidden, size, ".%s.%ld", name, (long)getpid());
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int copy_file(const char *from, const char *dir, const char *name)
{
	char hidden[NAME_MAX + 1];
	int fd, r;

	fd = open_target(dir, name, hidden, sizeof(hidden));
	if (fd < 0)
		return fd;
	r = copy_at(AT_FDCWD, from, fd, hidden);
	if (!r)
		r = copy_appear(fd, hidden, name);
	if (r)
		unlinkat(fd, hidden, 0);
	close(fd);
	return r;
}

static bool ends_in(const char *name, const char *const *ends)
{
	size_t n = strlen(name);

	for (; *ends; ends++) {
		size_t m = strlen(*ends);

		if (n > m && !strcmp(name + n - m, *ends))
			return true;
	}
	return false;
}

/* What copy_model() and copy_around_weights() do. */
struct copying {
	const char *vocab; /* or NULL */
	bool weights, configs;
	int (*fill)(void *arg, const char *folder); /* or NULL */
	void *arg;
};

static bool wanted_file(const struct copying *c, const char *name)
{
	static const char *const heavy[] = {".safetensors", ".bin", ".pt",
					    ".th", ".gguf", NULL};
	static const char *const light[] = {".json", ".txt", ".npz", ".npy",
					    ".md", NULL};

	/* model.safetensors.index.json, .index.fp16.json */
	if (ends_in(name, heavy) || strstr(name, ".index."))
		return c->weights;
	if (!strcmp(name, "config.json") ||
	    !strcmp(name, "generation_config.json"))
		return c->configs;
	return ends_in(name, light);
}

static bool wanted_folder(const char *name, int depth)
{
	if (depth == 0)
		return !strcmp(name, "voices") ||
		       !strcmp(name, "speaker_embeddings");
	return depth < MAX_DEPTH;
}

static int copy_folder(const struct copying *c, int from_dir, int to_dir,
		       int depth);

static int copy_folder_at(const struct copying *c, int from_dir, int to_dir,
			  const char *name, int depth)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int in, out, r = 0;

	if (mkdirat(to_dir, name, 0755) < 0)
		return -errno;
	in = openat(from_dir, name, flags);
	out = openat(to_dir, name, flags);
	if (in < 0 || out < 0)
		r = -errno;
	if (in >= 0 && out < 0)
		close(in);
	if (!r)
		r = copy_folder(c, in, out, depth + 1);
	if (out >= 0)
		close(out);
	return r;
}

static int copy_entry(const struct copying *c, int from_dir, int to_dir,
		      const char *name, int depth)
{
	const bool file = wanted_file(c, name);
	const bool folder = wanted_folder(name, depth);
	struct stat st;

	if (name[0] == '.' || (!file && !folder))
		return 0;
	/* A link that leads nowhere: the model was read without it. */
	if (fstatat(from_dir, name, &st, 0) < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : -errno;
	if (S_ISREG(st.st_mode) && file)
		return copy_at(from_dir, name, to_dir, name);
	if (S_ISDIR(st.st_mode) && folder)
		return copy_folder_at(c, from_dir, to_dir, name, depth);
	return 0;
}

/* Takes from_dir. */
static int copy_folder(const struct copying *c, int from_dir, int to_dir,
		       int depth)
{
	DIR *d = fdopendir(from_dir);
	struct dirent *e;
	int r = 0;

	if (!d) {
		r = -errno;
		close(from_dir);
		return r;
	}
	while (!r && (errno = 0, e = readdir(d)))
		r = copy_entry(c, dirfd(d), to_dir, e->d_name, depth);
	if (!r && errno)
		r = -errno;
	closedir(d);
	return r;
}

/* Takes d. */
static void empty(DIR *d)
{
	struct dirent *e;

	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) < 0 && errno == EISDIR)
			copy_remove_folder(dirfd(d), e->d_name);
	}
	closedir(d);
}

static DIR *open_dir(int dir, const char *name)
{
	int fd = openat(dir, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

void copy_empty_folder(int dir)
{
	DIR *d = open_dir(dir, ".");

	if (d)
		empty(d);
}

int copy_remove_folder(int dir, const char *name)
{
	DIR *d = open_dir(dir, name);

	if (d)
		empty(d);
	return unlinkat(dir, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int complete(const struct copying *c, int out, const char *dir,
		    const char *hidden)
{
	char path[PATH_MAX];

	if (c->vocab) {
		/* Only one of the two counts. */
		unlinkat(out, bark_vocab_names[0], 0);
		unlinkat(out, bark_vocab_names[1], 0);
		return copy_at(AT_FDCWD, c->vocab, out,
			       bark_vocab_name(c->vocab));
	}
	if (!c->fill)
		return 0;
	if (snprintf(path, sizeof(path), "%s/%s", dir, hidden) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	return c->fill(c->arg, path);
}

static int copy_as(const struct copying *c, const char *from, const char *dir,
		   const char *name)
{
	char hidden[NAME_MAX + 1];
	int fd, in, out = -1, r = 0;

	fd = open_target(dir, name, hidden, sizeof(hidden));
	if (fd < 0)
		return fd;
	if (!faccessat(fd, name, F_OK, 0)) {
		close(fd);
		return -EEXIST;
	}
	in = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (in < 0 || mkdirat(fd, hidden, 0755) < 0) {
		r = -errno;
	} else {
		out = openat(fd, hidden, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = out < 0 ? -errno :
			      copy_folder(c, dup(in), out, 0);
	}
	if (!r)
		r = complete(c, out, dir, hidden);
	if (!r)
		r = copy_appear(fd, hidden, name);
	if (r && out >= 0)
		copy_remove_folder(fd, hidden);
	if (out >= 0)
		close(out);
	if (in >= 0)
		close(in);
	close(fd);
	return r;
}

int copy_model(const char *from, const char *vocab, const char *dir,
	       const char *name)
{
	const struct copying c = {.vocab = vocab, .weights = true,
				  .configs = true};

	return copy_as(&c, from, dir, name);
}

int copy_around_weights(const char *from, bool configs, const char *dir,
			const char *name,
			int (*fill)(void *arg, const char *folder), void *arg)
{
	const struct copying c = {.configs = configs, .fill = fill, .arg = arg};

	return copy_as(&c, from, dir, name);
}
