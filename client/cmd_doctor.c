/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "doctor.h"
#include "options.h"
#include "style.h"

static const char *const words[] = {"ok", "warn", "fail"};

void doctor_say(struct doctor *d, enum finding finding, const char *name,
		const char *advice, const char *fmt, ...)
{
	static const enum style styles[] = {STYLE_GOOD, STYLE_WARN, STYLE_BAD};
	char text[700];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* One line each, whatever a file's name contains. */
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	}
	d->n[finding]++;
	if (d->as_json) {
		json_array_append_new(d->findings,
			json_pack("{s:s,s:s,s:s,s:s*}", "check", name, "state",
				  words[finding], "found", text, "advice",
				  advice));
		return;
	}
	printf("%s%-4s%s  %-13s %s\n", style_on(stdout, styles[finding]),
	       words[finding], style_off(stdout), name, text);
	if (advice)
		printf("%21s%s%s%s\n", "", style_on(stdout, STYLE_BOLD), advice,
		       style_off(stdout));
	fflush(stdout);
}

static int sum_up(struct doctor *d)
{
	const bool good = !d->n[FINDING_FAIL];

	if (d->as_json) {
		options_print_json(json_pack("{s:b,s:O}", "ok", good, "checks",
					     d->findings));
	} else {
		printf("%u ok, %u warnings, %u failures\n", d->n[FINDING_OK],
		       d->n[FINDING_WARN], d->n[FINDING_FAIL]);
	}
	return good ? EXIT_OK : EXIT_FAILED;
}

int cmd_doctor(int argc, char **argv)
{
	static void (*const checks[])(struct doctor *d) = {
		doctor_configuration, doctor_permissions, doctor_daemon,
		doctor_units, doctor_sound, doctor_model, doctor_machine,
		doctor_speechd, doctor_shell,
	};
	struct doctor d = {0};
	const struct option_def defs[] = {
		OPTION_FLAG(0, "json", &d.as_json),
	};
	int first, status;

	status = options_parse(argc, argv, defs, ARRAY_LEN(defs), &first);
	if (status)
		return status;
	if (first < argc)
		return options_usage(argv[0], "%s takes no arguments", argv[0]);
	d.findings = json_array();
	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		checks[i](&d);
	status = sum_up(&d);
	json_decref(d.findings);
	json_decref(d.status);
	conf_clear(&d.conf);
	return status;
}
