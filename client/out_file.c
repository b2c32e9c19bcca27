/* SPDX-License-Identifier: MIT */
#include "out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void close_all(struct out_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->dir >= 0)
		close(f->dir);
	f->fd = f->dir = -1;
}

/* The folder and the name that a path leads to. */
static int open_folder(struct out_file *f, char *path)
{
	char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dir = !slash ? "." : slash == path ? "/" : path;

	if (strlen(name) >= sizeof(f->name))
		return -ENAMETOOLONG;
	strcpy(f->name, name);
	if (slash && slash != path)
		*slash = '\0';
	f->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return f->dir < 0 ? -errno : 0;
}

static void hide(struct out_file *f)
{
	snprintf(f->hidden, sizeof(f->hidden), ".%.200s.%ld", f->name,
		 (long)getpid());
}

static int open_new(struct out_file *f)
{
	/* It gets its name through /proc later. */
	if (!access("/proc/self/fd", X_OK)) {
		f->fd = openat(f->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC,
			       0666);
		if (f->fd >= 0)
			return 0;
		/* What file systems without it say. */
		if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)
			return -errno;
	}
	hide(f);
	f->fd = openat(f->dir, f->hidden,
		       O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	return f->fd < 0 ? -errno : 0;
}

/* Writes to what is there, instead of replacing it. */
static int open_there(struct out_file *f, const char *path)
{
	close_all(f);
	f->fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
	return f->fd < 0 ? -errno : 0;
}

int out_file_open(struct out_file *ret, const char *path)
{
	struct out_file f = { .fd = -1, .dir = -1 };
	struct stat st;
	char *real;
	int r;

	if (stat(path, &st) < 0) {
		real = strdup(path);
	} else if (!S_ISREG(st.st_mode)) {
		r = open_there(&f, path);
		*ret = f;
		return r;
	} else {
		/* A link stays one. */
		real = realpath(path, NULL);
		f.mode = st.st_mode & 0777;
	}
	if (!real)
		return -errno;
	r = open_folder(&f, real);
	free(real);
	if (r == 0)
		r = open_new(&f);
	/* The user may write the file, but not the folder that it is in. */
	if (r == -EACCES && f.mode)
		r = open_there(&f, path);
	if (r < 0)
		close_all(&f);
	*ret = f;
	return r;
}

/* rename() replaces, link() does not: a name of its own comes between. */
static int give_name(struct out_file *f)
{
	char self[64];

	if (f->hidden[0])
		return 0;
	hide(f);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", f->fd);
	if (linkat(AT_FDCWD, self, f->dir, f->hidden, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	f->hidden[0] = '\0';
	return -errno;
}

int out_file_keep(struct out_file *f)
{
	int r = 0;

	if (f->dir < 0) {
		r = close(f->fd) < 0 ? -errno : 0;
		f->fd = -1;
		return r;
	}
	if ((f->mode && fchmod(f->fd, f->mode) < 0) || fsync(f->fd) < 0)
		r = -errno;
	if (r == 0)
		r = give_name(f);
	if (r == 0 && renameat(f->dir, f->hidden, f->dir, f->name) < 0)
		r = -errno;
	if (r < 0) {
		out_file_drop(f);
		return r;
	}
	close_all(f);
	return 0;
}

void out_file_drop(struct out_file *f)
{
	if (f->dir >= 0 && f->hidden[0])
		unlinkat(f->dir, f->hidden, 0);
	close_all(f);
}
