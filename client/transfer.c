/* SPDX-License-Identifier: MIT */
#include "transfer.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "address.h"
#include "answer.h"
#include "digest.h"

#define MAX_HOPS 6
#define MAX_TOKEN 512
/* Of an answer that is no file: a page that says why not. */
#define MAX_REFUSAL (64 << 10)
/* Inside this file: the part is gone, begin anew. */
#define ANEW (-ESTALE)

/* What is known of a file, from all answers on the way to it. */
struct announced {
	int64_t size;
	char hash[DIGEST_SHA256_HEX + 1]; /* or git's, or "" */
	char commit[65];
};

struct transfer {
	CURL *curl;
	CURLU *base, *url;
	char *token;
	char why[512], curl_why[CURL_ERROR_SIZE];

	/* The file under way. */
	const struct transfer_file *file;
	int fd;
	uint64_t at, refused;
	bool resumed;
	char kept_hash[DIGEST_SHA256_HEX + 1], kept_etag[160];
	struct announced known;
	/* The request under way. */
	struct answer answer;
	long status;
	bool own_host, placed, keep;
	int error;
};

__attribute__((format(printf, 3, 4))) static int
fail(struct transfer *t, int r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->why, sizeof(t->why), fmt, ap);
	va_end(ap);
	return r;
}

const char *transfer_why(const struct transfer *t)
{
	return t->why;
}

/* --- what answers say --- */

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	answer_line(&t->answer, data, size * n);
	return size * n;
}

static int redirect(struct transfer *t)
{
	const bool secure = address_is_secure(t->url);

	if (!t->answer.location[0])
		return fail(t, -EPROTO, "a redirect to nowhere");
	if (curl_url_set(t->url, CURLUPART_URL, t->answer.location, 0) ||
	    !address_is_web(t->url))
		return fail(t, -EPROTO, "a redirect to what is no http address");
	if (secure && !address_is_secure(t->url))
		return fail(t, -EPROTO, "a redirect from https to http");
	return 0;
}

/* Takes from an answer what it says about the file. Another host's tags are
 * its own business. */
static void learn(struct transfer *t)
{
	const struct answer *a = &t->answer;
	struct announced *k = &t->known;

	if (!t->own_host)
		return;
	if (a->linked_size >= 0)
		k->size = a->linked_size;
	if (a->commit[0])
		snprintf(k->commit, sizeof(k->commit), "%s", a->commit);
	if (k->hash[0] || answer_hash(k->hash, a->linked_etag))
		return;
	/* Other servers' tags may look like a hash and be none. */
	if (a->commit[0])
		answer_hash(k->hash, a->etag);
}

/* --- the part and its state --- */

static void state_name(const struct transfer *t, char *ret, size_t size)
{
	snprintf(ret, size, "%.240s.state", t->file->part);
}

static void drop_part(struct transfer *t)
{
	char name[256];

	state_name(t, name, sizeof(name));
	unlinkat(t->file->dir, name, 0);
	if (ftruncate(t->fd, 0) < 0)
		unlinkat(t->file->dir, t->file->part, 0);
	t->at = 0;
}

/* Which content the part is of, for the attempt after this one. */
static int write_state(const struct transfer *t)
{
	const char *etag = t->answer.etag;
	char name[256], line[256];
	int fd, n, r = 0;

	/* A weak tag does not name bytes. */
	if (*etag != '"')
		etag = "-";
	n = snprintf(line, sizeof(line), "%s %s\n",
		     t->known.hash[0] ? t->known.hash : "-", etag);
	state_name(t, name, sizeof(name));
	fd = openat(t->file->dir, name,
		    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (write(fd, line, (size_t)n) != n)
		r = errno ? -errno : -EIO;
	close(fd);
	return r;
}

/* A part whose content has no name is of no use. */
static void read_state(struct transfer *t)
{
	char name[256], line[256];
	struct stat st;
	ssize_t n = -1;
	int fd;

	state_name(t, name, sizeof(name));
	fd = openat(t->file->dir, name, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, line, sizeof(line) - 1);
		close(fd);
	}
	line[n > 0 ? n : 0] = '\0';
	t->kept_hash[0] = t->kept_etag[0] = '\0';
	if (sscanf(line, "%64s %159s", t->kept_hash, t->kept_etag) != 2)
		t->kept_hash[0] = t->kept_etag[0] = '\0';
	if (t->kept_hash[0] == '-')
		t->kept_hash[0] = '\0';
	if (t->kept_etag[0] == '-')
		t->kept_etag[0] = '\0';
	if ((t->kept_hash[0] || t->kept_etag[0]) && !fstat(t->fd, &st))
		t->at = (uint64_t)st.st_size;
	else
		drop_part(t);
}

/* Whether the hub now has other content than the part is of. */
static bool has_changed(const struct transfer *t)
{
	return t->kept_hash[0] && t->known.hash[0] &&
	       strcmp(t->kept_hash, t->known.hash) != 0;
}

static int check_space(struct transfer *t, int64_t size)
{
	struct statvfs fs;
	uint64_t need, free;

	if (size < 0 || (uint64_t)size <= t->at || fstatvfs(t->fd, &fs) < 0)
		return 0;
	need = (uint64_t)size - t->at;
	free = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (need <= free)
		return 0;
	return fail(t, -ENOSPC, "%.1f MB more are needed, %.1f MB are free",
		    (double)need / 1e6, (double)free / 1e6);
}

/* Size of the whole file, or -1. */
static int64_t whole_size(const struct transfer *t)
{
	const struct answer *a = &t->answer;

	if (t->known.size >= 0)
		return t->known.size;
	return t->status == 206 ? a->range_total : a->length;
}

/* Decides, before the first byte, where an answer's bytes go. */
static int place(struct transfer *t)
{
	const struct answer *a = &t->answer;
	int64_t size;
	int r;

	t->placed = true;
	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->status);
	learn(t);
	t->keep = t->status == 200 || t->status == 206;
	if (!t->keep)
		return 0;
	if (t->status == 200 && t->at)
		drop_part(t);
	if (t->status == 206) {
		if (has_changed(t)) {
			drop_part(t);
			return ANEW;
		}
		if (!t->at || a->range_start != (int64_t)t->at)
			return fail(t, -EPROTO,
				    "the server sends another part than asked for");
		t->resumed = true;
	}
	size = t->status == 206 ? a->range_total : a->length;
	if (t->known.size >= 0 && size >= 0 && size != t->known.size) {
		drop_part(t);
		return fail(t, -EBADMSG, "%" PRId64 " bytes are announced, %" PRId64
			    " would come", t->known.size, size);
	}
	size = whole_size(t);
	if (size >= 0 && (uint64_t)size > t->file->limit)
		return fail(t, -EMSGSIZE, "%.1f MB, more than the %.1f MB that such a file may have",
			    (double)size / 1e6, (double)t->file->limit / 1e6);
	r = check_space(t, size);
	if (!r && (r = write_state(t)) < 0)
		fail(t, r, "%s", strerror(-r));
	return r;
}

static int append(struct transfer *t, const char *data, size_t n)
{
	while (n) {
		ssize_t w = pwrite(t->fd, data, n, (off_t)t->at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return fail(t, -errno, "%s", strerror(errno));
		data += w;
		n -= (size_t)w;
		t->at += (uint64_t)w;
	}
	return 0;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	int64_t whole;

	n *= size;
	if (!t->placed)
		t->error = place(t);
	if (t->error)
		return 0;
	if (!t->keep) {
		t->refused += n;
		return t->refused > MAX_REFUSAL ? 0 : n;
	}
	whole = whole_size(t);
	if (t->at + n > t->file->limit) {
		drop_part(t);
		t->error = fail(t, -EMSGSIZE, "more than the %.1f MB that such a file may have",
				(double)t->file->limit / 1e6);
		return 0;
	}
	t->error = append(t, data, n);
	if (t->error)
		return 0;
	t->file->progress(t->file->arg, t->at,
			  whole > 0 ? (uint64_t)whole : 0);
	return n;
}

/* --- requests --- */

static struct curl_slist *add(struct curl_slist *list, bool *bad,
			      const char *line)
{
	struct curl_slist *more = curl_slist_append(list, line);

	*bad |= !more;
	return more ? more : list;
}

static struct curl_slist *request_headers(const struct transfer *t, bool *bad)
{
	struct curl_slist *list = NULL;
	char line[MAX_TOKEN + 64];

	if (t->at) {
		snprintf(line, sizeof(line), "Range: bytes=%" PRIu64 "-",
			 t->at);
		list = add(list, bad, line);
	}
	if (t->at && t->kept_etag[0]) {
		snprintf(line, sizeof(line), "If-Range: %s", t->kept_etag);
		list = add(list, bad, line);
	}
	if (t->token && t->own_host &&
	    (address_is_secure(t->url) || address_is_loopback(t->url))) {
		snprintf(line, sizeof(line), "Authorization: Bearer %s",
			 t->token);
		list = add(list, bad, line);
	}
	return list;
}

static int explain(struct transfer *t, CURLcode code)
{
	const char *why = t->curl_why[0] ? t->curl_why :
					   curl_easy_strerror(code);

	if (t->error)
		return t->error;
	if (t->placed && !t->keep && code == CURLE_WRITE_ERROR)
		return 0;
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_OUT_OF_MEMORY:
		return fail(t, -ENOMEM, "out of memory");
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return fail(t, -EPROTO, "%s", why);
	default:
		return fail(t, -EAGAIN, "%s", why);
	}
}

/* One request and its answer; 0 whatever that says. */
static int perform(struct transfer *t)
{
	struct curl_slist *headers;
	bool bad = false;
	CURLcode code;

	t->own_host = address_same_host(t->url, t->base);
	t->placed = t->keep = false;
	t->error = 0;
	t->refused = 0;
	t->curl_why[0] = '\0';
	headers = request_headers(t, &bad);
	if (bad) {
		curl_slist_free_all(headers);
		return fail(t, -ENOMEM, "out of memory");
	}
	curl_easy_setopt(t->curl, CURLOPT_CURLU, t->url);
	curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, headers);
	code = curl_easy_perform(t->curl);
	if (code == CURLE_OK && !t->placed)
		t->error = place(t);
	curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	return explain(t, code);
}

static int refusal(struct transfer *t)
{
	const long status = t->status;

	switch (status) {
	case 404:
	case 410:
		return fail(t, -ENOENT, "the server has no such file");
	case 401:
	case 403:
		return fail(t, -EACCES, "there is no such repository, or it wants a token that may read it (set $HF_TOKEN)");
	case 408:
	case 429:
	case 500 ... 599:
		return fail(t, -EAGAIN, "the server answers %ld", status);
	default:
		return fail(t, -EPROTO, "the server answers %ld", status);
	}
}

/* --- the end --- */

static int check_hash(struct transfer *t)
{
	char is[DIGEST_SHA256_HEX + 1];
	const char *want = t->known.hash;
	int r;

	if (!*want)
		return 0;
	r = strlen(want) == DIGEST_GIT_HEX ? digest_git(is, t->fd) :
					     digest_sha256(is, t->fd);
	if (r < 0)
		return fail(t, r, "cannot be read again: %s", strerror(-r));
	if (!strcmp(is, want))
		return 0;
	drop_part(t);
	if (t->resumed)
		return ANEW;
	return fail(t, -EBADMSG, "what came has another hash than announced and was thrown away (%.12s..., not %.12s...)",
		    is, want);
}

static int finish(struct transfer *t, struct transfer_result *ret)
{
	const int64_t size = whole_size(t);
	char name[256];
	int r;

	if (size >= 0 && (uint64_t)size > t->at)
		return fail(t, -EAGAIN, "the line broke");
	if (size >= 0 && (uint64_t)size < t->at) {
		drop_part(t);
		return fail(t, -EBADMSG, "more bytes came than were announced");
	}
	r = check_hash(t);
	if (r)
		return r;
	if (fsync(t->fd) < 0)
		return fail(t, -errno, "%s", strerror(errno));
	state_name(t, name, sizeof(name));
	unlinkat(t->file->dir, name, 0);
	ret->size = t->at;
	ret->hashed = t->known.hash[0];
	snprintf(ret->commit, sizeof(ret->commit), "%s", t->known.commit);
	return 0;
}

/* Asked for what is behind the end: the part is whole, or of no use. */
static int out_of_range(struct transfer *t, struct transfer_result *ret)
{
	const int64_t size = t->known.size >= 0 ? t->known.size :
						  t->answer.range_total;

	if (t->at && size == (int64_t)t->at && !has_changed(t)) {
		t->known.size = size;
		t->resumed = true;
		return finish(t, ret);
	}
	if (!t->at)
		return refusal(t);
	drop_part(t);
	return ANEW;
}

static int attempt(struct transfer *t, struct transfer_result *ret)
{
	int r = 0;

	t->at = 0;
	t->resumed = false;
	t->known = (struct announced){.size = -1};
	read_state(t);
	if (curl_url_set(t->url, CURLUPART_URL, t->file->url, 0))
		return fail(t, -EPROTO, "no address: %s", t->file->url);
	t->file->begin(t->file->arg, t->at);
	for (unsigned hop = 0; hop < MAX_HOPS; hop++) {
		r = perform(t);
		if (r || t->status / 100 != 3)
			break;
		if (has_changed(t))
			drop_part(t);
		r = redirect(t);
		if (r)
			return r;
	}
	if (r)
		return r;
	switch (t->status) {
	case 200:
	case 206:
		return finish(t, ret);
	case 416:
		return out_of_range(t, ret);
	case 300 ... 399:
		return fail(t, -EPROTO, "too many redirects");
	default:
		return refusal(t);
	}
}

int transfer_get(struct transfer *t, const struct transfer_file *file,
		 struct transfer_result *ret)
{
	int r = ANEW;

	t->file = file;
	t->fd = openat(file->dir, file->part,
		       O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (t->fd < 0)
		return fail(t, -errno, "%s", strerror(errno));
	for (unsigned i = 0; i < 2 && r == ANEW; i++)
		r = attempt(t, ret);
	if (r == ANEW)
		r = fail(t, -EAGAIN, "the file changes while it comes");
	close(t->fd);
	/* Nothing worth keeping came: leave nothing. */
	if (r && !t->at)
		unlinkat(file->dir, file->part, 0);
	return r;
}

/* --- the connection --- */

static bool token_ok(const char *token)
{
	size_t n = 0;

	while (isgraph((unsigned char)token[n]))
		n++;
	return n > 0 && n <= MAX_TOKEN && !token[n];
}

static void set_options(struct transfer *t, unsigned timeout_s)
{
	CURL *c = t->curl;

	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)timeout_s);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)timeout_s);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "barkctl/" BARKD_VERSION);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->curl_why);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
}

int transfer_new(struct transfer **ret, const char *base, const char *token,
		 const char *ca, unsigned timeout_s)
{
	struct transfer *t;

	if (token && !token_ok(token))
		return -EINVAL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return -ENOMEM;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->curl = curl_easy_init();
	t->base = curl_url();
	t->url = curl_url();
	t->token = token ? strdup(token) : NULL;
	if (!t->curl || !t->base || !t->url || (token && !t->token)) {
		transfer_free(t);
		return -ENOMEM;
	}
	if (curl_url_set(t->base, CURLUPART_URL, base, 0) ||
	    !address_is_base(t->base)) {
		transfer_free(t);
		return -EINVAL;
	}
	set_options(t, timeout_s);
	if (ca)
		curl_easy_setopt(t->curl, CURLOPT_CAINFO, ca);
	*ret = t;
	return 0;
}

void transfer_free(struct transfer *t)
{
	if (!t)
		return;
	curl_easy_cleanup(t->curl);
	curl_url_cleanup(t->base);
	curl_url_cleanup(t->url);
	free(t->token);
	free(t);
}
