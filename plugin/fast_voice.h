/* SPDX-License-Identifier: MIT */
/*
 * A voice that is quick rather than good: for keys that are echoed, and for
 * when there is no model. A module barkd-fast-NAME.so exports one of these as
 * barkd_fast_voice. All calls come from one thread.
 */
#ifndef BARKD_FAST_VOICE_H
#define BARKD_FAST_VOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BARKD_FAST_VOICE_ABI 2
#define BARKD_FAST_VOICE_SYMBOL "barkd_fast_voice"

struct barkd_fast_voice {
	unsigned abi;
	/* Returns the sample rate in Hz, or -errno. Once. */
	int (*open)(void);
	/*
	 * Speaks text (UTF-8, NUL-terminated) in a language (BCP-47, or NULL
	 * for English), giving samples to take() until that returns false.
	 * Errors: -EIO, -ESRCH (it does not have the language).
	 */
	int (*speak)(const char *text, const char *language,
		     bool (*take)(void *data, const int16_t *pcm, size_t n),
		     void *data);
	void (*close)(void);
};

#endif
