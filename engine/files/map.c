/* SPDX-License-Identifier: MIT */
#include "map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

/* What Git leaves in a large file's place where Git LFS is not installed. */
static bool is_lfs_pointer(const struct bark_map *map)
{
	static const char first[] = "version https://git-lfs";

	return map->size < 1024 && map->size >= sizeof(first) - 1 &&
	       !memcmp(map->data, first, sizeof(first) - 1);
}

int bark_map_open(struct bark_map *ret, const char *path,
		  struct bark_error *err)
{
	const char *name = bark_base_name(path);
	struct stat st;
	void *data;
	int fd, r = 0;

	/* O_NONBLOCK: a FIFO in a file's place must not hang the caller. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return bark_fail(err, -errno, "%s: %s", name, strerror(errno));
	if (fstat(fd, &st) < 0) {
		r = bark_fail(err, -errno, "%s: %s", name, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		r = bark_fail(err, -EINVAL, "%s: not a regular file", name);
	} else if (st.st_size == 0) {
		r = bark_fail(err, -EINVAL, "%s: the file is empty", name);
	} else if ((uintmax_t)st.st_size > SIZE_MAX / 2) {
		r = bark_fail(err, -EINVAL, "%s: the file is too large", name);
	} else {
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED,
			    fd, 0);
		if (data == MAP_FAILED) {
			r = bark_fail(err, -errno, "%s: cannot be mapped: %s",
				      name, strerror(errno));
		} else {
			ret->data = data;
			ret->size = (size_t)st.st_size;
		}
	}
	close(fd);
	if (r == 0 && is_lfs_pointer(ret)) {
		bark_map_close(ret);
		r = bark_fail(err, -EINVAL, "%s: a pointer of Git LFS stands in "
			      "the file's place; 'git lfs pull' fetches it",
			      name);
	}
	return r;
}

void bark_map_close(struct bark_map *map)
{
	if (map->data)
		munmap((void *)map->data, map->size);
	map->data = NULL;
	map->size = 0;
}

int bark_path_join(char ret[BARK_PATH_MAX], const char *dir, const char *name,
		   struct bark_error *err)
{
	if (snprintf(ret, BARK_PATH_MAX, "%s/%s", dir, name) < BARK_PATH_MAX)
		return 0;
	return bark_fail(err, -ENAMETOOLONG,
			 "%s: the directory's name is too long", name);
}

bool bark_path_find(char ret[BARK_PATH_MAX], const char *dir, const char *name)
{
	struct stat st;

	return bark_path_join(ret, dir, name, NULL) == 0 && stat(ret, &st) == 0;
}
