/* SPDX-License-Identifier: MIT */
/*
 * Colours, for terminals alone: none where the output is no terminal, $TERM
 * is dumb or not set, or $NO_COLOR is set and not empty.
 */
#ifndef CLIENT_STYLE_H
#define CLIENT_STYLE_H

#include <stdbool.h>
#include <stdio.h>

enum style {
	STYLE_BOLD,
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
};

/* Whether f is a terminal on which a line can be written over. */
bool style_terminal(FILE *f);
/* What starts a style on f, "" where there are no colours. */
const char *style_on(FILE *f, enum style style);
/* What ends it. */
const char *style_off(FILE *f);

#endif
