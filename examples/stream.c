/* SPDX-License-Identifier: MIT */
/*
 * Speaks with libbark: samples come as they are computed.
 *
 *     cc stream.c $(pkg-config --cflags --libs bark) -o stream
 *     ./stream MODEL "Hello there." | aplay -t raw -f FLOAT_LE -r 24000
 */
#include <bark.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct bark_session_options opts = { .mode = BARK_MODE_LOW_LATENCY };
	struct bark_engine *engine = NULL;
	struct bark_model *model = NULL;
	struct bark_session *session = NULL;
	struct bark_error err = { "" };
	float pcm[1024];
	ssize_t n = -1;

	if (argc != 3)
		return 2;
	if (!bark_engine_new(&engine, NULL) &&
	    !bark_model_open(&model, argv[1], NULL, &err) &&
	    !bark_session_new(&session, engine, model, NULL, &opts, &err) &&
	    !bark_session_start(session, argv[2], strlen(argv[2]), &err))
		while ((n = bark_session_read(session, pcm, 1024, -1)) > 0)
			fwrite(pcm, sizeof(*pcm), (size_t)n, stdout);
	if (n < 0)
		fprintf(stderr, "%s\n", err.message);
	/* Each takes NULL, and drops one reference. */
	bark_session_free(session);
	bark_model_unref(model);
	bark_engine_unref(engine);
	return n < 0;
}
