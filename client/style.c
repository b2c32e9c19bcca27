/* SPDX-License-Identifier: MIT */
#include "style.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool style_terminal(FILE *f)
{
	const char *term = getenv("TERM");

	return term && *term && strcmp(term, "dumb") && isatty(fileno(f));
}

static bool coloured(FILE *f)
{
	const char *no = getenv("NO_COLOR");

	return !(no && *no) && style_terminal(f);
}

const char *style_on(FILE *f, enum style style)
{
	static const char *const codes[] = {
		[STYLE_BOLD] = "\033[1m",
		[STYLE_GOOD] = "\033[32m",
		[STYLE_WARN] = "\033[33m",
		[STYLE_BAD] = "\033[1;31m",
	};

	return coloured(f) ? codes[style] : "";
}

const char *style_off(FILE *f)
{
	return coloured(f) ? "\033[0m" : "";
}
