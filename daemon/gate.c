/* SPDX-License-Identifier: MIT */
#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api_error.h"
#include "listen.h"
#include "log.h"
#include "paths.h"
#include "priority.h"

#define TOKEN_BYTES 16
#define HOST_ROOM 64 /* of a numeric address in brackets */
#define NAME_MAX_BYTES 255
#define ASKED_MAX 1024 /* bytes of a page's list of headers */

/* One address. */
struct door {
	struct gate *gate;
	struct listener listener;
	struct http_server *http;
	unsigned n_connections;
};

struct gate {
	sd_event *event;
	struct gate_handler handler;
	struct door doors[CONF_ADDRESSES_MAX];
	unsigned n_doors;
	unsigned port; /* 0: closed */
	char *token, *origins, *address, *hosts;
	bool own; /* the token is of our file */
};

/* --- who may pass --- */

static bool is_word_of(const char *list, const char *word)
{
	size_t n = strlen(word);

	while (list && *list) {
		size_t k;

		list += strspn(list, " \t,");
		k = strcspn(list, " \t,");
		if (k == n && strncasecmp(list, word, n) == 0)
			return n > 0;
		list += k;
	}
	return false;
}

/* Whether host is this name, with our port or none. */
static bool is_name(const struct gate *g, const char *host, const char *name)
{
	size_t n = strlen(name);
	char port[8];

	snprintf(port, sizeof(port), ":%u", g->port);
	return strncasecmp(host, name, n) == 0 &&
	       (!host[n] || strcmp(host + n, port) == 0);
}

/* Whether host is one of the configured names, which may have ports of their
 * own. */
static bool is_configured(const struct gate *g, const char *host)
{
	char name[NAME_MAX_BYTES + 1];
	size_t n = strcspn(host, ":");

	if (is_word_of(g->hosts, host))
		return true;
	if (n >= sizeof(name))
		return false;
	memcpy(name, host, n);
	name[n] = '\0';
	return is_name(g, host, name) && is_word_of(g->hosts, name);
}

/* Whether a client may mean us by this host. An address in digits cannot be
 * another's name for us. */
static bool host_is_ours(const struct gate *g, const struct http_request *req,
			 const char *host)
{
	char own[HOST_ROOM];

	if (!host)
		return false;
	if (is_name(g, host, "127.0.0.1") || is_name(g, host, "localhost") ||
	    is_name(g, host, "[::1]") || is_configured(g, host))
		return true;
	return http_local_address(req, own, sizeof(own)) == 0 &&
	       is_name(g, host, own);
}

/* Whether a page of this origin may ask. Another port is another origin. */
static bool origin_is_good(const struct gate *g,
			   const struct http_request *req, const char *origin)
{
	const char *host = origin + strlen("http://"), *colon;
	char port[8];

	if (is_word_of(g->origins, origin))
		return true;
	if (strncmp(origin, "http://", 7) != 0 || !host_is_ours(g, req, host))
		return false;
	snprintf(port, sizeof(port), ":%u", g->port);
	colon = strrchr(host, ':');
	return g->port == 80 || (colon && strcmp(colon, port) == 0);
}

/* Takes as long wherever they differ. */
static bool same_secret(const char *have, const char *given)
{
	size_t n = strlen(have);
	unsigned differ = 0;

	if (strlen(given) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		differ |= (unsigned char)have[i] ^ (unsigned char)given[i];
	return !differ;
}

static bool has_token(const struct gate *g, const struct http_request *req)
{
	const char *auth = http_header(req, "Authorization");
	const char *query = http_query(req, "token");

	if (auth && strncasecmp(auth, "Bearer ", 7) == 0)
		return same_secret(g->token, auth + 7);
	return query && same_secret(g->token, query);
}

/* Pages hold no secret, and a browser opens them without headers. */
static bool is_open(const struct http_request *req)
{
	const char *method = http_method(req);

	return (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) &&
	       strncmp(http_path(req), "/v1/", 4) != 0 &&
	       strcmp(http_path(req), "/metrics") != 0;
}

/* Names of headers that a page may send: those that it asks for, since its
 * origin has been allowed and each request still needs the token. */
static void allow_headers(struct http_request *req)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_, ";
	const char *asked =
		http_header(req, "Access-Control-Request-Headers");

	if (!asked || strlen(asked) > ASKED_MAX ||
	    asked[strspn(asked, chars)])
		asked = "Authorization, Content-Type";
	http_add_header(req, "Access-Control-Allow-Headers", asked);
}

static bool is_preflight(const struct http_request *req)
{
	return strcmp(http_method(req), "OPTIONS") == 0;
}

static void answer_preflight(struct http_request *req)
{
	http_add_header(req, "Access-Control-Allow-Methods", "GET, POST");
	allow_headers(req);
	/* Chromium asks before a page of the Internet reaches loopback. */
	if (http_header(req, "Access-Control-Request-Private-Network"))
		http_add_header(req, "Access-Control-Allow-Private-Network",
				"true");
	http_add_header(req, "Access-Control-Max-Age", "600");
	http_reply_data(req, 204, "text/plain", "", 0);
}

static bool on_admit(void *data, struct http_request *req)
{
	struct door *door = data;
	struct gate *g = door->gate;
	bool known = has_token(g, req);
	const char *origin = http_header(req, "Origin");

	if (!host_is_ours(g, req, http_header(req, "Host"))) {
		api_error_reply(req, 403, NULL, "forbidden_host",
				"the Host header must name 127.0.0.1 or localhost; see hosts in barkd.ini(5)");
		return false;
	}
	if (origin && !origin_is_good(g, req, origin)) {
		api_error_reply(req, 403, NULL, "forbidden_origin",
				"pages of this origin are not allowed; see origins in barkd.ini(5)");
		return false;
	}
	if (origin) {
		http_add_header(req, "Access-Control-Allow-Origin", origin);
		http_add_header(req, "Access-Control-Expose-Headers",
				"X-Request-Id, Retry-After");
		http_add_header(req, "Vary", "Origin");
	}
	if (!known && !is_open(req) && !is_preflight(req)) {
		http_add_header(req, "WWW-Authenticate", "Bearer");
		api_error_reply(req, 401, NULL, "invalid_api_key",
				"the token is missing or wrong; barkctl http shows it");
		return false;
	}
	return g->handler.admit(g->handler.data, req) && known;
}

static void on_request(void *data, struct http_request *req)
{
	struct door *door = data;
	struct gate *g = door->gate;

	if (is_preflight(req))
		answer_preflight(req);
	else
		g->handler.handle(g->handler.data, req);
}

static void on_connections(void *data, unsigned n)
{
	struct door *door = data;
	struct gate *g = door->gate;

	door->n_connections = n;
	n = 0;
	for (unsigned i = 0; i < g->n_doors; i++)
		n += g->doors[i].n_connections;
	g->handler.connections(g->handler.data, n);
}

/* --- the token --- */

static int read_token(const char *path, char **ret)
{
	char text[2 * TOKEN_BYTES + 2] = "";
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return -errno;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[strcspn(text, "\n")] = '\0';
	if (n < 2 * TOKEN_BYTES || strlen(text) != 2 * TOKEN_BYTES)
		return -EINVAL;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

static int make_token(const char *path, char **ret)
{
	unsigned char bytes[TOKEN_BYTES];
	char text[2 * TOKEN_BYTES + 2];
	int fd, r = 0;

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < TOKEN_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	text[2 * TOKEN_BYTES] = '\n';
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (fd < 0)
		return -errno;
	if (write(fd, text, 2 * TOKEN_BYTES + 1) != 2 * TOKEN_BYTES + 1)
		r = -EIO;
	close(fd);
	if (r < 0) {
		unlink(path);
		return r;
	}
	text[2 * TOKEN_BYTES] = '\0';
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

/* The one that is kept beside models and voices, made once, so that pages
 * that were set up stay good. */
static int own_token(char **ret)
{
	char *folder = NULL, *path = NULL;
	int r = barkd_data_home(&folder);

	if (r < 0)
		return r;
	if (asprintf(&path, "%s/token", folder) < 0) {
		free(folder);
		return -ENOMEM;
	}
	r = read_token(path, ret);
	if (r == -ENOENT) {
		barkd_make_folders(folder);
		r = make_token(path, ret);
	}
	if (r < 0)
		log_error("cannot use the token in %s: %s", path,
			  r == -EINVAL ? "it is not one of barkd's"
				       : strerror(-r));
	free(path);
	free(folder);
	return r;
}

/* --- opening and closing --- */

static void close_door(struct door *door)
{
	http_server_free(door->http);
	listener_close(&door->listener);
}

static void close_port(struct gate *g)
{
	while (g->n_doors)
		close_door(&g->doors[--g->n_doors]);
	g->port = 0;
	free(g->token);
	g->token = NULL;
	g->own = false;
}

static bool is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

static int open_door(struct gate *g, const char *address, unsigned port)
{
	struct door *door = &g->doors[g->n_doors];
	const struct http_handler handler = {
		.admit = on_admit,
		.handle = on_request,
		.connections = on_connections,
		.data = door,
		.priority = PRIORITY_PORT,
	};
	bool late = false;
	int r;

	*door = (struct door){.gate = g, .listener = {.fd = -1, .lock_fd = -1}};
	r = listener_open_tcp(&door->listener, address, port, &late);
	if (r == 0)
		r = http_server_new(&door->http, g->event, door->listener.fd,
				    &handler);
	if (r < 0) {
		log_error("cannot listen at %s, port %u: %s", address, port,
			  strerror(-r));
		close_door(door);
		return r;
	}
	g->n_doors++;
	log_info("listening at %s, port %u%s%s", address, port,
		 late ? ", once this machine has that address" : "",
		 is_loopback(address) ? "" : "; not encrypted");
	return 0;
}

/* The address at *list, which moves on; false: none is left. */
static bool next_address(const char **list, char *ret, size_t n)
{
	size_t k;

	*list += strspn(*list, " ");
	k = strcspn(*list, " ");
	if (k == 0 || k >= n)
		return false;
	memcpy(ret, *list, k);
	ret[k] = '\0';
	*list += k;
	return true;
}

static int open_port(struct gate *g, const struct conf *conf)
{
	const char *list = conf->http.address ? conf->http.address
					      : "127.0.0.1";
	char address[HOST_ROOM];
	int r;

	if (conf->http.token) {
		g->token = strdup(conf->http.token);
		r = g->token ? 0 : -ENOMEM;
	} else {
		r = own_token(&g->token);
		g->own = r == 0;
	}
	if (r < 0)
		return r;
	while (g->n_doors < CONF_ADDRESSES_MAX &&
	       next_address(&list, address, sizeof(address))) {
		r = open_door(g, address, conf->http.port);
		if (r == -ENOMEM)
			return r;
	}
	return g->n_doors ? 0 : r;
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static int set_copy(char **at, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return -ENOMEM;
	free(*at);
	*at = copy;
	return 0;
}

int gate_configure(struct gate *g, const struct conf *conf)
{
	bool same_token = g->own ? !conf->http.token
				 : g->token && same(g->token, conf->http.token);
	bool same_place = g->port == conf->http.port &&
			  same(g->address, conf->http.address);
	int r;

	if (set_copy(&g->origins, conf->http.origins) < 0 ||
	    set_copy(&g->hosts, conf->http.hosts) < 0 ||
	    set_copy(&g->address, conf->http.address) < 0)
		return -ENOMEM;
	if (same_place && (!g->port || same_token))
		return 0;
	close_port(g);
	if (!conf->http.port)
		return 0;
	r = open_port(g, conf);
	if (r < 0)
		close_port(g);
	else
		g->port = conf->http.port;
	return r == -ENOMEM ? r : 0;
}

unsigned gate_port(const struct gate *g)
{
	return g ? g->port : 0;
}

const char *gate_token(const struct gate *g)
{
	return g->token;
}

char *gate_url(const struct gate *g)
{
	const char *list = g->address ? g->address : "127.0.0.1";
	char address[HOST_ROOM], first[HOST_ROOM] = "127.0.0.1", *url;

	if (!g->port)
		return NULL;
	for (bool any = false; next_address(&list, address, sizeof(address));
	     any = true) {
		bool here = strcmp(address, "127.0.0.1") == 0 ||
			    strcmp(address, "0.0.0.0") == 0;

		if (here || !any)
			snprintf(first, sizeof(first), "%s",
				 here ? "127.0.0.1"
				 : strcmp(address, "::") == 0 ? "::1"
							       : address);
		if (here)
			break;
	}
	return asprintf(&url, strchr(first, ':') ? "http://[%s]:%u"
						 : "http://%s:%u",
			first, g->port) < 0
		       ? NULL
		       : url;
}

int gate_new(struct gate **ret, sd_event *event,
	     const struct gate_handler *handler)
{
	struct gate *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->event = sd_event_ref(event);
	g->handler = *handler;
	*ret = g;
	return 0;
}

void gate_free(struct gate *g)
{
	if (!g)
		return;
	close_port(g);
	free(g->origins);
	free(g->hosts);
	free(g->address);
	sd_event_unref(g->event);
	free(g);
}
