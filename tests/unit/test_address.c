/* SPDX-License-Identifier: MIT */
/* Whom barkctl model fetch trusts, by address. */
#include <stdio.h>

#include "address.h"
#include "tap.h"

static CURLU *parse(const char *text)
{
	CURLU *url = curl_url();

	if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK)
		return url;
	curl_url_cleanup(url);
	return NULL;
}

static void expect(const char *what, const char *text, bool is, bool want)
{
	char name[160];

	snprintf(name, sizeof(name), "address/%s %.100s", what, text);
	if (is == want)
		tap_ok(name);
	else
		tap_not_ok(name, "%d", is);
}

static void check(const char *what, bool (*fn)(CURLU *), const char *text,
		  bool want)
{
	CURLU *url = parse(text);

	expect(what, text, url && fn(url), want);
	curl_url_cleanup(url);
}

static void check_same(const char *a, const char *b, bool want)
{
	CURLU *x = parse(a), *y = parse(b);

	expect("same host", b, x && y && address_same_host(x, y), want);
	curl_url_cleanup(x);
	curl_url_cleanup(y);
}

int main(void)
{
	check("base", address_is_base, "https://hub.example/mirror/", true);
	check("base", address_is_base, "http://127.0.0.1:8000", true);
	check("base", address_is_base, "https://u:p@hub.example", false);
	check("base", address_is_base, "https://hub.example/?q=1", false);
	check("base", address_is_base, "https://hub.example/#f", false);
	check("base", address_is_base, "ftp://hub.example", false);
	check("base", address_is_base, "file:///etc", false);
	check("base", address_is_base, "hub.example", false);
	check("loopback", address_is_loopback, "http://127.0.0.1:1/a", true);
	check("loopback", address_is_loopback, "http://localhost/", true);
	check("loopback", address_is_loopback, "http://[::1]:80/", true);
	check("loopback", address_is_loopback, "http://127.hub.example/", false);
	check("loopback", address_is_loopback, "http://localhost.example/",
	      false);
	check("loopback", address_is_loopback, "http://128.0.0.1/", false);
	check("secure", address_is_secure, "https://hub.example", true);
	check("secure", address_is_secure, "http://hub.example", false);
	check_same("https://hub.example", "https://HUB.example:443/x", true);
	check_same("https://hub.example", "http://hub.example/x", false);
	check_same("https://hub.example", "https://hub.example:444/x", false);
	check_same("https://hub.example", "https://hub.example.org/x", false);
	return tap_failed;
}
