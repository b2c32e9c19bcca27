/* SPDX-License-Identifier: MIT */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "peer.h"

#define BACKLOG 64

static int take_inherited(struct listener *ret, int fd)
{
	int flags;

	if (sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) <= 0)
		return -EINVAL;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	*ret = (struct listener){.fd = fd, .inherited = true, .lock_fd = -1};
	return 0;
}

/* The folder is made private if it is new; its parents must be there. */
static int make_folder(const char *path)
{
	char *copy = strdup(path);
	int r = 0;

	if (!copy)
		return -ENOMEM;
	if (mkdir(dirname(copy), 0700) < 0 && errno != EEXIST)
		r = -errno;
	free(copy);
	return r;
}

/*
 * Two daemons that start at once must not both find the other's socket dead:
 * a lock beside it decides. It is left behind, as removing it would race.
 */
static int take_lock(int *ret, const char *path)
{
	char *name;
	int fd, r = 0;

	if (asprintf(&name, "%s.lock", path) < 0)
		return -ENOMEM;
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		r = -errno;
	free(name);
	if (r < 0)
		return r;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		r = errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
		close(fd);
		return r;
	}
	*ret = fd;
	return 0;
}

/* Removes a socket that nobody answers on. 0 also when there is none. */
static int remove_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, r;

	if (lstat(addr->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
	r = r < 0 ? -errno : 0;
	close(fd);
	/* -EAGAIN: it answers, but its backlog is full. */
	if (r != -ECONNREFUSED)
		return r == -ENOENT ? 0 : -EADDRINUSE;
	return unlink(addr->sun_path) < 0 ? -errno : 0;
}

static int bind_own(struct listener *l, const struct sockaddr_un *addr)
{
	mode_t mask;
	int r;

	r = remove_stale(addr);
	if (r < 0)
		return r;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return -errno;
	/* The mask, as chmod() after bind() would leave a moment open. */
	mask = umask(0177);
	r = bind(l->fd, (const struct sockaddr *)addr, sizeof(*addr));
	r = r < 0 ? -errno : 0;
	umask(mask);
	if (r < 0)
		return r;
	l->path = strdup(addr->sun_path);
	if (!l->path) {
		unlink(addr->sun_path);
		return -ENOMEM;
	}
	return listen(l->fd, BACKLOG) < 0 ? -errno : 0;
}

int listener_open(struct listener *ret, int inherited, const char *path)
{
	struct listener l = {.fd = -1, .lock_fd = -1};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int r;

	if (inherited >= 0)
		return take_inherited(ret, inherited);
	/* bind() would take an empty path for an abstract address, which has
	 * neither owner nor mode. */
	if (!path || !*path)
		return -ENOENT;
	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	r = make_folder(path);
	if (r == 0)
		r = take_lock(&l.lock_fd, path);
	if (r == 0)
		r = bind_own(&l, &addr);
	if (r < 0) {
		listener_close(&l);
		return r;
	}
	*ret = l;
	return 0;
}

/* The length of *ret, 0: not numeric. */
static socklen_t parse_address(const char *address, unsigned port,
			       struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	*ret = (struct sockaddr_storage){0};
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		return sizeof(*v6);
	}
	return 0;
}

/* Docker's bridge, for one, has its address after barkd has started. */
static int bind_late(int fd, const struct sockaddr_storage *addr, socklen_t n)
{
	int on = 1;
	bool v6 = addr->ss_family == AF_INET6;

	if (setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
		       v6 ? IPV6_FREEBIND : IP_FREEBIND, &on, sizeof(on)) < 0)
		return -errno;
	return bind(fd, (const struct sockaddr *)addr, n) < 0 ? -errno : 0;
}

int listener_open_tcp(struct listener *ret, const char *address,
		      unsigned port, bool *ret_late)
{
	struct sockaddr_storage addr;
	socklen_t n = parse_address(address, port, &addr);
	bool v6 = addr.ss_family == AF_INET6, late = false;
	int fd, on = 1, r = 0;

	if (!n)
		return -EINVAL;
	fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0);
	if (fd < 0)
		return -errno;
	/* A port that was ours a moment ago is ours again; :: is not 0.0.0.0
	 * as well, which may be another listener's. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
			      sizeof(on)) < 0) ||
	    bind(fd, (const struct sockaddr *)&addr, n) < 0)
		r = -errno;
	if (r == -EADDRNOTAVAIL) {
		r = bind_late(fd, &addr, n);
		late = true;
	}
	if (r == 0)
		r = barkd_peer_probe(fd);
	if (r == 0 && listen(fd, BACKLOG) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret = (struct listener){.fd = fd, .lock_fd = -1};
	*ret_late = late;
	return 0;
}

void listener_close(struct listener *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		close(l->fd);
	if (l->path)
		unlink(l->path);
	free(l->path);
	if (l->lock_fd >= 0)
		close(l->lock_fd);
	*l = (struct listener){.fd = -1, .lock_fd = -1};
}
