/* SPDX-License-Identifier: MIT */
/*
 * Has the daemon speak, through whatever it plays to, and waits.
 *
 *     cc say.c $(pkg-config --cflags --libs barkd-client) -o say
 *     ./say "Hello there."
 */
#include <barkd-client.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct barkd_client *client;
	struct barkd_say say = {
		.priority = BARKD_PRIORITY_MESSAGE, .has_priority = true,
		.rate = 1.2,
		.wait = true,
	};
	unsigned long long id;
	int r;

	if (argc != 2)
		return 2;
	say.text = argv[1];
	r = barkd_client_new(&client, NULL);
	if (r < 0)
		return 1;
	r = barkd_client_say(client, &say, &id);
	if (r < 0)
		fprintf(stderr, "%s\n", barkd_client_message(client));
	else
		printf("utterance %llu was spoken\n", id);
	barkd_client_free(client);
	return r < 0;
}
