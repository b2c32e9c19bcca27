/* SPDX-License-Identifier: MIT */
/*
 * A sink whose callback is watched: for what trap.so counts, and for system
 * calls but the eight bytes that wake the loop (syscall user dispatch, Linux
 * 5.11). At its end it writes what was seen to $TRAP_REPORT:
 *
 *     pulls SOUNDING CALLS SYSCALLS
 *
 * SYSCALLS is -1 where the kernel cannot tell. $TRAP_FAULT plants a fault:
 * "lock" or "syscall" in each callback.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "sink.h"
#include "trap.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif
#define DISPATCH_ALLOW 0
#define DISPATCH_BLOCK 1

#define RATE 48000
#define CYCLE 256

struct barkd_sink {
	const struct barkd_sink_host *host;
	pthread_t thread;
	atomic_bool end, run;
	unsigned long pulls, sounding;
};

static volatile char selector = DISPATCH_ALLOW;
static atomic_long syscalls;

/* The call is made after all, but seen. The rest of the callback is not. */
static void on_syscall(int signal, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	selector = DISPATCH_ALLOW;
#ifdef __x86_64__
	const greg_t *g = c->uc_mcontext.gregs;
	long r;

	if (info->si_syscall != SYS_write || g[REG_RDX] != sizeof(uint64_t))
		atomic_fetch_add(&syscalls, 1);
	r = syscall(info->si_syscall, g[REG_RDI], g[REG_RSI], g[REG_RDX],
		    g[REG_R10], g[REG_R8], g[REG_R9]);
	c->uc_mcontext.gregs[REG_RAX] = r < 0 ? -errno : r;
#endif
}

static void watch_syscalls(void)
{
#ifdef __x86_64__
	struct sigaction a = {.sa_sigaction = on_syscall,
			      .sa_flags = SA_SIGINFO | SA_NODEFER};

	if (sigaction(SIGSYS, &a, NULL) == 0 &&
	    prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0,
		  &selector) == 0)
		return;
#endif
	atomic_store(&syscalls, -1);
}

static void plant(const char *fault)
{
	static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

	if (fault && strcmp(fault, "lock") == 0) {
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
	} else if (fault && strcmp(fault, "syscall") == 0) {
		syscall(SYS_getppid);
	}
}

static void callback(struct barkd_sink *s, const char *fault)
{
	float out[CYCLE];
	size_t n;

	trap_arm(true);
	if (atomic_load(&syscalls) >= 0)
		selector = DISPATCH_BLOCK;
	n = s->host->pull(s->host->data, out, CYCLE);
	s->host->delay(s->host->data, CYCLE);
	plant(fault);
	selector = DISPATCH_ALLOW;
	trap_arm(false);
	s->pulls++;
	s->sounding += n > 0;
}

static void *work(void *data)
{
	const struct timespec cycle = {0, 1000000000LL * CYCLE / RATE};
	const char *fault = getenv("TRAP_FAULT");
	struct barkd_sink *s = data;
	sigset_t unblock;

	sigemptyset(&unblock);
	sigaddset(&unblock, SIGSYS);
	pthread_sigmask(SIG_UNBLOCK, &unblock, NULL);
	watch_syscalls();
	while (!atomic_load(&s->end)) {
		if (atomic_load(&s->run))
			callback(s, fault);
		nanosleep(&cycle, NULL);
	}
	return NULL;
}

static void report(const struct barkd_sink *s)
{
	const char *path = getenv("TRAP_REPORT");
	FILE *f = path ? fopen(path, "w") : NULL;

	if (!f)
		return;
	fprintf(f, "%lu %lu %lu %ld\n", s->pulls, s->sounding, trap_calls(),
		atomic_load(&syscalls));
	fclose(f);
}

static void sink_close(struct barkd_sink *s)
{
	if (!s)
		return;
	atomic_store(&s->end, true);
	pthread_join(s->thread, NULL);
	report(s);
	free(s);
}

static int sink_open(struct barkd_sink **ret,
		     const struct barkd_sink_config *config,
		     const struct barkd_sink_host *host, bool once)
{
	struct barkd_sink *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->host = host;
	if (pthread_create(&s->thread, NULL, work, s)) {
		free(s);
		return -EAGAIN;
	}
	host->changed(host->data, BARKD_SINK_IDLE, RATE, NULL);
	*ret = s;
	return 0;
}

static int sink_run(struct barkd_sink *s, bool run)
{
	atomic_store(&s->run, run);
	s->host->changed(s->host->data,
			 run ? BARKD_SINK_RUNNING : BARKD_SINK_IDLE, RATE,
			 NULL);
	return 0;
}

__attribute__((visibility("default")))
const struct barkd_sink_ops barkd_sink_ops = {
	.abi = BARKD_SINK_ABI,
	.name = "jack",
	.open = sink_open,
	.close = sink_close,
	.run = sink_run,
};
