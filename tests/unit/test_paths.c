/* SPDX-License-Identifier: MIT */
/* Folders, models and voices by name; names that would lead elsewhere. */
#include "find.h"
#include "paths.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

static char root[] = "/tmp/barkd-test-paths-XXXXXX";

static void make(const char *rel)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, rel);
	for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
	f = fopen(path, "we");
	if (!f || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static bool ends(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static void set(const char *var, const char *rel)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", root, rel);
	setenv(var, path, 1);
}

static void test_places(void)
{
	const char *name = "paths places";
	char *p;

	TAP_CHECK(name, barkd_data_home(&p) == 0 && ends(p, "/data/barkd"));
	free(p);
	TAP_CHECK(name, barkd_config_path(&p) == 0);
	TAP_CHECK(name, ends(p, "/config/barkd/barkd.ini"));
	free(p);
	unsetenv("BARKD_SOCKET");
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	TAP_CHECK(name, barkd_socket_path(&p) == 0);
	TAP_CHECK(name, strcmp(p, "/run/user/7/barkd/barkd.sock") == 0);
	free(p);
	setenv("BARKD_SOCKET", "here.sock", 1);
	TAP_CHECK(name, barkd_socket_path(&p) == 0);
	TAP_CHECK(name, strcmp(p, "here.sock") == 0);
	free(p);
	unsetenv("BARKD_SOCKET");
	setenv("XDG_RUNTIME_DIR", "relative", 1);
	TAP_CHECK(name, barkd_socket_path(&p) == -ENOENT);
	tap_ok(name);
}

static void test_models(void)
{
	const char *name = "paths models";
	struct barkd_entries e;
	char *p, path[PATH_MAX];

	TAP_CHECK(name, barkd_model_find(&p, "mine") == 0);
	TAP_CHECK(name, ends(p, "/data/barkd/models/mine"));
	free(p);
	/* The user's goes before the system's. */
	TAP_CHECK(name, barkd_model_find(&p, "both") == 0);
	TAP_CHECK(name, ends(p, "/data/barkd/models/both"));
	free(p);
	TAP_CHECK(name, barkd_model_find(&p, "theirs") == 0);
	TAP_CHECK(name, ends(p, "/share/barkd/models/theirs"));
	free(p);
	/* NULL is the default, found in the source's folder. */
	TAP_CHECK(name, barkd_model_find(&p, NULL) == 0);
	TAP_CHECK(name, ends(p, "/source/slt"));
	free(p);
	TAP_CHECK(name, barkd_model_find(&p, "empty") == -ENOENT);
	TAP_CHECK(name, barkd_model_find(&p, "none such") == -ENOENT);
	TAP_CHECK(name, barkd_model_find(&p, "..") == -EINVAL);
	TAP_CHECK(name, barkd_model_find(&p, ".hidden") == -EINVAL);
	snprintf(path, sizeof(path), "%s/source/slt", root);
	TAP_CHECK(name, barkd_model_find(&p, path) == 0);
	free(p);
	TAP_CHECK(name, barkd_model_find(&p, "/nonexistent/m") == -ENOENT);

	TAP_CHECK(name, barkd_models_list(&e) == 0);
	TAP_CHECK(name, e.n == 4);
	TAP_CHECK(name, strcmp(e.items[0].name, "both") == 0);
	TAP_CHECK(name, strcmp(e.items[1].name, "mine") == 0);
	TAP_CHECK(name, strcmp(e.items[2].name, "slt") == 0);
	TAP_CHECK(name, strcmp(e.items[3].name, "theirs") == 0);
	barkd_entries_clear(&e);
	barkd_entries_clear(&e);
	barkd_entries_clear(NULL);
	tap_ok(name);
}

static void test_voices(void)
{
	const char *name = "paths voices";
	struct barkd_entries e;
	char *p, model[256], path[512];

	snprintf(model, sizeof(model), "%s/data/barkd/models/mine", root);
	TAP_CHECK(name, barkd_voices_list(&e, model) == 0);
	TAP_CHECK(name, e.n == 4);
	TAP_CHECK(name, strcmp(e.items[0].name, "ann") == 0);
	TAP_CHECK(name, strcmp(e.items[1].name, "bob") == 0);
	TAP_CHECK(name, strcmp(e.items[2].name, "en_speaker_1") == 0);
	TAP_CHECK(name, ends(e.items[2].path,
			     "/speaker_embeddings/en_speaker_1"));
	TAP_CHECK(name, strcmp(e.items[3].name, "v2/en_speaker_1") == 0);
	barkd_entries_clear(&e);
	TAP_CHECK(name, barkd_voices_list(&e, NULL) == 0 && e.n == 1);
	barkd_entries_clear(&e);

	TAP_CHECK(name, barkd_voice_find(&p, model, "ann") == 0);
	TAP_CHECK(name, ends(p, "/data/barkd/voices/ann.npz"));
	free(p);
	TAP_CHECK(name, barkd_voice_find(&p, model, "v2/en_speaker_1") == 0);
	TAP_CHECK(name, ends(p, "/speaker_embeddings/v2/en_speaker_1"));
	free(p);
	p = model;
	TAP_CHECK(name, barkd_voice_find(&p, model, "none") == 0 && !p);
	p = model;
	TAP_CHECK(name, barkd_voice_find(&p, model, "mine") == 0 && !p);
	p = model;
	TAP_CHECK(name, barkd_voice_find(&p, "a/mine//", "mine") == 0 && !p);
	TAP_CHECK(name, barkd_voice_find(&p, model, "min") == -ENOENT);
	TAP_CHECK(name, barkd_voice_find(&p, model, "zed") == -ENOENT);
	TAP_CHECK(name, barkd_voice_find(&p, model, "..") == -EINVAL);
	TAP_CHECK(name, barkd_voice_find(&p, model, "") == -EINVAL);
	TAP_CHECK(name,
		  barkd_voice_find(&p, model, "../voices/bob") == -ENOENT);
	snprintf(path, sizeof(path), "%s/voices/bob.npz", model);
	TAP_CHECK(name, barkd_voice_find(&p, NULL, path) == 0);
	TAP_CHECK(name, strcmp(p, path) == 0);
	free(p);
	snprintf(path, sizeof(path), "%s/speaker_embeddings/en_speaker_1",
		 model);
	TAP_CHECK(name, barkd_voice_find(&p, NULL, path) == 0);
	free(p);
	tap_ok(name);
}

static void test_own_names(void)
{
	static const struct {
		const char *dir, *own;
	} cases[] = {
		{"mine", "mine"}, {"/a/mine", "mine"}, {"a/mine//", "mine"},
		{"/", ""},	  {"", ""},
	};
	const char *name = "paths own names";

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t n;
		const char *own = barkd_model_name(cases[i].dir, &n);

		TAP_CHECK(name, n == strlen(cases[i].own) &&
				memcmp(own, cases[i].own, n) == 0);
	}
	tap_ok(name);
}

int main(void)
{
	char command[PATH_MAX];

	if (!mkdtemp(root))
		return 1;
	make("data/barkd/models/mine/config.json");
	make("data/barkd/models/mine/voices/bob.npz");
	make("data/barkd/models/mine/voices/notes.txt");
	make("data/barkd/models/mine/speaker_embeddings/"
	     "en_speaker_1_semantic_prompt.npy");
	make("data/barkd/models/mine/speaker_embeddings/v2/"
	     "en_speaker_1_semantic_prompt.npy");
	make("data/barkd/models/both/text_2.pt");
	make("data/barkd/models/empty/readme");
	make("data/barkd/voices/ann.npz");
	make("share/barkd/models/both/config.json");
	make("share/barkd/models/theirs/text.pt");
	make("source/slt/config.json");
	make("config/barkd/barkd.ini");
	set("XDG_DATA_HOME", "data");
	set("XDG_DATA_DIRS", "share");
	set("XDG_CONFIG_HOME", "config");
	set("BARKD_VOICES_DIR", "source");

	test_places();
	test_models();
	test_voices();
	test_own_names();
	snprintf(command, sizeof(command), "rm -r '%s'", root);
	if (system(command) != 0)
		return 1;
	return tap_failed;
}
