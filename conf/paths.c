/* SPDX-License-Identifier: MIT */
#include "paths.h"
#include "paths_private.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int barkd_join(char **ret, const char *a, const char *b)
{
	size_t n = strlen(a);
	const char *slash = n && a[n - 1] == '/' ? "" : "/";

	return asprintf(ret, "%s%s%s", a, slash, b) < 0 ? -ENOMEM : 0;
}

/* The value of an environment variable that is set and absolute, as the XDG
 * specification wants it, or NULL. */
static const char *env_path(const char *name)
{
	const char *v = getenv(name);

	return v && v[0] == '/' ? v : NULL;
}

bool barkd_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool barkd_is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* $VAR/barkd, else $HOME/FALLBACK/barkd. */
static int home_dir(char **ret, const char *var, const char *fallback)
{
	const char *base = env_path(var), *home;

	if (base)
		return barkd_join(ret, base, "barkd");
	home = env_path("HOME");
	if (!home)
		return -ENOENT;
	return asprintf(ret, "%s/%s/barkd", home, fallback) < 0 ? -ENOMEM : 0;
}

int barkd_data_home(char **ret)
{
	return home_dir(ret, "XDG_DATA_HOME", ".local/share");
}

int barkd_config_path(char **ret)
{
	char *dir, *path;
	int r;

	r = home_dir(&dir, "XDG_CONFIG_HOME", ".config");
	if (r == 0) {
		r = barkd_join(&path, dir, "barkd.ini");
		free(dir);
		if (r < 0)
			return r;
		if (barkd_is_file(path)) {
			*ret = path;
			return 0;
		}
		free(path);
	} else if (r != -ENOENT) {
		return r;
	}
	if (!barkd_is_file("/etc/barkd/barkd.ini"))
		return -ENOENT;
	path = strdup("/etc/barkd/barkd.ini");
	if (!path)
		return -ENOMEM;
	*ret = path;
	return 0;
}

int barkd_socket_path(char **ret)
{
	const char *path = getenv("BARKD_SOCKET"), *dir;

	if (path && *path) {
		char *copy = strdup(path);

		if (!copy)
			return -ENOMEM;
		*ret = copy;
		return 0;
	}
	dir = env_path("XDG_RUNTIME_DIR");
	if (!dir)
		return -ENOENT;
	return barkd_join(ret, dir, "barkd/barkd.sock");
}

int barkd_each_data_dir(const char *what,
			int (*visit)(void *data, const char *dir), void *data)
{
	const char *dirs = getenv("XDG_DATA_DIRS");
	char *base, *dir, *copy, *save = NULL;
	int r;

	r = barkd_data_home(&base);
	if (r == 0) {
		r = barkd_join(&dir, base, what);
		free(base);
		if (r < 0)
			return r;
		r = visit(data, dir);
		free(dir);
	}
	if (r != -ENOENT)
		return r;

	copy = strdup(dirs && *dirs ? dirs : "/usr/local/share:/usr/share");
	if (!copy)
		return -ENOMEM;
	for (char *p = strtok_r(copy, ":", &save); p && r == -ENOENT;
	     p = strtok_r(NULL, ":", &save)) {
		if (p[0] != '/')
			continue;
		if (asprintf(&dir, "%s/barkd/%s", p, what) < 0) {
			r = -ENOMEM;
			break;
		}
		r = visit(data, dir);
		free(dir);
	}
	free(copy);
	return r;
}

unsigned barkd_module_dirs(const char *ret[2])
{
	const char *own = getenv("BARKD_SINK_DIR");

	ret[0] = own ? own : BARKD_MODULEDIR;
	ret[1] = BARKD_BUILD_MODULES;
	return own || !*ret[1] ? 1 : 2;
}

int barkd_make_folders(const char *dir)
{
	char path[PATH_MAX];

	if (strlen(dir) >= sizeof(path))
		return -ENAMETOOLONG;
	strcpy(path, dir);
	for (char *p = path + 1;; p++) {
		char was = *p;

		if (was && was != '/')
			continue;
		*p = 0;
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
		if (!was)
			return 0;
		*p = was;
	}
}
