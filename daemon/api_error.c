/* SPDX-License-Identifier: MIT */
#include "api_error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "http.h"

static void fill(struct api_error *ret, unsigned status, const char *param,
		 const char *code, const char *fmt, va_list ap)
{
	ret->status = status;
	ret->code = code;
	snprintf(ret->param, sizeof(ret->param), "%s", param ? param : "");
	vsnprintf(ret->message, sizeof(ret->message), fmt, ap);
}

int api_error_set(struct api_error *ret, unsigned status, const char *param,
		  const char *code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(ret, status, param, code, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

json_t *api_error_json(const struct api_error *error)
{
	/* "s*"-like leniency: a message cut inside a character is replaced. */
	json_t *message = json_string(error->message);

	if (!message)
		message = json_string("invalid request");
	return json_pack("{s:{s:o, s:s, s:s?, s:s}}", "error", "message",
			 message, "type",
			 error->status < 500 ? "invalid_request_error"
					     : "server_error",
			 "param", error->param[0] ? error->param : NULL,
			 "code", error->code);
}

void api_error_reply(struct http_request *req, unsigned status,
		     const char *param, const char *code, const char *fmt, ...)
{
	struct api_error error;
	va_list ap;

	va_start(ap, fmt);
	fill(&error, status, param, code, fmt, ap);
	va_end(ap);
	http_reply(req, status, api_error_json(&error));
}
