/* SPDX-License-Identifier: MIT */
/* Digests of files against published vectors (FIPS 180-4) and git's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "digest.h"
#include "tap.h"

static void say(bool good, const char *what, const char *name)
{
	char full[120];

	snprintf(full, sizeof(full), "digest/%s %.80s", what, name);
	if (good)
		tap_ok(full);
	else
		tap_not_ok(full, "another value");
}

/* n times text, in a file that goes with its descriptor */
static int file_of(const char *text, size_t n)
{
	char name[] = "/tmp/barkd-digest-XXXXXX";
	int fd = mkstemp(name);
	FILE *f = fdopen(dup(fd), "w");

	unlink(name);
	while (n--)
		fputs(text, f);
	fclose(f);
	return fd;
}

static void check(const char *name, const char *text, size_t n,
		  const char *sha256, const char *git)
{
	char a[DIGEST_SHA256_HEX + 1] = "", b[DIGEST_GIT_HEX + 1] = "";
	int fd = file_of(text, n);

	say(!digest_sha256(a, fd) && !strcmp(a, sha256), "sha256 of", name);
	if (git)
		say(!digest_git(b, fd) && !strcmp(b, git), "git of", name);
	close(fd);
}

static void check_tag(const char *tag, const char *want)
{
	char hash[DIGEST_SHA256_HEX + 1] = "";
	bool is = answer_hash(hash, tag);

	say(is == !!want && (!want || !strcmp(hash, want)), "tag", tag);
}

int main(void)
{
	static const char blob[] = "ce013625030ba8dba906f756967f9e9ca394464a";

	check("nothing", "", 0,
	      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	      "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
	check("abc", "abc", 1,
	      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	      "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f");
	check("a line", "hello\n", 1,
	      "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
	      blob);
	check("two blocks",
	      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
	      NULL);
	check("a million a", "aaaaaaaaaa", 100000,
	      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
	      NULL);
	check_tag("\"ce013625030ba8dba906f756967f9e9ca394464a\"", blob);
	check_tag("W/\"ce013625030ba8dba906f756967f9e9ca394464a\"", blob);
	check_tag("ce013625030ba8dba906f756967f9e9ca394464a", blob);
	check_tag("\"ce013625030ba8dba906f756967f9e9ca394464a-1\"", NULL);
	check_tag("\"ce013625030ba8dba906f756967f9e9ca394464\"", NULL);
	check_tag("\"5f3-61a\"", NULL);
	check_tag("", NULL);
	return tap_failed;
}
