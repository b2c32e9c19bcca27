/* SPDX-License-Identifier: MIT */
/* Takes from this process all that a codec does not need. */
#ifndef BARKD_CONFINE_H
#define BARKD_CONFINE_H

/*
 * From here on the process can read and write what is open, ask for memory
 * within a limit, and end; another system call ends it (seccomp, where the
 * build has it). Errors: a negative errno, with less than that taken.
 */
int confine(void);

#endif
