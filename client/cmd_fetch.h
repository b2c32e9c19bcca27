/* SPDX-License-Identifier: MIT */
#ifndef CLIENT_CMD_FETCH_H
#define CLIENT_CMD_FETCH_H

/* barkctl model fetch: argv[0] is "model", argv[1..] its options and words
 * without the verb. */
int cmd_model_fetch(int argc, char **argv);

#endif
