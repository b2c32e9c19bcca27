/* SPDX-License-Identifier: MIT */
#include "handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

/* --- the end of one barkd --- */

struct kept {
	struct utterance **items;
	size_t n, room;
};

static void keep(struct kept *k, struct utterance *u)
{
	if (!u->waiter && k->n < k->room)
		k->items[k->n++] = u;
}

static void visit(void *data, const struct queue_item *item)
{
	keep(data, (struct utterance *)item);
}

static int by_id(const void *a, const void *b)
{
	const struct utterance *x = *(struct utterance *const *)a;
	const struct utterance *y = *(struct utterance *const *)b;

	return x->item.id < y->item.id ? -1 : x->item.id > y->item.id;
}

/* In the order of arrival, in which the queue's rules leave them all. */
static int collect(struct daemon *d, struct kept *k)
{
	struct utterance *u = (struct utterance *)d->queue.current;

	k->room = d->queue.n_waiting + 1;
	k->items = calloc(k->room, sizeof(*k->items));
	if (!k->items)
		return -ENOMEM;
	if (u && !(speaker_busy(d->speaker) && speaker_first_sound(d->speaker)))
		keep(k, u);
	queue_each(&d->queue, visit, k);
	qsort(k->items, k->n, sizeof(*k->items), by_id);
	return 0;
}

static json_t *describe(const struct utterance *u)
{
	return json_pack("{s:I, s:s*, s:o}", "id", (json_int_t)u->item.id,
			 "user", u->request.user, "request",
			 speak_request_json(&u->request));
}

/* One line of JSON each; *ret_n: how many fit. */
static int write_all(int fd, struct daemon *d, const struct kept *k,
		     size_t *ret_n)
{
	size_t size = 0;
	char head[64];
	int n = snprintf(head, sizeof(head), "%llu %d\n",
			 (unsigned long long)d->last_id, d->paused);

	if (write(fd, head, (size_t)n) != n)
		return -EIO;
	for (*ret_n = 0; *ret_n < k->n; ++*ret_n) {
		json_t *json = describe(k->items[*ret_n]);
		char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
		size_t len = text ? strlen(text) : 0;
		bool good;

		json_decref(json);
		if (!text)
			return -ENOMEM;
		size += len + 1;
		if (size > HANDOVER_MAX) {
			free(text);
			return 0;
		}
		text[len] = '\n';
		good = write(fd, text, len + 1) == (ssize_t)(len + 1);
		free(text);
		if (!good)
			return -EIO;
	}
	return 0;
}

static int store(struct daemon *d, const struct kept *k, size_t *ret_n)
{
	int fd = memfd_create("barkd-queue", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, d, k, ret_n);
	if (r == 0 && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		r = -errno;
	if (r == 0)
		r = inherited_store(INHERITED_QUEUE, fd);
	close(fd);
	return r;
}

void handover_save(struct daemon *d)
{
	struct kept k = {0};
	size_t n = 0;
	int r;

	if (!d->listener.inherited)
		return;
	r = collect(d, &k);
	if (r == 0 && k.n > 0)
		r = store(d, &k, &n);
	if (r < 0 && r != -ENOTCONN)
		log_warning("cannot keep the texts that wait: %s",
			    strerror(-r));
	for (size_t i = 0; r == 0 && i < n; i++)
		control_forget(d, k.items[i]);
	if (r == 0 && n < k.n)
		log_warning("%zu of the texts that wait are too long to keep",
			    k.n - n);
	free(k.items);
}

/* --- the beginning of the next --- */

static int read_all(int fd, char **ret)
{
	struct stat st;
	char *text;
	ssize_t n;

	if (fcntl(fd, F_GET_SEALS) != SEALS)
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > HANDOVER_MAX + 64)
		return -E2BIG;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	n = pread(fd, text, (size_t)st.st_size, 0);
	if (n != st.st_size) {
		free(text);
		return -EIO;
	}
	text[n] = '\0';
	*ret = text;
	return 0;
}

/* Takes the request apart again as if a client had sent it. */
static int queue_one(struct daemon *d, const char *line, size_t n)
{
	struct speak_request request;
	struct api_error err;
	const char *user;
	bool dropped;
	json_t *root;
	uint64_t id;
	char *body;
	int r = api_object(&root, line, n, false, &err);

	if (r < 0)
		return r;
	id = (uint64_t)json_integer_value(json_object_get(root, "id"));
	user = json_string_value(json_object_get(root, "user"));
	body = json_dumps(json_object_get(root, "request"), JSON_COMPACT);
	r = body && id ? speak_request_parse(&request, body, strlen(body), &err)
		       : -EINVAL;
	free(body);
	if (r == 0 && user) {
		request.user = strdup(user);
		if (!request.user) {
			speak_request_clear(&request);
			r = -ENOMEM;
		}
	}
	json_decref(root);
	if (r < 0)
		return r;
	d->last_id = id - 1;
	return control_speak(d, &request, NULL, &id, &dropped);
}

static int queue_all(struct daemon *d, char *text)
{
	char *line = strchr(text, '\n'), *end;
	unsigned long long last;
	int paused, r = 0;

	if (!line || sscanf(text, "%llu %d", &last, &paused) != 2)
		return -EINVAL;
	for (line++; (end = strchr(line, '\n')); line = end + 1) {
		int one = queue_one(d, line, (size_t)(end - line));

		r = r < 0 ? r : one;
	}
	if (d->last_id < last)
		d->last_id = last;
	if (paused)
		control_pause(d, true);
	return r;
}

void handover_restore(struct daemon *d, struct inherited *in)
{
	int fd = in->fds[INHERITED_QUEUE], r;
	char *text = NULL;

	if (fd < 0)
		return;
	in->fds[INHERITED_QUEUE] = -1;
	/* Before it is looked at: it must not be what each barkd ends of. */
	inherited_forget(INHERITED_QUEUE);
	r = read_all(fd, &text);
	close(fd);
	if (r == 0)
		r = queue_all(d, text);
	free(text);
	if (r < 0)
		log_warning("cannot go on with all texts that waited: %s",
			    strerror(-r));
	else
		log_info("goes on with %zu texts that waited",
			 d->queue.n_waiting);
}
