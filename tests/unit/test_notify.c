/* SPDX-License-Identifier: MIT */
/* Which notifications are spoken, and what is said of them. */
#include "rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clean_text.h"
#include "notify_pause.h"
#include "tap.h"

#define NOON (12 * 60)

static bool cleaned(const char *text, bool markup, size_t max,
		    const char *wanted)
{
	char *got = clean_text(text, markup, max);
	bool same = got && strcmp(got, wanted) == 0;

	if (!same)
		printf("# \"%s\" became \"%s\"\n", text, got ? got : "NULL");
	free(got);
	return same;
}

static void test_clean(void)
{
	static const struct {
		const char *text;
		bool markup;
		const char *wanted;
	} cases[] = {
		{"", true, ""},
		{"plain", true, "plain"},
		{"<b>bold</b> and <i>it</i>", true, "bold and it"},
		{"<b>bold</b>", false, "<b>bold</b>"},
		{"a<br/>b<br>c", true, "a b c"},
		{"<a href=\"http://x/\">link</a>", true, "link"},
		{"<img src=\"x\" alt=\"a cat\"/>!", true, "!"},
		{"1 < 2 > 1 & <x> <b", true, "1 < 2 > 1 & <x> <b"},
		{"&lt;b&gt; &amp;amp; &#65;&#x42; &apos;&quot;", true,
		 "<b> &amp; AB '\""},
		{"&#0; &#xd800; &#99999999; &nothing; &", true,
		 "&#0; &#xd800; &#99999999; &nothing; &"},
		{" a \t\n b\xc2\xa0 ", true, "a b"},
		{"a\x01\x1b[0mb", true, "a[0mb"},
		{"a\xe2\x80\xae" "evil\xe2\x81\xa6" "b", true, "aevilb"},
		{"bad \xff\xc3 utf \xf8\x88", true, "bad utf"},
		{"see https://www.example.org/a/b?c=d#e now", true,
		 "see example.org now"},
		{"http://user:pass@evil.example/x", true, "evil.example"},
		{"https://", true, "https://"},
		{"Gr\xc3\xbc\xc3\x9f" "e", true, "Gr\xc3\xbc\xc3\x9f" "e"},
	};
	const char *name = "notify: text as it can be spoken";
	bool good = true;
	char *long_word = malloc(200001);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		good &= cleaned(cases[i].text, cases[i].markup, 100,
				cases[i].wanted);
	TAP_CHECK(name, good);
	TAP_CHECK(name, cleaned("one two three", true, 7, "one two..."));
	TAP_CHECK(name, cleaned("one two three", true, 5, "one two..."));
	TAP_CHECK(name, cleaned("one two", true, 7, "one two"));
	memset(long_word, 'x', 200000);
	long_word[200000] = '\0';
	TAP_CHECK(name, cleaned(long_word, true, 5, "xxxxxxxxxx..."));
	free(long_word);
	tap_ok(name);
}

struct fixture {
	struct settings s;
	struct memory m;
	struct desktop d;
	struct notification n;
	int64_t now;
	int minute;
	char said[256];
	uint64_t id;
};

/* What becomes of the last one that was to be spoken. */
static void heard(struct fixture *f, bool whole)
{
	rules_ended(&f->m, f->id, whole, f->now);
}

static void set_up(struct fixture *f)
{
	*f = (struct fixture){
		.n = {.app = "Mail", .summary = "News", .body = "Hello",
		      .urgency = URGENCY_NORMAL},
		.now = 1000000,
		.minute = NOON,
	};
	settings_init(&f->s);
}

static enum verdict decide(struct fixture *f)
{
	struct decision d = {0};
	enum verdict v = rules_decide(&f->s, &f->m, &f->d, &f->n, f->now,
				      f->minute, &d);

	snprintf(f->said, sizeof(f->said), "%s", d.text ? d.text : "");
	free(d.text);
	if (v == VERDICT_SPEAK)
		f->id = d.id;
	return v;
}

/* The same again, so many seconds later. */
static enum verdict after(struct fixture *f, int64_t seconds)
{
	f->now += seconds;
	return decide(f);
}

/* Another text. */
static enum verdict reads(struct fixture *f, const char *body)
{
	f->n.body = body;
	return decide(f);
}

static void test_template(void)
{
	const char *name = "notify: what is said";
	struct fixture f;

	set_up(&f);
	TAP_CHECK(name, decide(&f) == VERDICT_SPEAK &&
				strcmp(f.said, "Mail: News. Hello") == 0);
	f.n.body = "";
	f.n.summary = "Done!";
	TAP_CHECK(name, decide(&f) == VERDICT_SPEAK &&
				strcmp(f.said, "Mail: Done!") == 0);
	f.n.name = "Letters";
	f.n.summary = "Done?";
	TAP_CHECK(name, decide(&f) == VERDICT_SPEAK &&
				strcmp(f.said, "Letters: Done?") == 0);
	f.n.name = "";
	f.n.summary = "Done!";
	f.n.body = "Now.";
	TAP_CHECK(name, decide(&f) == VERDICT_SPEAK &&
				strcmp(f.said, "Done! Now.") == 0);
	f.n.summary = " ";
	f.n.body = "<b></b>";
	TAP_CHECK(name, decide(&f) == VERDICT_EMPTY);
	settings_clear(&f.s);
	tap_ok(name);
}

static void test_desktop(void)
{
	const char *name = "notify: when it is not spoken";
	struct fixture f;

	set_up(&f);
	f.n.again = true;
	TAP_CHECK(name, decide(&f) == VERDICT_AGAIN);
	f.n.again = false;
	f.d.paused = true;
	TAP_CHECK(name, decide(&f) == VERDICT_PAUSED);
	f.d.paused = false;
	f.d.locked = true;
	TAP_CHECK(name, decide(&f) == VERDICT_LOCKED);
	f.d.locked = false;
	f.d.inactive = true;
	TAP_CHECK(name, decide(&f) == VERDICT_INACTIVE);
	f.d.inactive = false;
	f.d.screen_reader = true;
	TAP_CHECK(name, decide(&f) == VERDICT_SCREEN_READER);
	f.d.screen_reader = false;
	f.d.disturbed = true;
	TAP_CHECK(name, decide(&f) == VERDICT_DISTURBED);
	f.n.urgency = URGENCY_CRITICAL;
	TAP_CHECK(name, decide(&f) == VERDICT_SPEAK);
	f.d.disturbed = false;
	f.n.urgency = URGENCY_LOW;
	TAP_CHECK(name, decide(&f) == VERDICT_URGENCY);
	f.n.urgency = URGENCY_NORMAL;
	f.n.suppress_sound = true;
	TAP_CHECK(name, decide(&f) == VERDICT_SILENT);
	settings_clear(&f.s);
	tap_ok(name);
}

/* One more, of other words; it is heard at once. */
static enum verdict next(struct fixture *f)
{
	static unsigned number;
	char body[32];
	enum verdict v;

	snprintf(body, sizeof(body), "number %u", number++);
	v = reads(f, body);
	if (v == VERDICT_SPEAK)
		heard(f, true);
	return v;
}

static void test_flood(void)
{
	const char *name = "notify: a flood of one application's";
	struct fixture f;

	set_up(&f);
	for (unsigned i = 0; i < 100; i++)
		TAP_CHECK(name, next(&f) == (i < 20 ? VERDICT_SPEAK
						    : VERDICT_FLOOD));
	f.n.app = "Chat";
	TAP_CHECK(name, next(&f) == VERDICT_SPEAK);
	f.n.app = "Mail";
	TAP_CHECK(name, next(&f) == VERDICT_FLOOD);
	f.n.urgency = URGENCY_CRITICAL;
	for (unsigned i = 0; i < 100; i++)
		TAP_CHECK(name, next(&f) == VERDICT_SPEAK);
	f.n.urgency = URGENCY_NORMAL;
	f.now += 61;
	TAP_CHECK(name, next(&f) == VERDICT_SPEAK);
	settings_clear(&f.s);
	tap_ok(name);
}

static void test_waiting(void)
{
	const char *name = "notify: what waits to be heard";
	struct fixture f;
	char body[32], app[32];
	unsigned spoken = 0;

	set_up(&f);
	f.n.body = body;
	/* A few of one application wait. */
	for (unsigned i = 0; i < 50; i++) {
		snprintf(body, sizeof(body), "number %u", i);
		spoken += decide(&f) == VERDICT_SPEAK;
	}
	TAP_CHECK(name, spoken == RULES_APP_WAITING);
	heard(&f, true);
	TAP_CHECK(name, decide(&f) == VERDICT_SPEAK);
	/* A few more of all. */
	f.n.app = app;
	for (unsigned i = 0; i < 50; i++) {
		snprintf(app, sizeof(app), "app %u", i);
		spoken += decide(&f) == VERDICT_SPEAK;
	}
	TAP_CHECK(name, spoken == RULES_WAITING);
	/* Critical ones are counted apart. */
	f.n.urgency = URGENCY_CRITICAL;
	for (unsigned i = 0; i < RULES_CRITICAL_WAITING; i++) {
		snprintf(body, sizeof(body), "critical %u", i);
		TAP_CHECK(name, decide(&f) == VERDICT_SPEAK);
	}
	TAP_CHECK(name, reads(&f, "one more") == VERDICT_FLOOD);
	settings_clear(&f.s);

	/* What was not heard is no repeat and does not count. */
	set_up(&f);
	for (unsigned i = 0; i < 100; i++) {
		TAP_CHECK(name, decide(&f) == VERDICT_SPEAK);
		TAP_CHECK(name, decide(&f) == VERDICT_REPEAT);
		heard(&f, false);
	}
	TAP_CHECK(name, decide(&f) == VERDICT_SPEAK);
	/* It is 30 s from when it was heard. */
	TAP_CHECK(name, after(&f, 100) == VERDICT_REPEAT);
	heard(&f, true);
	TAP_CHECK(name, after(&f, 29) == VERDICT_REPEAT);
	TAP_CHECK(name, after(&f, 2) == VERDICT_SPEAK);
	settings_clear(&f.s);
	tap_ok(name);
}

static void test_repeats(void)
{
	const char *name = "notify: repeats";
	struct fixture f;

	set_up(&f);
	TAP_CHECK(name, decide(&f) == VERDICT_SPEAK);
	heard(&f, true);
	TAP_CHECK(name, after(&f, 29) == VERDICT_REPEAT);
	/* A genuine one after a while is no repeat. */
	TAP_CHECK(name, after(&f, 2) == VERDICT_SPEAK);
	TAP_CHECK(name, reads(&f, "Hello 2") == VERDICT_SPEAK);
	TAP_CHECK(name, reads(&f, "Hello 3") == VERDICT_SPEAK);
	/* Progress is one notification that changes. */
	f.n.replaces_id = 7;
	TAP_CHECK(name, reads(&f, "9 % of 120 MB") == VERDICT_SPEAK);
	TAP_CHECK(name, reads(&f, "41 % of 120 MB") == VERDICT_REPEAT);
	TAP_CHECK(name, reads(&f, "Ready") == VERDICT_SPEAK);
	settings_clear(&f.s);
	tap_ok(name);
}

static const char *write_file(const char *text)
{
	static char path[] = "/tmp/barkd-test-notify.ini";
	static char made[sizeof(path) + 16];
	FILE *f;

	snprintf(made, sizeof(made), "%s.%d", path, (int)getpid());
	f = fopen(made, "we");
	fputs(text, f);
	fclose(f);
	return made;
}

static void test_settings(void)
{
	static const char *const wrong[] = {
		"[notify]\nnonsense = 1\n", "[nobody]\nlow = no\n",
		"[notify]\nlow = loud\n", "[notify]\nquiet = 25:00-7:00\n",
		"[notify]\nmax_length = 5\n", "[notify]\nrate = fast\n",
		"[app X]\nspeak = maybe\n", "low = no\n", "[app ]\nspeak = no\n",
	};
	const char *name = "notify: settings and rules for applications";
	struct conf_error err;
	struct fixture f;

	set_up(&f);
	settings_clear(&f.s);
	TAP_CHECK(name, settings_load(&f.s, "/nowhere/x.ini", &err) == 0 &&
				f.s.max_length == 300);
	settings_clear(&f.s);
	TAP_CHECK(name,
		  settings_load(&f.s,
				write_file("[notify]\nquiet = 22:00-07:30\n"
					   "others = no\nmax_length = 10\n"
					   "[app Ma*]\nnormal = important\n"
					   "template = {summary}\nvoice = anna\n"
					   "[app org.chat]\nspeak = no\n"),
				&err) == 0);
	TAP_CHECK(name, decide(&f) == VERDICT_SPEAK &&
				strcmp(f.said, "News") == 0);
	f.minute = 22 * 60;
	f.n.summary = "Other";
	TAP_CHECK(name, decide(&f) == VERDICT_QUIET);
	f.minute = 7 * 60 + 29;
	TAP_CHECK(name, decide(&f) == VERDICT_QUIET);
	f.minute = 7 * 60 + 30;
	TAP_CHECK(name, decide(&f) == VERDICT_SPEAK);
	f.n.app = "unknown";
	TAP_CHECK(name, decide(&f) == VERDICT_APP);
	f.n.app = "mALL";
	f.n.desktop_entry = "org.chat";
	f.n.summary = "Third";
	TAP_CHECK(name, decide(&f) == VERDICT_SPEAK);
	f.n.app = "Talk";
	TAP_CHECK(name, decide(&f) == VERDICT_APP);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct settings s;

		TAP_CHECK(name, settings_load(&s, write_file(wrong[i]),
					      &err) == -EINVAL &&
					err.message[0]);
	}
	unlink(write_file(""));
	settings_clear(&f.s);
	settings_clear(NULL);
	tap_ok(name);
}

static void test_pause(void)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = {{"90s", 90}, {"10m", 600}, {"1h", 3600},
		    {"2h30m", 9000}, {"1d", 86400}};
	static const char *const bad[] = {"", "1", "h", "1x", "-1h", "1h2",
					  "25:00", "9:60", "0s", "1.5h",
					  "99999999999999999999s", "18:00x"};
	const char *name = "notify: how long a pause is";
	int64_t now = 1700000000, until;
	time_t t;
	struct tm tm;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		TAP_CHECK(name, pause_parse(good[i].text, now, &until) == 0 &&
					until == now + good[i].seconds);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		TAP_CHECK(name, pause_parse(bad[i], now, &until) == -EINVAL);
	TAP_CHECK(name, pause_parse("18:05", now, &until) == 0);
	t = (time_t)until;
	localtime_r(&t, &tm);
	TAP_CHECK(name, until > now && until <= now + 25 * 3600 &&
				tm.tm_hour == 18 && tm.tm_min == 5);
	TAP_CHECK(name, pause_parse("off", now, &until) == 0 && until == 0);
	TAP_CHECK(name, pause_parse("on", now, &until) == 0 &&
				until == PAUSE_FOREVER);
	tap_ok(name);
}

/* A pause of so long ends when that has passed, whatever the clock was set to
 * meanwhile; one until a time of the day goes by the clock. */
static void test_pause_file(void)
{
	const char *name = "notify: a pause outlives a clock that is set";
	char folder[] = "/tmp/barkd-test-pause-XXXXXX", path[64];
	int64_t now = time(NULL);
	FILE *f;

	TAP_CHECK(name, mkdtemp(folder) && setenv("XDG_RUNTIME_DIR", folder, 1) == 0);
	TAP_CHECK(name, pause_read() == 0);
	TAP_CHECK(name, pause_write(now + 60, true) == 0);
	TAP_CHECK(name, pause_read() >= now + 58 && pause_read() <= now + 62);
	TAP_CHECK(name, pause_write(now + 60, false) == 0);
	TAP_CHECK(name, pause_read() == now + 60);
	TAP_CHECK(name, pause_write(PAUSE_FOREVER, false) == 0);
	TAP_CHECK(name, pause_read() == PAUSE_FOREVER);
	snprintf(path, sizeof(path), "%s/barkd/notify-pause", folder);
	/* The clock went back an hour: the second number, which no clock
	 * moves, has passed. */
	f = fopen(path, "w");
	fprintf(f, "%lld 1\n", (long long)now + 3600);
	fclose(f);
	TAP_CHECK(name, pause_read() <= now);
	TAP_CHECK(name, pause_write(0, false) == 0 && pause_read() == 0);
	snprintf(path, sizeof(path), "%s/barkd", folder);
	rmdir(path);
	rmdir(folder);
	tap_ok(name);
}

int main(void)
{
	test_clean();
	test_template();
	test_desktop();
	test_repeats();
	test_flood();
	test_waiting();
	test_settings();
	test_pause();
	test_pause_file();
	return tap_failed;
}
