/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "error.h"
#include "tensors_build.h"

int bark_torch_read(struct bark_tensors *set, const struct bark_map *map,
		    const char *label, struct bark_error *err)
{
	return bark_fail(err, -ENOTSUP, "%s: torch files cannot be read",
			 label);
}
