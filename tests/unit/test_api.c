/* SPDX-License-Identifier: MIT */
/* Requests' bodies: what is taken, what is refused and how. */
#include "api_speak.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* A request that is written down and read again is the same. */
static void test_again(const char *name, const struct speak_request *q)
{
	json_t *json = speak_request_json(q);
	char *body = json ? json_dumps(json, 0) : NULL;
	struct speak_request again;
	struct api_error err;

	json_decref(json);
	TAP_CHECK(name, body && speak_request_parse(&again, body, strlen(body),
						    &err) == 0);
	TAP_CHECK(name, same(again.text, q->text) && again.n_text == q->n_text);
	TAP_CHECK(name, same(again.voice, q->voice));
	TAP_CHECK(name, same(again.language, q->language));
	TAP_CHECK(name, same(again.tag, q->tag));
	TAP_CHECK(name, again.rate == q->rate && again.pitch == q->pitch);
	TAP_CHECK(name, again.volume == q->volume);
	TAP_CHECK(name, again.priority == q->priority);
	TAP_CHECK(name, again.deadline_ms == q->deadline_ms);
	TAP_CHECK(name, again.has_seed == q->has_seed && again.seed == q->seed);
	TAP_CHECK(name, again.wait == q->wait);
	TAP_CHECK(name, again.cancel_on_disconnect == q->cancel_on_disconnect);
	TAP_CHECK(name, again.fallback == q->fallback);
	TAP_CHECK(name, again.interrupt == q->interrupt);
	speak_request_clear(&again);
	free(body);
}

static void test_good(void)
{
	const char *name = "api: a full request";
	const char *body =
		"{\"text\":\"Gr\xc3\xbc\xc3\x9f \\u0041\",\"voice\":\"v\","
		"\"language\":\"de\",\"rate\":2,\"pitch\":0.5,\"volume\":0,"
		"\"priority\":\"important\",\"seed\":9223372036854775807,"
		"\"deadline_ms\":150,\"tag\":\"a\","
		"\"wait\":true,\"cancel_on_disconnect\":true,"
		"\"fallback\":true,\"interrupt\":false}";
	struct speak_request q;
	struct api_error err;

	TAP_CHECK(name,
		  speak_request_parse(&q, body, strlen(body), &err) == 0);
	TAP_CHECK(name, strcmp(q.text, "Gr\xc3\xbc\xc3\x9f A") == 0);
	TAP_CHECK(name, q.n_text == strlen(q.text));
	TAP_CHECK(name, strcmp(q.voice, "v") == 0);
	TAP_CHECK(name, strcmp(q.language, "de") == 0);
	TAP_CHECK(name, q.rate == 2 && q.pitch == 0.5 && q.volume == 0);
	TAP_CHECK(name, q.priority == QUEUE_IMPORTANT);
	TAP_CHECK(name, q.has_seed && q.seed == INT64_MAX);
	TAP_CHECK(name, q.wait && q.cancel_on_disconnect);
	test_again(name, &q);
	speak_request_clear(&q);
	speak_request_clear(&q);
	speak_request_clear(NULL);

	/* null counts as left out; everything has a default. */
	body = "{\"text\":\"x\",\"voice\":null,\"rate\":null,\"wait\":null}";
	TAP_CHECK(name,
		  speak_request_parse(&q, body, strlen(body), &err) == 0);
	TAP_CHECK(name, !q.voice && q.rate == 1 && q.volume == 1 && !q.wait);
	TAP_CHECK(name, q.priority == QUEUE_TEXT && !q.has_seed);
	speak_request_clear(&q);
	tap_ok(name);
}

static void test_bad(void)
{
	static const struct {
		const char *body, *code, *param;
	} cases[] = {
		{"", "invalid_json", ""},
		{"{", "invalid_json", ""},
		{"[]", "invalid_json", ""},
		{"\"x\"", "invalid_json", ""},
		{"{\"text\":\"x\"} {}", "invalid_json", ""},
		{"{\"text\":\"\xff\"}", "invalid_json", ""},
		{"{\"text\":\"a\\u0000b\"}", "invalid_json", ""},
		{"{\"text\":\"x\",\"text\":\"y\"}", "invalid_json", ""},
		{"{}", "missing_field", "text"},
		{"{\"text\":null}", "missing_field", "text"},
		{"{\"text\":1}", "invalid_type", "text"},
		{"{\"text\":\"\"}", "invalid_value", "text"},
		{"{\"text\":\"x\",\"txet\":1}", "unknown_field", "txet"},
		{"{\"text\":\"x\",\"rate\":\"1\"}", "invalid_type", "rate"},
		{"{\"text\":\"x\",\"rate\":0}", "invalid_value", "rate"},
		{"{\"text\":\"x\",\"rate\":6.01}", "invalid_value", "rate"},
		{"{\"text\":\"x\",\"pitch\":-1}", "invalid_value", "pitch"},
		{"{\"text\":\"x\",\"volume\":4.5}", "invalid_value", "volume"},
		{"{\"text\":\"x\",\"volume\":-0.1}", "invalid_value",
		 "volume"},
		{"{\"text\":\"x\",\"priority\":\"high\"}", "invalid_value",
		 "priority"},
		{"{\"text\":\"x\",\"priority\":1}", "invalid_type",
		 "priority"},
		{"{\"text\":\"x\",\"seed\":-1}", "invalid_value", "seed"},
		{"{\"text\":\"x\",\"seed\":1.5}", "invalid_type", "seed"},
		{"{\"text\":\"x\",\"seed\":9223372036854775808}",
		 "invalid_json", ""},
		{"{\"text\":\"x\",\"wait\":1}", "invalid_type", "wait"},
		{"{\"text\":\"x\",\"voice\":\"\"}", "invalid_value", "voice"},
		{"{\"text\":\"x\",\"voice\":[]}", "invalid_type", "voice"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct speak_request q;
		struct api_error err = {0};
		char name[128];
		int r;

		snprintf(name, sizeof(name), "api refuses: %zu %s %s", i,
			 cases[i].code, cases[i].param);
		memset(&q, 0x5a, sizeof(q));
		r = speak_request_parse(&q, cases[i].body,
					strlen(cases[i].body), &err);
		if (r != -EINVAL || err.status != 400 ||
		    strcmp(err.code, cases[i].code) != 0 ||
		    strcmp(err.param, cases[i].param) != 0 || !err.message[0])
			tap_not_ok(name, "%s: %d %s %s %s", cases[i].body,
				   r, err.code, err.param, err.message);
		else
			tap_ok(name);
	}
}

static void test_sizes(void)
{
	const char *name = "api: the longest text, deep and large bodies";
	size_t n = API_TEXT_MAX + 64;
	char *body = malloc(1 << 20);
	struct speak_request q;
	struct api_error err;

	memset(body, 'x', n);
	memcpy(body, "{\"text\":\"", 9);
	memcpy(body + 9 + API_TEXT_MAX, "\"}", 2);
	TAP_CHECK(name, speak_request_parse(&q, body, 9 + API_TEXT_MAX + 2,
					    &err) == 0);
	TAP_CHECK(name, q.n_text == API_TEXT_MAX);
	speak_request_clear(&q);
	memcpy(body + 9 + API_TEXT_MAX, "x\"}", 3);
	TAP_CHECK(name, speak_request_parse(&q, body, 9 + API_TEXT_MAX + 3,
					    &err) == -EINVAL);
	TAP_CHECK(name, err.status == 413);
	TAP_CHECK(name, strcmp(err.code, "too_large") == 0);

	memset(body, '[', 1 << 20);
	TAP_CHECK(name, speak_request_parse(&q, body, 1 << 20, &err) ==
			-EINVAL);
	/* A name that is too long is cut in the message, not beyond it. */
	memset(body, 'k', 2000);
	memcpy(body, "{\"", 2);
	memcpy(body + 2000, "\":1}", 4);
	TAP_CHECK(name, speak_request_parse(&q, body, 2004, &err) == -EINVAL);
	TAP_CHECK(name, strlen(err.param) == sizeof(err.param) - 1);
	free(body);
	tap_ok(name);
}

static void test_others(void)
{
	const char *name = "api: stop and empty bodies";
	struct api_error err;
	uint64_t id = 7;

	TAP_CHECK(name, stop_request_parse(&id, "", 0, &err) == 0 && id == 0);
	TAP_CHECK(name, stop_request_parse(&id, "{}", 2, &err) == 0);
	TAP_CHECK(name, stop_request_parse(&id, "{\"id\":12}", 9, &err) == 0);
	TAP_CHECK(name, id == 12);
	TAP_CHECK(name, stop_request_parse(&id, "{\"id\":0}", 8, &err) ==
			-EINVAL);
	TAP_CHECK(name, stop_request_parse(&id, "{\"id\":-1}", 9, &err) ==
			-EINVAL);
	TAP_CHECK(name, stop_request_parse(&id, "{\"x\":1}", 7, &err) ==
			-EINVAL);
	TAP_CHECK(name, id == 12);
	TAP_CHECK(name, empty_request_parse("", 0, &err) == 0);
	TAP_CHECK(name, empty_request_parse("{}", 2, &err) == 0);
	TAP_CHECK(name, empty_request_parse("{\"x\":1}", 7, &err) == -EINVAL);
	TAP_CHECK(name, strcmp(err.code, "unknown_field") == 0);
	tap_ok(name);
}

static void test_shape(void)
{
	const char *name = "api: errors have OpenAI's shape";
	struct api_error err;
	json_t *j, *e;

	api_error_set(&err, 400, "p", "c", "m %d", 1);
	j = api_error_json(&err);
	e = json_object_get(j, "error");
	TAP_CHECK(name, json_object_size(e) == 4);
	TAP_CHECK(name, strcmp(json_string_value(json_object_get(e, "message")),
			       "m 1") == 0);
	TAP_CHECK(name, strcmp(json_string_value(json_object_get(e, "type")),
			       "invalid_request_error") == 0);
	TAP_CHECK(name, strcmp(json_string_value(json_object_get(e, "param")),
			       "p") == 0);
	json_decref(j);
	/* Without a parameter; with a message that is cut inside "\xc3\xa4". */
	api_error_set(&err, 500, NULL, "c", "%254s\xc3\xa4", "");
	j = api_error_json(&err);
	e = json_object_get(j, "error");
	TAP_CHECK(name, json_is_null(json_object_get(e, "param")));
	TAP_CHECK(name, strcmp(json_string_value(json_object_get(e, "type")),
			       "server_error") == 0);
	json_decref(j);
	tap_ok(name);
}

int main(void)
{
	test_good();
	test_bad();
	test_sizes();
	test_others();
	test_shape();
	return tap_failed;
}
