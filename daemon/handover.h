/* SPDX-License-Identifier: MIT */
/*
 * Texts that wait survive a restart: the barkd that ends gives them to the
 * service manager in sealed memory, the one that begins takes them back. They
 * are on no disk, and gone when the service is stopped. Whatever a crash
 * leaves is lost, since it may be what barkd crashed of.
 */
#ifndef BARKD_HANDOVER_H
#define BARKD_HANDOVER_H

#include "daemon.h"
#include "inherit.h"

/* Bytes of all texts together, as they are stored. */
#define HANDOVER_MAX (16 * 1024 * 1024)

/*
 * Takes the utterances that nobody has heard anything of and no client waits
 * for out of the queue and stores them; what does not fit, or cannot be
 * stored, stays where it is.
 */
void handover_save(struct daemon *d);
/* Queues what was stored, with the same ids. */
void handover_restore(struct daemon *d, struct inherited *in);

#endif
