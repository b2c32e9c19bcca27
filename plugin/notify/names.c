/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ID_MAX 200 /* bytes of a desktop entry's name */

/* Programs that show what others tell them to. */
static bool is_messenger(const char *app)
{
	static const char *const names[] = {"notify-send", "dunstify",
					    "gdbus",	   "kdialog",
					    "zenity",	   "notify-desktop"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], app) == 0)
			return true;
	return false;
}

/* "org.gnome.Software", but not "Dr. Mario" or "1.5". */
static bool is_id(const char *app)
{
	const char *dot = strchr(app, '.');

	return dot && dot[1] && strchr(dot + 1, '.') &&
	       app[strspn(app, "abcdefghijklmnopqrstuvwxyz"
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] ==
		       '\0';
}

/* "update-notifier" is what a program is called by programs. */
static bool is_program(const char *app)
{
	return strpbrk(app, "-_") &&
	       app[strspn(app, "abcdefghijklmnopqrstuvwxyz0123456789._-")] ==
		       '\0';
}

/* The Name of ID.desktop in the user's language (Desktop Entry
 * Specification), or NULL. */
static char *entry_name(const char *id)
{
	GKeyFile *file;
	char path[ID_MAX + 32], *name = NULL, *copy = NULL;
	size_t n = id ? strlen(id) : 0;

	if (n == 0 || n > ID_MAX || strchr(id, '/') || *id == '.')
		return NULL;
	snprintf(path, sizeof(path), "applications/%s%s", id,
		 n > 8 && strcmp(id + n - 8, ".desktop") == 0 ? ""
							      : ".desktop");
	file = g_key_file_new();
	if (g_key_file_load_from_data_dirs(file, path, NULL, G_KEY_FILE_NONE,
					   NULL))
		name = g_key_file_get_locale_string(
			file, G_KEY_FILE_DESKTOP_GROUP,
			G_KEY_FILE_DESKTOP_KEY_NAME, NULL, NULL);
	g_key_file_free(file);
	if (name && *name)
		copy = strdup(name);
	g_free(name);
	return copy;
}

char *names_find(const struct notification *n)
{
	bool id = is_id(n->app), nobody = !*n->app || is_messenger(n->app);
	char *name = NULL;

	if (!id && !nobody && !is_program(n->app) &&
	    !(n->desktop_entry && strcasecmp(n->app, n->desktop_entry) == 0))
		return NULL;
	name = entry_name(n->desktop_entry);
	if (!name && !nobody)
		name = entry_name(n->app);
	if (!name && nobody)
		name = strdup("");
	if (!name && id)
		name = strdup(strrchr(n->app, '.') + 1);
	return name;
}
