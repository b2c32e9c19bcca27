/* SPDX-License-Identifier: MIT */
#include "encoding.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUEUE_SAMPLES (64 * 1024) /* that wait for the program */
#define READ_BYTES (32 * 1024)	  /* taken from it at a time */

struct encoding {
	const struct encoding_handler *handler;
	void *data;
	struct encoder *encoder; /* here; NULL: by the program */
	/* The program. */
	int fd;
	sd_event_source *io;
	float *queue;	     /* QUEUE_SAMPLES, sent from `sent` on */
	size_t n_queue;	     /* samples */
	size_t sent;	     /* bytes of the queue */
	size_t want;	     /* samples that room() waits for */
	bool finishing, paused, over;
	unsigned char head[4]; /* of a packet: its length */
	size_t n_head, left;   /* bytes read of it; bytes to come behind it */
};

/* --- the program --- */

static const char *program(void)
{
	static const char *const paths[] = {
#ifdef BARKD_ENCODE_BUILT
		BARKD_ENCODE_BUILT,
#endif
		BARKD_ENCODE_INSTALLED,
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	return NULL;
}

/* Reaped whenever it ends; it needs no source of its own for that. */
static int on_exit_status(sd_event_source *source, const siginfo_t *info,
			  void *data)
{
	return 0;
}

static int spawn(const char *path, const char *format, size_t hold, int fd,
		 pid_t *ret)
{
	char held[24];
	char *const argv[] = {(char *)"barkd-encode", (char *)format, held,
			      NULL};
	static char *const no_environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	int r;

	snprintf(held, sizeof(held), "%zu", hold);
	sigemptyset(&none);
	r = posix_spawn_file_actions_init(&actions);
	if (r)
		return -r;
	r = posix_spawnattr_init(&attr);
	if (r) {
		posix_spawn_file_actions_destroy(&actions);
		return -r;
	}
	/* The loop's thread blocks signals, which would be inherited. */
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	r = posix_spawn_file_actions_adddup2(&actions, fd, 0);
	if (!r)
		r = posix_spawn_file_actions_adddup2(&actions, fd, 1);
	if (!r)
		r = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null",
						     O_WRONLY, 0);
	if (!r)
		r = posix_spawn(ret, path, &actions, &attr, argv,
				no_environment);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int on_io(sd_event_source *source, int fd, uint32_t revents,
		 void *userdata);

static int start(struct encoding *e, sd_event *event, int priority,
		 enum encoder_format format, size_t hold)
{
	const char *path = program();
	int fds[2], r;
	pid_t pid;

	if (!path)
		return -ENOENT;
	e->queue = malloc(QUEUE_SAMPLES * sizeof(*e->queue));
	if (!e->queue)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	e->fd = fds[0];
	r = spawn(path, encoder_name(format), hold, fds[1], &pid);
	close(fds[1]);
	if (r < 0)
		return r;
	r = sd_event_add_child(event, NULL, pid, WEXITED, on_exit_status, NULL);
	if (r >= 0)
		r = sd_event_add_io(event, &e->io, e->fd, EPOLLIN, on_io, e);
	if (r >= 0)
		r = sd_event_source_set_priority(e->io, priority);
	return r;
}

/* --- to the program --- */

static void update(struct encoding *e)
{
	const bool write = e->n_queue || e->finishing;
	const bool on = !e->over && (write || !e->paused);

	sd_event_source_set_io_events(e->io, (e->paused ? 0 : EPOLLIN) |
						     (write ? EPOLLOUT : 0));
	/* A program that has ended would be reported, whatever is asked for. */
	sd_event_source_set_enabled(e->io, on ? SD_EVENT_ON : SD_EVENT_OFF);
}

static int flush(struct encoding *e)
{
	const size_t n = e->n_queue * sizeof(*e->queue);
	ssize_t k = 0;

	if (e->sent < n)
		k = send(e->fd, (const char *)e->queue + e->sent, n - e->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (k < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -EIO;
	e->sent += (size_t)k;
	if (e->sent == n) {
		e->sent = 0;
		e->n_queue = 0;
	}
	if (e->finishing && e->n_queue == 0) {
		shutdown(e->fd, SHUT_WR);
		e->finishing = false;
	}
	return 0;
}

/* --- from the program --- */

/*
 * Packets: their length in four bytes, as this machine writes them, and so
 * many bytes of output; one without bytes is the end. 1: it was reached.
 */
static int take(struct encoding *e, const unsigned char *p, size_t n)
{
	while (n) {
		size_t k = e->left < n ? e->left : n;
		uint32_t length;
		int r;

		if (k) {
			r = e->handler->output(e->data, p, k);
			if (r < 0)
				return r;
			e->left -= k;
			p += k;
			n -= k;
			continue;
		}
		e->head[e->n_head++] = *p++;
		n--;
		if (e->n_head < sizeof(e->head))
			continue;
		memcpy(&length, e->head, sizeof(length));
		e->n_head = 0;
		e->left = length;
		if (length == 0)
			return 1;
	}
	return 0;
}

static int receive(struct encoding *e)
{
	unsigned char buf[READ_BYTES];
	ssize_t n = recv(e->fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -EIO;
	/* It ended without saying so. */
	if (n == 0)
		return -EIO;
	return take(e, buf, (size_t)n);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents,
		 void *userdata)
{
	struct encoding *e = userdata;
	const size_t want = e->want;
	int r = 0;

	if (revents & (EPOLLOUT | EPOLLERR))
		r = flush(e);
	if (r == 0 && (revents & (EPOLLIN | EPOLLHUP)) && !e->paused)
		r = receive(e);
	if (r != 0) {
		e->over = true;
		update(e);
		e->handler->done(e->data, r < 0 ? r : 0);
		return 0;
	}
	update(e);
	if (want && encoding_room(e, want) >= want) {
		e->want = 0;
		e->handler->room(e->data);
	}
	return 0;
}

/* --- the door --- */

static bool made_here(enum encoder_format format)
{
	return format == ENCODER_WAV || format == ENCODER_PCM;
}

int encoding_new(struct encoding **ret, sd_event *event, int priority,
		 enum encoder_format format, size_t hold,
		 const struct encoding_handler *handler, void *data)
{
	struct encoding *e;
	int r;

	if (!encoder_has(format))
		return -ENOSYS;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->handler = handler;
	e->data = data;
	e->fd = -1;
	r = made_here(format) ? encoder_new(&e->encoder, format)
			      : start(e, event, priority, format, hold);
	if (r < 0) {
		encoding_free(e);
		return r;
	}
	*ret = e;
	return 0;
}

void encoding_free(struct encoding *e)
{
	if (!e)
		return;
	encoder_free(e->encoder);
	sd_event_source_disable_unref(e->io);
	/* Without its peer the program ends. */
	if (e->fd >= 0)
		close(e->fd);
	free(e->queue);
	free(e);
}

size_t encoding_room(struct encoding *e, size_t want)
{
	const size_t room = e->encoder ? SIZE_MAX : QUEUE_SAMPLES - e->n_queue;

	e->want = room < want ? want : 0;
	return room;
}

int encoding_feed(struct encoding *e, const float *pcm, size_t n)
{
	const void *bytes;
	size_t n_bytes;
	int r;

	if (e->encoder) {
		r = encoder_feed(e->encoder, pcm, n, &bytes, &n_bytes);
		if (r < 0 || n_bytes == 0)
			return r;
		return e->handler->output(e->data, bytes, n_bytes);
	}
	if (n > QUEUE_SAMPLES - e->n_queue)
		return -ENOBUFS;
	memcpy(e->queue + e->n_queue, pcm, n * sizeof(*pcm));
	e->n_queue += n;
	r = flush(e);
	update(e);
	return r;
}

int encoding_finish(struct encoding *e)
{
	const void *bytes;
	size_t n_bytes;
	int r;

	if (e->encoder) {
		r = encoder_finish(e->encoder, &bytes, &n_bytes);
		if (r == 0 && n_bytes)
			r = e->handler->output(e->data, bytes, n_bytes);
		return r < 0 ? r : 1;
	}
	e->finishing = true;
	r = flush(e);
	update(e);
	return r;
}

void encoding_pause(struct encoding *e, bool pause)
{
	if (e->encoder || e->paused == pause)
		return;
	e->paused = pause;
	update(e);
}
