/* SPDX-License-Identifier: MIT */
/* barkctl text: what a model would speak, without speaking it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "options.h"
#include "reading.h"
#include "speech.h"

/* Runs of white space are one space: the segment stays on its line. */
static void print_segment(const char *text, size_t n)
{
	bool space = false;

	for (size_t i = 0; i < n; i++) {
		if (text[i] && strchr(" \t\r\n\v\f", text[i])) {
			space = true;
			continue;
		}
		if (space)
			putchar(' ');
		space = false;
		putchar(text[i]);
	}
	putchar('\n');
}

static int print_reading(const struct bark_model *model, const char *text,
			 size_t len, const char *language)
{
	struct bark_error err = {"out of memory"};
	struct bark_reading reading;

	if (bark_reading_make(&reading, model, text, len, language, &err) < 0)
		return options_fail("%s", err.message);
	for (size_t i = 0; i < reading.n; i++)
		print_segment(reading.text + reading.segments[i].begin,
			      reading.segments[i].end -
				      reading.segments[i].begin);
	bark_reading_clear(&reading);
	return EXIT_OK;
}

int cmd_text(int argc, char **argv)
{
	const char *model_name = NULL, *language = NULL;
	const struct option_def defs[] = {
		OPTION_STRING('m', "model", &model_name),
		OPTION_STRING('l', "language", &language),
	};
	struct bark_model *model;
	struct bark_voice *voice;
	int first, status;
	char *text;
	size_t len;

	status = options_parse(argc, argv, defs, ARRAY_LEN(defs), &first);
	if (status)
		return status;
	status = options_text(&text, &len, "text", argc - first, argv + first,
			      false);
	if (status)
		return status;
	status = speech_open(&model, &voice, model_name, NULL, -1,
			     BARK_PRECISION_DEFAULT);
	if (status == EXIT_OK) {
		status = print_reading(model, text, len, language);
		bark_model_unref(model);
	}
	free(text);
	return status;
}
