/* SPDX-License-Identifier: MIT */
#include "locked.h"

#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

int locked_data(void *p, size_t n)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	volatile char *bytes = p;

	if (mlock(p, n) == 0)
		return 0;
	/* Written, as what is only read shares the kernel's page of zeros. */
	for (size_t i = 0; i < n; i += page)
		bytes[i] = bytes[i];
	bytes[n - 1] = bytes[n - 1];
	return -errno;
}

struct search {
	uintptr_t at;
	int r;
};

static int visit(struct dl_phdr_info *info, size_t size, void *data)
{
	struct search *s = data;

	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		uintptr_t begin = info->dlpi_addr + h->p_vaddr;

		if (h->p_type != PT_LOAD || !(h->p_flags & PF_X) ||
		    s->at < begin || s->at - begin >= h->p_memsz)
			continue;
		s->r = mlock((const void *)begin, h->p_memsz) < 0 ? -errno : 0;
		return 1;
	}
	return 0;
}

int locked_code(const void *function)
{
	struct search s = {(uintptr_t)function, -ENOENT};

	dl_iterate_phdr(visit, &s);
	return s.r;
}
