/* SPDX-License-Identifier: MIT */
/* What an address is, for those who decide whom to trust. */
#ifndef CLIENT_ADDRESS_H
#define CLIENT_ADDRESS_H

#include <curl/curl.h>
#include <stdbool.h>

/* http or https, and no user's name in it */
bool address_is_web(CURLU *url);
/* That, and nothing behind the path: others can be appended. */
bool address_is_base(CURLU *url);
bool address_is_secure(CURLU *url);
bool address_is_loopback(CURLU *url);
/* Whether scheme, host and port are the same. */
bool address_same_host(CURLU *a, CURLU *b);

#endif
