/* SPDX-License-Identifier: MIT */
#include "cmd_fetch.h"
#include "options.h"

int cmd_model_fetch(int argc, char **argv)
{
	return options_fail("this barkctl was built without libcurl; fetch the folder with another tool and use 'barkctl model import'");
}
