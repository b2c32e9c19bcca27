/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "barkd-client.h"
#include "commands.h"
#include "options.h"

/* The command's name is the API's verb. */
int cmd_control(int argc, char **argv)
{
	struct barkd_client *client;
	int first, r, status;

	status = options_parse(argc, argv, NULL, 0, &first);
	if (status)
		return status;
	if (first < argc)
		return options_usage(argv[0], "%s takes no arguments", argv[0]);
	r = barkd_client_new(&client, NULL);
	if (r)
		return options_fail("%s", strerror(-r));
	r = barkd_client_command(client, argv[0]);
	status = r ? options_fail("%s", barkd_client_message(client)) : EXIT_OK;
	barkd_client_free(client);
	return status;
}
