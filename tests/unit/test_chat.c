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

struct message {
	const char *user, *text;
	enum chat_verdict verdict;
};

/* Whether each of them is judged so. */
static bool judged(const struct message *m, size_t n)
{
	bool good = true;

	for (size_t i = 0; i < n; i++) {
		enum chat_verdict v = says(m[i].user, m[i].text);

		if (v == m[i].verdict)
			continue;
		printf("# %s, %s: %s\n", m[i].user, m[i].text,
		       chat_verdict_names[v]);
		good = false;
	}
	return good;
}

#define JUDGED(messages) judged(messages, sizeof(messages) / sizeof(*(messages)))

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

/* What programs and people put into messages beside words. */
static void test_junk(void)
{
	static const struct {
		const char *text, *said; /* NULL: nothing is */
	} cases[] = {
		{"look data:image/png;base64,iVBORw0KGgoAAAANSUhEUg== here",
		 "look here"},
		{"data:text/html,<script>alert(1)</script>", NULL},
		{"DATA:;base64,AAAA", NULL},
		{"<b>bold</b> <script src=x>one</script>", "bold one"},
		{"1 < 2 and 3 > 2 <3", "1 < 2 and 3 > 2 <3"},
		{"Tom &amp; Jerry", "Tom & Jerry"},
		{"<:kappa:123456> hi <a:dance:99> <@123> <@&5> <#77>", "hi"},
		{"gg [emote:37226:KEKW]", "gg"},
		{":face-blue-smiling: good :)", "good :)"},
		{"at 10:30:45 now", "at 10:30:45 now"},
		{"\xf0\x9f\x8e\x89\xf0\x9f\x8e\x89", NULL},
		{"\xe2\x9d\xa4\xef\xb8\x8f \xf0\x9f\x87\xa9\xf0\x9f\x87\xaa", NULL},
		/* A family of three, joined, with a skin colour. */
		{"\xf0\x9f\x91\xa8\xf0\x9f\x8f\xbb\xe2\x80\x8d\xf0\x9f\x91\xa9"
		 "\xe2\x80\x8d\xf0\x9f\x91\xa7", NULL},
		{"nice\xf0\x9f\x8e\x89work", "nice work"},
		{"3\xef\xb8\x8f\xe2\x83\xa3 tries", "3 tries"},
		{"?!", NULL},
		{"...", NULL},
		{"\xe2\x80\x8b", NULL},
		{"Caf\xc3\xa9\xe2\x84\xa2 \xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4!",
		 "Caf\xc3\xa9\xe2\x84\xa2 \xc3\xa4\xc3\xa4\xc3\xa4!"},
	};
	const char *name = "chat: pictures, tags and data are not said";
	char wanted[512];

	set_up();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		enum chat_verdict v = says("a", cases[i].text);

		snprintf(wanted, sizeof(wanted), "a says: %s",
			 cases[i].said ? cases[i].said : "");
		if (v != (cases[i].said ? CHAT_SPEAK : CHAT_EMPTY) ||
		    (cases[i].said && strcmp(said, wanted) != 0))
			printf("# %s: %s, %s\n", cases[i].text,
			       chat_verdict_names[v], said);
		TAP_CHECK(name, v == (cases[i].said ? CHAT_SPEAK : CHAT_EMPTY));
		TAP_CHECK(name, !cases[i].said || strcmp(said, wanted) == 0);
	}
	tap_ok(name);
}

static void test_links(void)
{
	static const struct {
		const char *text;
		const char *said[4]; /* in the order of conf_links; NULL: not */
	} cases[] = {
		{"see https://www.x.org/a?b=c, now",
		 {"see x.org, now", NULL, "see link, now", "see , now"}},
		{"www.example.org rocks",
		 {"example.org rocks", NULL, "link rocks", "rocks"}},
		{"clips.twitch.tv/Funny-1 lol",
		 {"clips.twitch.tv lol", NULL, "link lol", "lol"}},
		{"buy at cheap-followers.com!",
		 {"buy at cheap-followers.com!", NULL, "buy at link!",
		  "buy at !"}},
		{"ftp://user:pw@host.de/f ok",
		 {"host.de ok", NULL, "link ok", "ok"}},
		{"http&#58;//hidden.example/x ok",
		 {"hidden.example ok", NULL, "link ok", "ok"}},
		{"magnet:?xt=urn:btih:abc ok", {"ok", NULL, "link ok", "ok"}},
		{"me@example.com ok",
		 {"me@example.com ok", NULL, "link ok", "ok"}},
		{"e.g. version 1.2.3, 3.14/2, and/or",
		 {"e.g. version 1.2.3, 3.14/2, and/or",
		  "e.g. version 1.2.3, 3.14/2, and/or",
		  "e.g. version 1.2.3, 3.14/2, and/or",
		  "e.g. version 1.2.3, 3.14/2, and/or"}},
		{"one.Two three.Four", {"one.Two three.Four",
		 "one.Two three.Four", "one.Two three.Four",
		 "one.Two three.Four"}},
	};
	const char *name = "chat: addresses, as the setting says";
	char wanted[512];

	for (int links = 0; conf_links[links]; links++) {
		set_up();
		conf.chat.links = links;
		chat_configure(chat, &conf);
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			const char *text = cases[i].said[links];
			enum chat_verdict v = says("a", cases[i].text);

			snprintf(wanted, sizeof(wanted), "a says: %s",
				 text ? text : "");
			if (v != (text ? CHAT_SPEAK : CHAT_LINK) ||
			    (text && strcmp(said, wanted) != 0))
				printf("# %s, %s: %s, %s\n", conf_links[links],
				       cases[i].text, chat_verdict_names[v],
				       said);
			TAP_CHECK(name, v == (text ? CHAT_SPEAK : CHAT_LINK));
			TAP_CHECK(name, !text || strcmp(said, wanted) == 0);
		}
	}
	tap_ok(name);
}

static void test_rules(void)
{
	static const struct message usual[] = {
		{"nightbot", "Hello", CHAT_USER},
		{"night", "Hello", CHAT_SPEAK},
		{"anna", "!play", CHAT_COMMAND},
		{"anna", "  !play", CHAT_COMMAND},
		{"anna", "\xe2\x80\x8b!play", CHAT_COMMAND},
		{"anna", "\xef\xbc\x81play", CHAT_COMMAND},
		{"anna", "<b></b>!play", CHAT_COMMAND},
		{"night\xe2\x80\x8b" "bot", "Hello", CHAT_USER},
	};
	static const struct message own[] = {
		{"anna", "#play", CHAT_COMMAND},
		{"anna", "\xc2\xbf" "play", CHAT_COMMAND},
		{"anna", "\xc2\xa1" "play", CHAT_SPEAK},
		{"j\xc3\xb6rg", "Hello", CHAT_USER},
	};
	struct chat_message m = {.user = "anna", .text = "Hello"};
	const char *name = "chat: who has to be silent";

	set_up();
	TAP_CHECK(name, JUDGED(usual));
	set_string(&conf.chat.ignore_prefixes, "\xc2\xbf#");
	set_string(&conf.chat.ignore_users, "J\xc3\x96RG");
	chat_configure(chat, &conf);
	TAP_CHECK(name, JUDGED(own));
	set_up();
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
	conf.chat.links = CONF_LINKS_NO;
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
	static const struct message messages[] = {
		{"a", "no SPAM, please", CHAT_WORD},
		{"a", "spammer", CHAT_SPEAK},
		{"a", "viel \xc3\xa4rger!", CHAT_WORD},
		/* Written otherwise, spoken alike. */
		{"a", "viel \xc3\x84RGER!", CHAT_WORD},
		{"a", "viel a\xcc\x88rger", CHAT_WORD},
		{"a", "sp\xe2\x80\x8b" "am", CHAT_WORD},
		{"a", "sp\xc2\xad" "am", CHAT_WORD},
		{"a", "s\xcc\xb6p\xcc\xb6" "a\xcc\xb6m", CHAT_WORD},
		{"a", "\xef\xbd\x93\xef\xbd\x90\xef\xbd\x81\xef\xbd\x8d",
		 CHAT_WORD},
		{"a", "\xf0\x9d\x90\xac\xf0\x9d\x90\xa9\xf0\x9d\x90\x9a"
		 "\xf0\x9d\x90\xa6", CHAT_WORD},
		{"a", "sp<b></b>am", CHAT_WORD},
		{"a", "sp&#97;m", CHAT_WORD},
		{"a", "_spam_", CHAT_WORD},
		{"the_spam_7", "Hello", CHAT_WORD},
		{"a", "is it in   IT?", CHAT_WORD},
		{"a", "in its place", CHAT_SPEAK},
	};
	const char *name = "chat: words that are not spoken";
	char path[] = "/tmp/barkd-test-chat-XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");

	fputs("# words\n\nSpam\n\xc3\xa4rger\nin it\n", f);
	fclose(f);
	set_up();
	set_string(&conf.chat.filter, path);
	TAP_CHECK(name, chat_configure(chat, &conf) == 0);
	TAP_CHECK(name, JUDGED(messages));
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
	test_junk();
	test_links();
	test_rules();
	test_filter();
	test_voices();
	chat_free(chat);
	conf_clear(&conf);
	return tap_failed;
}
