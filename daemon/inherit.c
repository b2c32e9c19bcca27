/* SPDX-License-Identifier: MIT */
#include "inherit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

/* The socket has its unit's name, whatever that is. */
static const char *const names[INHERITED_N] = {
	[INHERITED_CRASHES] = "barkd-crashes",
	[INHERITED_QUEUE] = "barkd-queue",
};

static enum inherited_kind kind_of(const char *name)
{
	for (int i = 0; name && i < INHERITED_N; i++)
		if (names[i] && strcmp(names[i], name) == 0)
			return (enum inherited_kind)i;
	return INHERITED_SOCKET;
}

int inherited_take(struct inherited *ret)
{
	char **all = NULL;
	int n, r = 0;

	*ret = INHERITED_NONE;
	n = sd_listen_fds_with_names(1, &all);
	for (int i = 0; i < n; i++) {
		enum inherited_kind kind = kind_of(all[i]);
		int fd = SD_LISTEN_FDS_START + i;

		if (ret->fds[kind] < 0)
			ret->fds[kind] = fd;
		else if (kind == INHERITED_SOCKET)
			r = -EINVAL;
		if (ret->fds[kind] != fd)
			close(fd);
		free(all[i]);
	}
	free(all);
	return n < 0 ? n : r;
}

void inherited_clear(struct inherited *in)
{
	for (int i = 0; i < INHERITED_N; i++) {
		if (in->fds[i] >= 0)
			close(in->fds[i]);
		in->fds[i] = -1;
	}
}

int inherited_store(enum inherited_kind kind, int fd)
{
	char state[64];
	int r;

	snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=%s", names[kind]);
	r = sd_pid_notify_with_fds(0, 0, state, &fd, 1);
	return r == 0 ? -ENOTCONN : r < 0 ? r : 0;
}

void inherited_forget(enum inherited_kind kind)
{
	sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", names[kind]);
}
