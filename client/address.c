/* SPDX-License-Identifier: MIT */
#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Empty where the address has no such part; false only without memory. */
static bool part_of(CURLU *url, CURLUPart what, char *ret, size_t size)
{
	char *s;
	CURLUcode r = curl_url_get(url, what, &s, CURLU_DEFAULT_PORT);

	*ret = '\0';
	if (r == CURLUE_OUT_OF_MEMORY)
		return false;
	if (r)
		return true;
	snprintf(ret, size, "%s", s);
	curl_free(s);
	return true;
}

bool address_is_secure(CURLU *url)
{
	char scheme[16];

	return part_of(url, CURLUPART_SCHEME, scheme, sizeof(scheme)) &&
	       !strcmp(scheme, "https");
}

bool address_is_loopback(CURLU *url)
{
	struct in_addr addr;
	char host[256];

	if (!part_of(url, CURLUPART_HOST, host, sizeof(host)))
		return false;
	/* A name may begin with 127, too. */
	if (inet_pton(AF_INET, host, &addr) == 1)
		return ntohl(addr.s_addr) >> 24 == 127;
	return !strcmp(host, "localhost") || !strcmp(host, "[::1]");
}

bool address_same_host(CURLU *a, CURLU *b)
{
	static CURLUPart parts[] = {CURLUPART_SCHEME, CURLUPART_HOST,
					  CURLUPART_PORT};
	char x[256], y[256];

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (!part_of(a, parts[i], x, sizeof(x)) ||
		    !part_of(b, parts[i], y, sizeof(y)) || strcasecmp(x, y))
			return false;
	return true;
}

bool address_is_web(CURLU *url)
{
	char scheme[16], user[16];

	return part_of(url, CURLUPART_SCHEME, scheme, sizeof(scheme)) &&
	       part_of(url, CURLUPART_USER, user, sizeof(user)) && !*user &&
	       (!strcmp(scheme, "http") || !strcmp(scheme, "https"));
}

bool address_is_base(CURLU *base)
{
	char query[8], fragment[8];

	return address_is_web(base) &&
	       part_of(base, CURLUPART_QUERY, query, sizeof(query)) &&
	       part_of(base, CURLUPART_FRAGMENT, fragment, sizeof(fragment)) &&
	       !*query && !*fragment;
}
