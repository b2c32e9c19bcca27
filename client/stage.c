/* SPDX-License-Identifier: MIT */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copy.h"
#include "paths.h"

#define PREFIX ".fetch-"
#define PARTS ".parts"
#define MAX_SOURCE 512

static int open_folder(int at, const char *name)
{
	int fd;

	if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(at, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Whether the name still leads to what was opened. */
static bool is_still(int at, const char *name, int fd)
{
	struct stat a, b;

	return !fstatat(at, name, &a, AT_SYMLINK_NOFOLLOW) && !fstat(fd, &b) &&
	       a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* Writes a small file whole. */
static int write_note(int at, const char *name, const char *text)
{
	const ssize_t n = (ssize_t)strlen(text);
	int fd, r = 0;

	fd = openat(at, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	errno = EIO;
	if (write(fd, text, (size_t)n) != n || fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r;
}

/* "" where there is none. */
static void read_note(char *ret, size_t size, int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	ret[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

static int take(struct stage *s, const char *name)
{
	s->dir = open_folder(s->home, s->hidden);
	if (s->dir < 0)
		return s->dir;
	if (flock(s->dir, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	/* The other one may have finished just now. */
	if (!is_still(s->home, s->hidden, s->dir))
		return -EBUSY;
	return faccessat(s->home, name, F_OK, AT_SYMLINK_NOFOLLOW) ? 0 :
								     -EEXIST;
}

static int begin(struct stage *s, const char *source)
{
	char was[MAX_SOURCE];

	s->parts = open_folder(s->dir, PARTS);
	if (s->parts < 0)
		return s->parts;
	read_note(was, sizeof(was), s->parts, "source");
	if (!strcmp(was, source)) {
		read_note(s->commit, sizeof(s->commit), s->parts, "commit");
		return 0;
	}
	close(s->parts);
	copy_empty_folder(s->dir);
	s->parts = open_folder(s->dir, PARTS);
	return s->parts < 0 ? s->parts :
			      write_note(s->parts, "source", source);
}

int stage_open(struct stage *s, const char *home, const char *name,
	       const char *source)
{
	int r = barkd_make_folders(home);

	*s = (struct stage){.home = -1, .dir = -1, .parts = -1};
	if (r)
		return r;
	if (strlen(source) >= MAX_SOURCE ||
	    snprintf(s->hidden, sizeof(s->hidden), PREFIX "%s", name) >=
		    (int)sizeof(s->hidden) ||
	    snprintf(s->path, sizeof(s->path), "%s/%s", home, s->hidden) >=
		    (int)sizeof(s->path))
		return -ENAMETOOLONG;
	s->home = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->home < 0)
		r = -errno;
	else if (!faccessat(s->home, name, F_OK, AT_SYMLINK_NOFOLLOW))
		r = -EEXIST;
	else
		r = take(s, name);
	if (!r)
		r = begin(s, source);
	if (r)
		stage_close(s);
	return r;
}

int stage_remove(const char *home, const char *name)
{
	char hidden[NAME_MAX + 1];
	int at, dir, r;

	at = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return -errno;
	snprintf(hidden, sizeof(hidden), PREFIX "%.64s", name);
	dir = openat(at, hidden,
		     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		r = -errno;
	else if (flock(dir, LOCK_EX | LOCK_NB) < 0)
		r = errno == EWOULDBLOCK ? -EBUSY : -errno;
	else
		r = copy_remove_folder(at, hidden);
	if (dir >= 0)
		close(dir);
	close(at);
	return r;
}

int stage_pin(struct stage *s, const char *commit)
{
	snprintf(s->commit, sizeof(s->commit), "%s", commit);
	return write_note(s->parts, "commit", commit);
}

bool stage_has(const struct stage *s, const char *file)
{
	return !faccessat(s->dir, file, F_OK, AT_SYMLINK_NOFOLLOW);
}

int stage_finish(struct stage *s, const char *part, const char *file)
{
	char path[PATH_MAX];

	if (strlen(file) >= sizeof(path))
		return -ENAMETOOLONG;
	strcpy(path, file);
	for (char *p = path; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		if (mkdirat(s->dir, path, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return renameat(s->parts, part, s->dir, file) < 0 ? -errno : 0;
}

int stage_install(struct stage *s, const char *name)
{
	copy_remove_folder(s->dir, PARTS);
	/* The folders below, too, before the name that all look for. */
	if (syncfs(s->dir) < 0)
		return -errno;
	return copy_appear(s->home, s->hidden, name);
}

void stage_discard(struct stage *s)
{
	copy_remove_folder(s->home, s->hidden);
}

void stage_close(struct stage *s)
{
	const int fds[] = {s->parts, s->dir, s->home};

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	s->home = s->dir = s->parts = -1;
}
