/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer: a chat message, judged by rules with a filter. Before the first
 * zero byte stands the user's name. What is spoken never has a filtered word
 * in it as it was written.
 */
#include "chat.h"
#include "fuzz.h"

static struct chat *make(void)
{
	static const char words[] = "badword\nworse\n";
	struct fuzz_file f;
	struct conf conf;
	struct chat *c = NULL;

	fuzz_file_open(&f, (const uint8_t *)words, sizeof(words) - 1);
	fuzz_check(conf_default(&conf) == 0 && chat_new(&c) == 0);
	free(conf.chat.filter);
	conf.chat.filter = strdup(f.path);
	conf.chat.cooldown_s = conf.chat.user_cooldown_s = 0;
	fuzz_check(conf.chat.filter && chat_configure(c, &conf) == 0);
	conf_clear(&conf);
	fuzz_file_close(&f);
	return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct chat *chat;
	static uint64_t now = 1;
	char *user = fuzz_string(data, size);
	const size_t n = strlen(user);
	struct chat_message m = {
		.user = user,
		.text = n < size ? user + n + 1 : "",
	};
	char *spoken = NULL;

	if (!chat)
		chat = make();
	now += 1000;
	if (chat_decide(chat, &m, now, &spoken) == CHAT_SPEAK)
		fuzz_check(spoken && *spoken);
	free(spoken);
	free(user);
	return 0;
}
