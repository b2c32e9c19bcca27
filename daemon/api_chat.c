/* SPDX-License-Identifier: MIT */
/* POST /v1/chat: a message of a stream's chat, spoken if the rules let it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon.h"

#define CHAT_TEXT_MAX 4096 /* bytes */

struct chat_request {
	char *user, *text;
	json_t *emotes; /* owned, an array of strings, or NULL */
};

static void request_clear(struct chat_request *r)
{
	free(r->user);
	free(r->text);
	json_decref(r->emotes);
}

static int get_emotes(json_t *root, json_t **ret, struct api_error *err)
{
	json_t *v = api_get(root, "emotes"), *e;
	size_t i;

	if (!v)
		return 0;
	if (!json_is_array(v) || json_array_size(v) > CHAT_EMOTES_MAX)
		return api_error_set(err, 400, "emotes", "invalid_type",
				     "emotes must be an array of at most %d strings",
				     CHAT_EMOTES_MAX);
	json_array_foreach(v, i, e)
		if (!json_is_string(e))
			return api_wrong_type(err, "emotes",
					      "an array of strings");
	*ret = json_incref(v);
	return 0;
}

static int parse(struct chat_request *ret, const char *body, size_t n,
		 struct api_error *err)
{
	static const char *const fields[] = {"user", "text", "emotes", NULL};
	struct chat_request q = {0};
	json_t *root;
	int r = api_object(&root, body, n, false, err);

	if (r < 0)
		return r;
	r = api_only_fields(root, fields, err);
	if (r == 0)
		r = api_get_string(root, "user", CHAT_USER_MAX, &q.user, err);
	if (r == 0 && !q.user)
		r = api_error_set(err, 400, "user", "missing_field",
				  "user is required");
	if (r == 0)
		r = api_get_string(root, "text", CHAT_TEXT_MAX, &q.text, err);
	if (r == 0 && !q.text)
		r = api_error_set(err, 400, "text", "missing_field",
				  "text is required");
	if (r == 0)
		r = get_emotes(root, &q.emotes, err);
	json_decref(root);
	if (r < 0) {
		request_clear(&q);
		return r;
	}
	*ret = q;
	return 0;
}

/* --- what waits --- */

static void count_item(void *data, const struct queue_item *item)
{
	const struct utterance *u = (const struct utterance *)item;
	struct chat_message *m = data;

	if (!u->request.user)
		return;
	m->waiting++;
	m->user_waiting += strcasecmp(u->request.user, m->user) == 0;
}

/* --- whose voice --- */

static char *voice_for(struct daemon *d, const char *user)
{
	const char *names[256], *voice;
	json_t *all = view_voices(d), *v;
	size_t i, n = 0;
	char *copy;

	json_array_foreach(all, i, v)
		if (n < sizeof(names) / sizeof(*names))
			names[n++] = json_string_value(
				json_object_get(v, "name"));
	voice = chat_voice(d->chat, user, names, n);
	/* One that was given but is not there is not worth silence. */
	if (voice && !voice_exists(d, voice))
		voice = NULL;
	copy = voice ? strdup(voice) : NULL;
	json_decref(all);
	return copy;
}

/* --- the route --- */

static void speak(struct daemon *d, struct http_request *req, char *text,
		  const char *user)
{
	struct speak_request speak = {
		.text = text,
		.n_text = strlen(text),
		.voice = voice_for(d, user),
		.user = strdup(user),
		.rate = 1,
		.pitch = 1,
		.volume = 1,
		/* Each waits for its turn; texts would replace one another. */
		.priority = QUEUE_MESSAGE,
		.interrupt = true,
	};
	bool dropped;
	uint64_t id;
	int r = control_speak(d, &speak, NULL, &id, &dropped);

	if (r == -ENOBUFS)
		api_error_reply(req, 429, NULL, "queue_full",
				"%u texts wait already",
				d->conf.service.queue_length);
	else if (r < 0)
		http_reply(req, 500, NULL);
	else
		http_reply(req, 202, json_pack("{s:I, s:s}", "id",
					       (json_int_t)id, "state",
					       "queued"));
}

void api_chat(struct daemon *d, struct http_request *req)
{
	const char *emotes[CHAT_EMOTES_MAX + 1] = {NULL};
	struct chat_message m = {.emotes = emotes};
	struct chat_request q;
	struct api_error err;
	enum chat_verdict verdict;
	char *text = NULL;
	size_t n;
	const char *body = http_body(req, &n);

	if (parse(&q, body, n, &err) < 0) {
		http_reply(req, err.status, api_error_json(&err));
		return;
	}
	for (size_t i = 0; i < json_array_size(q.emotes); i++)
		emotes[i] = json_string_value(json_array_get(q.emotes, i));
	m.user = q.user;
	m.text = q.text;
	queue_each(&d->queue, count_item, &m);
	if (d->queue.current)
		count_item(&m, d->queue.current);
	verdict = chat_decide(d->chat, &m, daemon_now_ns() / 1000000, &text);
	if (verdict != CHAT_SPEAK)
		http_reply(req, 200,
			   json_pack("{s:s, s:s}", "state", "ignored", "why",
				     chat_verdict_names[verdict]));
	else if (!text)
		http_reply(req, 500, NULL);
	else
		speak(d, req, text, q.user);
	request_clear(&q);
}
