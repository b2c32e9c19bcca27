/* SPDX-License-Identifier: MIT */
#include "confine.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

#ifndef UNDER_SANITIZER
#define MEMORY_BYTES (256u << 20)
#endif
/* An hour of speech takes about ten. */
#define CPU_SECONDS 600

static int limit(int resource, rlim_t value)
{
	const struct rlimit r = {value, value};

	return setrlimit((__rlimit_resource_t)resource, &r) < 0 ? -errno : 0;
}

static int set_limits(void)
{
	int r = limit(RLIMIT_CORE, 0);

	if (r == 0)
		r = limit(RLIMIT_CPU, CPU_SECONDS);
	if (r == 0)
		r = limit(RLIMIT_FSIZE, 0);
	if (r == 0)
		r = limit(RLIMIT_NPROC, 0);
	/* A sanitizer maps terabytes, and calls what it likes. */
#ifndef UNDER_SANITIZER
	if (r == 0)
		r = limit(RLIMIT_AS, MEMORY_BYTES);
#endif
	return r;
}

#if defined(HAVE_SECCOMP) && !defined(UNDER_SANITIZER)
static int set_filter(void)
{
	static const int calls[] = {
		SCMP_SYS(read),	     SCMP_SYS(write),
		SCMP_SYS(brk),	     SCMP_SYS(munmap),
		SCMP_SYS(mremap),    SCMP_SYS(madvise),
		SCMP_SYS(futex),     SCMP_SYS(clock_gettime),
		SCMP_SYS(getrandom), SCMP_SYS(restart_syscall),
		SCMP_SYS(exit),	     SCMP_SYS(exit_group),
		SCMP_SYS(rt_sigreturn),
	};
	/* Memory, but none that can be executed. */
	static const int maps[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = filter ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < sizeof(calls) / sizeof(*calls); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	for (size_t i = 0; r == 0 && i < sizeof(maps) / sizeof(*maps); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, maps[i], 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}
#else
static int set_filter(void)
{
	return 0;
}
#endif

int confine(void)
{
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	r = set_limits();
	return r < 0 ? r : set_filter();
}
