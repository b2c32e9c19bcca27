/* SPDX-License-Identifier: MIT */
/*
 * A file that appears whole or not at all: until it is kept it has no name, or
 * a hidden one where the file system has no files without. What is no regular
 * file (a pipe, a device) is written to as it is. Errors: negative errno.
 */
#ifndef CLIENT_OUT_FILE_H
#define CLIENT_OUT_FILE_H

#include <limits.h>
#include <sys/stat.h>

struct out_file {
	int fd;  /* to write to, and to read and seek in a regular file */
	int dir; /* of the target; -1: fd is the target */
	char name[NAME_MAX + 1];   /* of the target, in dir */
	char hidden[NAME_MAX + 1]; /* "": it has no name yet */
	mode_t mode; /* that the target had; 0: it was not there */
};

int out_file_open(struct out_file *ret, const char *path);
/* Takes its place, in which another may have been, when it is on the disk. */
int out_file_keep(struct out_file *f);
/* Nothing of it stays. */
void out_file_drop(struct out_file *f);

#endif
