/* SPDX-License-Identifier: MIT */
#include "crashes.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

/* A run of at least this length ends a series. */
#define LONG_RUN_S 60
#define AT_ONCE 3 /* runs that begin without a wait */
#define WAIT_MOST_S 20

struct count {
	uint32_t n;    /* runs of the series */
	uint64_t at_s; /* CLOCK_BOOTTIME, when the last one began */
};

static uint64_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec;
}

unsigned crashes_wait_s(unsigned n)
{
	unsigned s = 1;

	if (n <= AT_ONCE)
		return 0;
	for (n -= AT_ONCE + 1; n && s < WAIT_MOST_S; n--)
		s *= 2;
	return s < WAIT_MOST_S ? s : WAIT_MOST_S;
}

static void put(int fd, const struct count *count)
{
	if (pwrite(fd, count, sizeof(*count), 0) != sizeof(*count))
		log_warning("cannot count crashes");
}

/* The count of earlier runs, or a new one that is stored. */
static struct count get(struct crashes *c, struct inherited *in)
{
	struct count count = {0};

	c->fd = in->fds[INHERITED_CRASHES];
	in->fds[INHERITED_CRASHES] = -1;
	if (c->fd >= 0) {
		if (pread(c->fd, &count, sizeof(count), 0) != sizeof(count))
			count.n = 0;
		return count;
	}
	if (!getenv("NOTIFY_SOCKET"))
		return count;
	c->fd = memfd_create("barkd-crashes", MFD_CLOEXEC);
	if (c->fd >= 0 && inherited_store(INHERITED_CRASHES, c->fd) < 0) {
		close(c->fd);
		c->fd = -1;
	}
	return count;
}

/* false: a signal to end came. */
static bool wait_s(unsigned s)
{
	const struct timespec limit = {.tv_sec = s};
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	return sigtimedwait(&ends, NULL, &limit) < 0;
}

bool crashes_begin(struct crashes *c, struct inherited *in)
{
	struct count count = get(c, in);
	uint64_t now = now_s();
	unsigned s;

	if (c->fd < 0)
		return true;
	count.n = count.n && now - count.at_s < LONG_RUN_S ? count.n + 1 : 1;
	s = crashes_wait_s(count.n);
	count.at_s = now + s;
	put(c->fd, &count);
	if (s == 0)
		return true;
	log_warning("ended badly %u times in a row, begins in %u s",
		    (unsigned)count.n - 1, s);
	sd_notifyf(0, "STATUS=Waiting for %u s after %u crashes", s,
		   (unsigned)count.n - 1);
	if (wait_s(s))
		return true;
	crashes_end(c);
	return false;
}

void crashes_end(struct crashes *c)
{
	const struct count none = {0};

	if (c->fd < 0)
		return;
	put(c->fd, &none);
	close(c->fd);
	c->fd = -1;
}
