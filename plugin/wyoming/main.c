/* SPDX-License-Identifier: MIT */
/*
 * barkd-wyoming: barkd's voices for Home Assistant and others that speak
 * Wyoming. Each connection is a session of its own. What is spoken is never
 * logged.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "../host.h"
#include "event.h"
#include "peer.h"
#include "session.h"
#include "zeroconf.h"

#define DEFAULT_URI "tcp://127.0.0.1:10200"
#define DEFAULT_NAME "barkd"
#define CLIENTS_MAX 32
#define BACKLOG 16

struct server {
	sd_event *event;
	sd_event_source *io;
	int fd;            /* -1: stdin and stdout */
	char *path;        /* of our Unix socket, or NULL */
	struct zeroconf *zeroconf;
	struct session *sessions[CLIENTS_MAX];
	unsigned n;
};

static const char usage[] =
	"usage: barkd-wyoming [--uri URI] [--zeroconf[=NAME]]\n"
	"\n"
	"  --uri URI          where to listen: tcp://HOST:PORT, unix://PATH or stdio://\n"
	"                     (" DEFAULT_URI ")\n"
	"  --zeroconf[=NAME]  tell the local network of it, by Avahi (" DEFAULT_NAME ")\n"
	"  --version          print the version and exit\n"
	"  --help             print this and exit\n"
	"\n"
	"Serves barkd's voices by the Wyoming protocol; see barkd-wyoming(1).\n";

/* --- sessions --- */

static void on_ended(void *data, struct session *session)
{
	struct server *s = data;

	for (unsigned i = 0; i < s->n; i++)
		if (s->sessions[i] == session)
			s->sessions[i] = s->sessions[--s->n];
	if (s->fd < 0)
		sd_event_exit(s->event, 0);
}

/* Ends the session that has been idle longest; false: all are busy. */
static bool make_room(struct server *s)
{
	struct session *first = NULL;

	for (unsigned i = 0; i < s->n; i++)
		if (session_idle(s->sessions[i]) &&
		    (!first ||
		     session_moved(s->sessions[i]) < session_moved(first)))
			first = s->sessions[i];
	if (!first)
		return false;
	on_ended(s, first);
	session_free(first);
	return true;
}

static int begin(struct server *s, int in, int out)
{
	const struct session_owner owner = {
		.event = s->event, .ended = on_ended, .data = s,
	};
	int r = session_new(&s->sessions[s->n], &owner, in, out);

	if (r >= 0)
		s->n++;
	return r;
}

static void refuse(int fd)
{
	size_t n;
	char *text = event_format("error",
				  json_pack("{s:s, s:s}", "text",
					    "too many clients are connected",
					    "code", "busy"),
				  0, &n);

	if (text)
		send(fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	free(text);
	close(fd);
}

static int on_connection(sd_event_source *source, int fd, uint32_t revents,
			 void *userdata)
{
	int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct server *s = userdata;

	if (c < 0)
		return 0;
	if (s->path && barkd_peer_check(c, NULL) < 0)
		close(c);
	else if (s->n == CLIENTS_MAX && !make_room(s))
		refuse(c);
	else
		begin(s, c, c);
	return 0;
}

/* --- listening --- */

static int listen_tcp(struct server *s, const char *where)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	const char *colon = strrchr(where, ':');
	struct addrinfo *found;
	char host[256];
	int on = 1, r = -EINVAL;

	if (!colon || (size_t)(colon - where) >= sizeof(host))
		return -EINVAL;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - where), where);
	/* [::1] */
	if (*host == '[' && strlen(host) > 2) {
		memmove(host, host + 1, strlen(host));
		host[strlen(host) - 1] = '\0';
	}
	if (getaddrinfo(*host ? host : NULL, colon + 1, &hints, &found) != 0)
		return -EINVAL;
	s->fd = socket(found->ai_family,
		       SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0 ||
	    setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(s->fd, found->ai_addr, found->ai_addrlen) < 0 ||
	    listen(s->fd, BACKLOG) < 0)
		r = -errno;
	else
		r = barkd_peer_probe(s->fd);
	freeaddrinfo(found);
	return r;
}

static int listen_unix(struct server *s, const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct stat st;

	if (!*path || strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	/* What a crash left behind; another program's file is not ours. */
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	umask(0177);
	if (s->fd < 0 ||
	    bind(s->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(s->fd, BACKLOG) < 0)
		return -errno;
	s->path = strdup(path);
	return s->path ? 0 : -ENOMEM;
}

static int serve_stdio(struct server *s)
{
	int in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

	if (in < 0 || out < 0)
		return -errno;
	fcntl(in, F_SETFL, fcntl(in, F_GETFL) | O_NONBLOCK);
	fcntl(out, F_SETFL, fcntl(out, F_GETFL) | O_NONBLOCK);
	return begin(s, in, out);
}

static int start(struct server *s, const char *uri)
{
	int r;

	if (strncmp(uri, "tcp://", 6) == 0)
		r = listen_tcp(s, uri + 6);
	else if (strncmp(uri, "unix://", 7) == 0)
		r = listen_unix(s, uri + 7);
	else if (strcmp(uri, "stdio://") == 0)
		return serve_stdio(s);
	else
		r = -EINVAL;
	if (r == 0)
		r = sd_event_add_io(s->event, &s->io, s->fd, EPOLLIN,
				    on_connection, s);
	return r < 0 ? r : 0;
}

/* Without it, the service is there for who knows where it is. */
static void announce(struct server *s, const char *name)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = {0};
	socklen_t n = sizeof(a);
	bool v6;
	int r = -EINVAL;

	if (s->fd >= 0 && getsockname(s->fd, &a.any, &n) == 0 &&
	    (a.any.sa_family == AF_INET || a.any.sa_family == AF_INET6)) {
		v6 = a.any.sa_family == AF_INET6;
		/* A socket of :: takes both. */
		r = zeroconf_new(&s->zeroconf, s->event, name,
				 ntohs(v6 ? a.v6.sin6_port : a.v4.sin_port),
				 !v6 || IN6_IS_ADDR_UNSPECIFIED(&a.v6.sin6_addr),
				 v6);
	}
	if (r < 0)
		fprintf(stderr, "barkd-wyoming: cannot tell the network: %s\n",
			r == -EINVAL ? "it is no TCP port" : strerror(-r));
}

/* zeroconf: a name, or NULL. */
static int run(const char *uri, const char *zeroconf)
{
	struct server s = {.fd = -1};
	int r = host_event(&s.event);

	if (r >= 0)
		r = start(&s, uri);
	if (r < 0) {
		fprintf(stderr, "barkd-wyoming: cannot listen at %s: %s\n",
			uri, strerror(-r));
	} else {
		if (zeroconf)
			announce(&s, zeroconf);
		sd_notify(0, "READY=1");
		r = sd_event_loop(s.event);
	}
	zeroconf_free(s.zeroconf);
	while (s.n)
		session_free(s.sessions[--s.n]);
	sd_event_source_disable_unref(s.io);
	if (s.fd >= 0)
		close(s.fd);
	if (s.path)
		unlink(s.path);
	free(s.path);
	sd_event_unref(s.event);
	return r < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"uri", required_argument, NULL, 'u'},
		{"zeroconf", optional_argument, NULL, 'z'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *uri = DEFAULT_URI, *zeroconf = NULL;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", longs, NULL)) >= 0) {
		switch (c) {
		case 'u':
			uri = optarg;
			break;
		case 'z':
			zeroconf = optarg && *optarg ? optarg : DEFAULT_NAME;
			break;
		case 'V':
			puts("barkd-wyoming " BARKD_VERSION);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fprintf(stderr,
				"barkd-wyoming: wrong option %s; see barkd-wyoming --help\n",
				argv[optind - 1]);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr,
			"barkd-wyoming: wrong argument %s; see barkd-wyoming --help\n",
			argv[optind]);
		return 2;
	}
	return run(uri, zeroconf);
}
