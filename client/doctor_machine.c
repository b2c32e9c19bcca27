/* SPDX-License-Identifier: MIT */
/* The machine, and the programs around: Speech Dispatcher, shells. */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "kernels.h"
#include "paths.h"

#define MEMORY_LOW 300e6 /* bytes; the embedded voice needs 50 */

static bool exists(const char *dir, const char *name)
{
	char *path;
	bool is;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return false;
	is = !access(path, F_OK);
	free(path);
	return is;
}

/* --- computing --- */

static void check_processor(struct doctor *d)
{
	const long n = sysconf(_SC_NPROCESSORS_ONLN);
	struct bk_ops ops;

	bk_ops_init(&ops, ~0u);
	if (ops.level == BK_LEVEL_C)
		doctor_say(d, FINDING_WARN, "processor",
			   "expect pauses: speech needs AVX2 or NEON to keep pace",
			   "%ld processors, no vector unit that barkd knows", n);
	else
		doctor_say(d, FINDING_OK, "processor", NULL,
			   "%ld processors, kernels for %s", n,
			   bk_level_name(ops.level));
}

static bool has_cuda_module(void)
{
	const char *dirs[2];
	unsigned n = barkd_module_dirs(dirs);
	bool is = false;

	for (unsigned i = 0; i < n && !is; i++) {
		glob_t found = {0};
		char *pattern;

		if (asprintf(&pattern, "%s/*cuda*.so", dirs[i]) < 0)
			break;
		is = !glob(pattern, 0, NULL, &found);
		globfree(&found);
		free(pattern);
	}
	return is;
}

static void check_gpu(struct doctor *d)
{
	const bool card = !access("/dev/nvidiactl", F_OK);
	const bool module = has_cuda_module();

	if (card && access("/dev/nvidiactl", R_OK | W_OK) < 0)
		doctor_say(d, FINDING_WARN, "gpu",
			   "add yourself to the group that owns /dev/nvidiactl",
			   "the card cannot be opened: %s", strerror(errno));
	else if (module)
		doctor_say(d, FINDING_OK, "gpu", NULL, "%s, CUDA module %s",
			   card ? "an NVIDIA card" : "no NVIDIA card",
			   card ? "installed" : "idle");
	else
		doctor_say(d, FINDING_OK, "gpu", NULL,
			   "%s; this barkd computes on the processor",
			   card ? "an NVIDIA card" : "none");
}

static void check_memory(struct doctor *d)
{
	FILE *f = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	char line[128];

	if (!f)
		return;
	while (fgets(line, sizeof(line), f) &&
	       sscanf(line, "MemAvailable: %llu", &kib) != 1)
		;
	fclose(f);
	if (!kib)
		return;
	doctor_say(d, (double)kib * 1024 < MEMORY_LOW ? FINDING_WARN
						      : FINDING_OK,
		   "memory",
		   (double)kib * 1024 < MEMORY_LOW ?
			   "end other programs, or quantize the model (barkctl model quantize)"
			   : NULL,
		   "%.0f MB are available", (double)kib * 1024 / 1e6);
}

void doctor_machine(struct doctor *d)
{
	check_processor(d);
	check_gpu(d);
	check_memory(d);
}

/* --- Speech Dispatcher --- */

static bool in_path(const char *program)
{
	const char *path = getenv("PATH");
	char *copy = path ? strdup(path) : NULL, *save = NULL;
	bool is = false;

	for (char *dir = copy ? strtok_r(copy, ":", &save) : NULL;
	     dir && !is; dir = strtok_r(NULL, ":", &save))
		is = exists(dir, program);
	free(copy);
	return is;
}

/* 1: a line adds barkd, -1: lines add others only, 0: there are none. */
static int added_modules(const char *file)
{
	FILE *f = fopen(file, "re");
	char line[512], name[128];
	int r = 0;

	while (f && fgets(line, sizeof(line), f) && r <= 0) {
		if (sscanf(line, " AddModule \"%127[^\"]\"", name) == 1)
			r = strcmp(name, "barkd") ? -1 : 1;
	}
	if (f)
		fclose(f);
	return r;
}

/* The user's own file is read instead of the system's. */
static int read_speechd_conf(char *ret, size_t size)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config && *config)
		snprintf(ret, size, "%s/speech-dispatcher/speechd.conf",
			 config);
	else
		snprintf(ret, size, "%s/.config/speech-dispatcher/speechd.conf",
			 home ? home : "");
	if (access(ret, R_OK) < 0)
		snprintf(ret, size,
			 "/etc/speech-dispatcher/speechd.conf");
	return added_modules(ret);
}

/* Where Speech Dispatcher looks, on this system and below a home. */
static bool has_sd_barkd(void)
{
	static const char *const dirs[] = {
		BARKD_SPEECHD_DIR,
		"/usr/lib/speech-dispatcher-modules",
		"/usr/libexec/speech-dispatcher-modules",
	};
	const char *home = getenv("HOME");
	char own[512];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		if (*dirs[i] && exists(dirs[i], "sd_barkd"))
			return true;
	}
	snprintf(own, sizeof(own),
		 "%s/.local/libexec/speech-dispatcher-modules",
		 home ? home : "");
	return exists(own, "sd_barkd");
}

void doctor_speechd(struct doctor *d)
{
	char conf[512];

	if (!in_path("speech-dispatcher")) {
		doctor_say(d, FINDING_OK, "screen reader", NULL,
			   "Speech Dispatcher is not installed, nothing to look at");
		return;
	}
	if (!has_sd_barkd())
		doctor_say(d, FINDING_WARN, "screen reader",
			   "make install puts it there",
			   "Speech Dispatcher has no module sd_barkd");
	else if (read_speechd_conf(conf, sizeof(conf)) < 0)
		doctor_say(d, FINDING_WARN, "screen reader",
			   "add the line: AddModule \"barkd\" \"sd_barkd\" \"barkd.conf\"",
			   "%s names modules, and barkd is not among them",
			   conf);
	else
		doctor_say(d, FINDING_OK, "screen reader", NULL,
			   "Speech Dispatcher finds sd_barkd; spd-say -o barkd speaks");
}

/* --- shells --- */

void doctor_shell(struct doctor *d)
{
	static const struct {
		const char *shell, *dir, *file;
	} shells[] = {
		{"bash", BARKD_DATADIR "/bash-completion/completions",
		 "barkctl"},
		{"zsh", BARKD_ZSHDIR, "_barkctl"},
		{"fish", BARKD_DATADIR "/fish/vendor_completions.d",
		 "barkctl.fish"},
	};
	const char *shell = getenv("SHELL");
	const char *base = shell ? strrchr(shell, '/') : NULL;

	for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++) {
		if (!base || strcmp(base + 1, shells[i].shell))
			continue;
		if (exists(shells[i].dir, shells[i].file))
			doctor_say(d, FINDING_OK, "completion", NULL,
				   "%s/%s", shells[i].dir, shells[i].file);
		else
			doctor_say(d, FINDING_WARN, "completion",
				   "make install puts it there",
				   "%s does not complete barkctl's words",
				   shells[i].shell);
	}
}
