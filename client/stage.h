/* SPDX-License-Identifier: MIT */
/*
 * Where a model is put together: a hidden folder beside the models, locked
 * against a second one who does the same, that becomes the model by being
 * renamed. What it holds survives, and is taken up again.
 *
 * Errors: negative errno.
 */
#ifndef CLIENT_STAGE_H
#define CLIENT_STAGE_H

#include <limits.h>
#include <stdbool.h>

struct stage {
	int home;   /* the folder of models */
	int dir;    /* this one in it */
	int parts;  /* what is unfinished, in a folder of its own */
	char hidden[NAME_MAX + 1];
	char path[PATH_MAX]; /* of dir */
	char commit[65];     /* what stage_pin() said, "" before */
};

/*
 * source: what the model is made from. A folder that was begun from another
 * is emptied. -EEXIST: there is a model of this name; -EBUSY: another is at
 * it.
 */
int stage_open(struct stage *s, const char *home, const char *name,
	       const char *source);
/* Every file is to be of this revision, later too. */
int stage_pin(struct stage *s, const char *commit);

bool stage_has(const struct stage *s, const char *file);
/* A part, whole now, becomes `file`, whose folders are made. */
int stage_finish(struct stage *s, const char *part, const char *file);

/* Removes what an unfinished one left. -ENOENT: nothing; -EBUSY: somebody is
 * at it. */
int stage_remove(const char *home, const char *name);

/* The model appears. */
int stage_install(struct stage *s, const char *name);
/* Nothing of it stays. */
void stage_discard(struct stage *s);
/* Lets go; what there is stays for another time. */
void stage_close(struct stage *s);

#endif
