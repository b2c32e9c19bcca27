/* SPDX-License-Identifier: MIT */
/*
 * Where files and folders are, by the XDG Base Directory Specification. Strings
 * returned through `ret` are the caller's to free(). Errors: -ENOENT, -ENOMEM.
 */
#ifndef BARKD_PATHS_H
#define BARKD_PATHS_H

/* $XDG_DATA_HOME/barkd or $HOME/.local/share/barkd */
int barkd_data_home(char **ret);
/* Where modules (sinks, the fast voice) are looked for, in order; the number of
 * folders: $BARKD_SINK_DIR alone if it is set, else where they are installed,
 * and for a program that has not been installed, the build's. */
unsigned barkd_module_dirs(const char *ret[2]);
/* Makes a folder and those above it, for all to read, where they are not there.
 * Other errors: of mkdir(), -ENAMETOOLONG. */
int barkd_make_folders(const char *path);
/* $XDG_CONFIG_HOME/barkd/barkd.ini if it exists, else /etc/barkd/barkd.ini
 * if it exists, else -ENOENT. */
int barkd_config_path(char **ret);
/* $BARKD_SOCKET, else $XDG_RUNTIME_DIR/barkd/barkd.sock. */
int barkd_socket_path(char **ret);

#endif
