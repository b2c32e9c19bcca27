/* SPDX-License-Identifier: MIT */
/* Which messages of a chat are spoken, and what is said of them. */
#include "chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static struct conf conf;
static struct chat *chat;
static uint64_t now;
static char said[512];

static void set_up(void)
{
	conf_clear(&conf);
	chat_free(chat);
	conf_default(&conf);
	chat_new(&chat);
	chat_configure(chat, &conf);
	now = 1000000;
}

static void set_string(char **at, const char *text)
{
	free(*at);
	*at = strdup(text);
}

static enum chat_verdict decide(const struct chat_message *m)
{
	char *text = NULL;
	enum chat_verdict v = chat_decide(chat, m, now, &text);

	snprintf(said, sizeof(said), "%s", text ? text : "");
	free(text);
	return v;
}

static enum chat_verdict says(const char *user, const char *text)
{
	const struct chat_message m = {.user = user, .text = text};

	now += 10000;
	return decide(&m);
}

static void test_text(void)
{
	static const char *const emotes[] = {"Kappa", "PogChamp", NULL};
	const struct chat_message pictures = {
		.user = "anna", .text = "Kappa  nice Kappa PogChamp",
		.emotes = emotes,
	};
	const struct chat_message nothing = {
		.user = "anna", .text = " Kappa PogChamp ", .emotes = emotes,
	};
	const char *name = "chat: what is said";

	set_up();
	TAP_CHECK(name, says("anna", "Hello!") == CHAT_SPEAK &&
				strcmp(said, "anna says: Hello!") == 0);
	TAP_CHECK(name, says("some_user_42", "Hi") == CHAT_SPEAK &&
				strcmp(said, "some user says: Hi") == 0);
	TAP_CHECK(name, says("42", "Hi") == CHAT_SPEAK &&
				strcmp(said, "4 says: Hi") == 0);
	TAP_CHECK(name, says("a", "looooooool !!!!!!!") == CHAT_SPEAK &&
				strcmp(said, "a says: loool !!!") == 0);
	TAP_CHECK(name, says("a", "see https://www.x.org/a?b=c") ==
				CHAT_SPEAK &&
				strcmp(said, "a says: see x.org") == 0);
	TAP_CHECK(name, says("a\xe2\x80\xae", "b\x01") == CHAT_SPEAK &&
				strcmp(said, "a says: b") == 0);
	now += 10000;
	TAP_CHECK(name, decide(&pictures) == CHAT_SPEAK &&
				strcmp(said, "anna says: nice") == 0);
	now += 10000;
	TAP_CHECK(name, decide(&nothing) == CHAT_EMPTY);
	TAP_CHECK(name, says("a", "{user} {text}") == CHAT_SPEAK &&
				strcmp(said, "a says: {user} {text}") == 0);
	tap_ok(name);
}

static void test_rules(void)
{
	struct chat_message m = {.user = "anna", .text = "Hello"};
	const char *name = "chat: who has to be silent";

	set_up();
	TAP_CHECK(name, says("nightbot", "Hello") == CHAT_USER);
	TAP_CHECK(name, says("night", "Hello") == CHAT_SPEAK);
	TAP_CHECK(name, says("anna", "!play") == CHAT_COMMAND);
	now += 10000;
	TAP_CHECK(name, decide(&m) == CHAT_SPEAK);
	now += 4999;
	TAP_CHECK(name, decide(&m) == CHAT_USER_COOLDOWN);
	m.user = "ANNA";
	TAP_CHECK(name, decide(&m) == CHAT_USER_COOLDOWN);
	m.user = "bob";
	TAP_CHECK(name, decide(&m) == CHAT_SPEAK);
	m.user = "carl";
	m.user_waiting = 2;
	TAP_CHECK(name, decide(&m) == CHAT_USER_QUEUE);
	m.user_waiting = 0;
	m.waiting = 20;
	TAP_CHECK(name, decide(&m) == CHAT_QUEUE);
	m.waiting = 0;
	conf.chat.cooldown_s = 2;
	conf.chat.links = false;
	chat_configure(chat, &conf);
	now += 1999;
	TAP_CHECK(name, decide(&m) == CHAT_COOLDOWN);
	now += 1;
	TAP_CHECK(name, decide(&m) == CHAT_SPEAK);
	TAP_CHECK(name, says("dora", "HTTPS://x.org") == CHAT_LINK);
	/* More users than are remembered. */
	for (int i = 0; i < 3 * CHAT_USERS_KEPT; i++) {
		char user[16];

		snprintf(user, sizeof(user), "u%d", i);
		TAP_CHECK(name, says(user, "Hello") == CHAT_SPEAK);
	}
	tap_ok(name);
}

static void test_filter(void)
{
	const char *name = "chat: words that are not spoken";
	char path[] = "/tmp/barkd-test-chat-XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");

	fputs("# words\n\nSpam\n\xc3\xa4rger\nin it\n", f);
	fclose(f);
	set_up();
	set_string(&conf.chat.filter, path);
	TAP_CHECK(name, chat_configure(chat, &conf) == 0);
	TAP_CHECK(name, says("a", "no SPAM, please") == CHAT_WORD);
	TAP_CHECK(name, says("a", "spammer") == CHAT_SPEAK);
	TAP_CHECK(name, says("a", "viel \xc3\xa4rger!") == CHAT_WORD);
	/* A list that is lost does not open the gate. */
	unlink(path);
	TAP_CHECK(name, chat_configure(chat, &conf) == 0);
	TAP_CHECK(name, says("a", "harmless") == CHAT_WORD);
	tap_ok(name);
}

static void test_voices(void)
{
	static const char *const voices[] = {"a", "b", "c"};
	const char *name = "chat: a voice for each user";
	bool seen[3] = {false};

	set_up();
	TAP_CHECK(name, chat_voice(chat, "anna", voices, 3) == NULL);
	conf.chat.voices = true;
	set_string(&conf.chat.user_voices, "anna:slt bob:v2/en_speaker_3 x:");
	chat_configure(chat, &conf);
	TAP_CHECK(name, strcmp(chat_voice(chat, "Anna", voices, 3), "slt") ==
				0);
	TAP_CHECK(name, strcmp(chat_voice(chat, "bob", voices, 3),
			       "v2/en_speaker_3") == 0);
	for (int i = 0; i < 30; i++) {
		char user[8];
		const char *voice;

		snprintf(user, sizeof(user), "u%d", i);
		voice = chat_voice(chat, user, voices, 3);
		TAP_CHECK(name, voice == chat_voice(chat, user, voices, 3));
		seen[*voice - 'a'] = true;
	}
	TAP_CHECK(name, seen[0] && seen[1] && seen[2]);
	TAP_CHECK(name, chat_voice(chat, "u1", voices, 0) == NULL);
	tap_ok(name);
}

int main(void)
{
	test_text();
	test_rules();
	test_filter();
	test_voices();
	chat_free(chat);
	conf_clear(&conf);
	return tap_failed;
}
