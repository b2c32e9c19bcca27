/* SPDX-License-Identifier: MIT */
/* Where sentences end is the language's: asked for, or the voice's own. */
#include <stdio.h>

#include "bark.h"
#include "hostile.h"
#include "tap.h"

/* In English "Num." is shortened, in no language's rules the end of a sentence. */
static const char text[] = "We looked for all of the Num. Morning was lovely "
			   "then and so on.";
#define SHORT_END 29

static struct bark_engine *engine;
static struct bark_model *model;

/* Whether its stop ends the first segment in this voice and language;
 * -1: nothing was spoken. */
static int ends_there(struct bark_voice *voice, const char *language)
{
	struct bark_session_options opts = { .language = language };
	struct bark_session *s;
	struct bark_event e;
	int ends = -1;

	if (bark_session_new(&s, engine, model, voice, &opts, NULL) < 0)
		return -1;
	if (bark_session_start(s, text, sizeof(text) - 1, NULL) == 0) {
		float sample;

		if (bark_session_read(s, &sample, 1, -1) == 1 &&
		    bark_session_event(s, &e) == 1 &&
		    e.type == BARK_EVENT_SEGMENT_BEGIN)
			ends = e.text_end == SHORT_END;
	}
	bark_session_free(s);
	return ends;
}

static void test_asked(void)
{
	static const char name[] = "the language that is asked for";

	TAP_CHECK(name, ends_there(NULL, NULL) == 1);
	TAP_CHECK(name, ends_there(NULL, "en-GB") == 0);
	TAP_CHECK(name, ends_there(NULL, "no such language") == 1);
	tap_ok(name);
}

static void test_voice(const char *root)
{
	static const char name[] = "a preset's own language";
	struct bark_voice *english, *other;
	const char *path;
	struct bytes b;

	b = read_fixture(root, "../../../voices/slt/voices/rms.npz");
	path = write_temp("en_speaker_3.npz", b.p, b.n);
	TAP_CHECK(name, bark_voice_open(&english, model, path, NULL) == 0);
	path = write_temp("decorator.npz", b.p, b.n);
	TAP_CHECK(name, bark_voice_open(&other, model, path, NULL) == 0);
	clear_bytes(&b);
	TAP_CHECK(name, ends_there(english, NULL) == 0);
	TAP_CHECK(name, ends_there(other, NULL) == 1);
	TAP_CHECK(name, ends_there(english, "de") == 1);
	bark_voice_unref(english);
	bark_voice_unref(other);
	tap_ok(name);
}

static void test_learnt(const char *root)
{
	static const char name[] = "the languages that a model learnt";
	struct bark_model *published;
	char path[4096];

	TAP_CHECK(name, bark_model_speaks(model, NULL));
	TAP_CHECK(name, bark_model_speaks(model, ""));
	TAP_CHECK(name, bark_model_speaks(model, "en-GB"));
	TAP_CHECK(name, bark_model_speaks(model, "EN_us"));
	TAP_CHECK(name, !bark_model_speaks(model, "de"));
	TAP_CHECK(name, !bark_model_speaks(model, "enm"));
	snprintf(path, sizeof(path), "%s/tests/parity/fixtures/small/model",
		 root);
	TAP_CHECK(name, bark_model_open(&published, path, NULL, NULL) == 0);
	TAP_CHECK(name, bark_model_speaks(published, "de-AT"));
	TAP_CHECK(name, bark_model_speaks(published, "zh"));
	TAP_CHECK(name, !bark_model_speaks(published, "nl"));
	bark_model_unref(published);
	tap_ok(name);
}

int main(int argc, char **argv)
{
	const char *root = argc > 1 ? argv[1] : ".";
	char path[4096];

	snprintf(path, sizeof(path), "%s/voices/slt", root);
	if (bark_engine_new(&engine, NULL) < 0 ||
	    bark_model_open(&model, path, NULL, NULL) < 0)
		return 1;
	test_asked();
	test_voice(root);
	test_learnt(root);
	bark_model_unref(model);
	bark_engine_unref(engine);
	return tap_failed;
}
