/* SPDX-License-Identifier: MIT */
/*
 * barkctl's commands. argv[0] is the command's name. Each returns barkctl's
 * exit status and has, on failure, printed exactly one line with
 * options_fail() or options_usage().
 */
#ifndef CLIENT_COMMANDS_H
#define CLIENT_COMMANDS_H

enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

/* Need the daemon. */
int cmd_say(int argc, char **argv);
int cmd_control(int argc, char **argv); /* stop, pause, resume, skip */
int cmd_queue(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_notify(int argc, char **argv);
int cmd_http(int argc, char **argv);
int cmd_captions(int argc, char **argv);
int cmd_voices(int argc, char **argv);

/* Need no daemon and no audio server. */
int cmd_render(int argc, char **argv);
int cmd_text(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_model(int argc, char **argv);
int cmd_voice(int argc, char **argv);
int cmd_doctor(int argc, char **argv);

#endif
