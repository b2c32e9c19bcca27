/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "options.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;   /* what follows the name */
	const char *summary;
	const char *details; /* what help says beyond the two; may be NULL */
};

#define MODEL_OPTIONS \
	"  -m, --model MODEL     a name that 'barkctl model list' lists, or a folder\n" \
	"  -v, --voice VOICE     a voice's name or file, or none\n" \
	"      --seed N          the same seed gives the same sound\n" \
	"      --precision P     f32, f16, bf16, int8 or q4\n" \
	"      --mode M          exact or low-latency\n" \
	"      --threads N       threads that compute (one a processor)\n" \
	"      --greedy          take the largest logit everywhere\n"

static const struct command commands[] = {
	{"say", cmd_say, "[OPTIONS] TEXT|-", "speak a text",
	 "  -v, --voice VOICE     a name that 'barkctl voices' lists\n"
	 "  -l, --language LANG   of the text; without a voice: the first that has it\n"
	 "      --rate F          speed, 0.25 to 6 (1)\n"
	 "      --volume F        loudness, 0 to 4 (1)\n"
	 "      --pitch F         pitch, 0.25 to 4 (1)\n"
	 "      --priority P      important, message, text, notification or\n"
	 "                        progress (text)\n"
	 "      --seed N          the same seed gives the same sound\n"
	 "      --wait            return when it was heard; an interrupt stops it\n"
	 "'-' reads the text from standard input.\n"},
	{"stop", cmd_control, "", "be silent now and forget what waits", NULL},
	{"pause", cmd_control, "", "hold the speech", NULL},
	{"resume", cmd_control, "", "go on after a pause", NULL},
	{"skip", cmd_control, "", "drop what is spoken, go on with the next",
	 NULL},
	{"queue", cmd_queue, "[--json]", "list what is spoken and what waits",
	 NULL},
	{"status", cmd_status, "[--json]",
	 "show the daemon's state, model and sink", NULL},
	{"http", cmd_http, "[--json]",
	 "show the address, token and pages for browsers", NULL},
	{"captions", cmd_captions, "FILE",
	 "keep the sentence that is being heard in a text file",
	 "until it is interrupted; for programs that show a file, such as OBS.\n"},
	{"notify", cmd_notify, "pause [TIME] | resume | status [--json]",
	 "hold the speaking of notifications",
	 "TIME is how long, as in 30m, 1h, 2h30m, or until when, as in 18:00;\n"
	 "without one until resume.\n"},
	{"voices", cmd_voices, "[--json]", "list the daemon's voices", NULL},
	{"render", cmd_render, "[OPTIONS] -o FILE TEXT|-|@FILE",
	 "compute speech into a file",
	 "  -o, --output FILE     its ending tells the format: wav, flac, ogg, opus, mp3\n"
	 MODEL_OPTIONS
	 "      --keep-silence    leave the silence at both ends as the model made it\n"
	 "      --normalize LUFS  bring it to this loudness, -50 to -5; peaks to -1 dBTP\n"
	 "'-' reads the text from standard input, '@FILE' from a file.\n"},
	{"text", cmd_text, "[OPTIONS] TEXT|-",
	 "show what would be spoken of a text",
	 "  -m, --model MODEL     a name that 'barkctl model list' lists, or a folder\n"
	 "  -l, --language LANG   of the text, whose rules tell where sentences end\n"
	 "Each line is what the model is given at once. '-' reads the text from\n"
	 "standard input.\n"},
	{"trace", cmd_trace, "[OPTIONS] -m MODEL --text TEXT -o FOLDER",
	 "write every stage's result as numpy files",
	 "  -o, --output FOLDER   where to\n"
	 "      --text TEXT       what is spoken\n"
	 MODEL_OPTIONS
	 "      --max-semantic N  end the semantic stage after N tokens\n"
	 "      --no-eos          do not end it before that\n"
	 "      --semantic F.npy, --coarse F.npy, --fine F.npy\n"
	 "                        use these tokens instead of the stage's own\n"},
	{"bench", cmd_bench, "[OPTIONS]", "measure the engine",
	 "  -m, --model MODEL     a name that 'barkctl model list' lists, or a folder\n"
	 "      --shape S         instead: small or large, with random weights\n"
	 "  -v, --voice VOICE     a voice's name or file, or none\n"
	 "      --semantic-tokens N  how many, 50 for a second of sound\n"
	 "      --precision P     f32, f16, bf16, int8 or q4 (int8)\n"
	 "      --mode M          exact or low-latency\n"
	 "      --threads N       threads that compute (one a processor)\n"
	 "      --json            the figures as JSON\n"},
	{"model", cmd_model,
	 "list | fetch [OPTIONS] REPO[@REV] | import [OPTIONS] PATH | verify NAME | quantize NAME --to P | remove NAME",
	 "list, fetch, import, check, quantize and remove models",
	 "fetch brings a published model from a hub, resumes what was interrupted,\n"
	 "and checks sizes and hashes:\n"
	 "      --base URL        the hub's address (else $BARKD_HUB, 'base' under\n"
	 "                        [fetch] in barkd.ini, $HF_ENDPOINT)\n"
	 "      --voices WHICH    presets to fetch: a pattern such as 'v2/en_*', or none\n"
	 "                        (all)\n"
	 "      --tries N         attempts without a byte (5)\n"
	 "      --timeout S       seconds without a byte until the line counts as\n"
	 "                        broken (30)\n"
	 "  -q, --quiet           no progress\n"
	 "      --json            progress as JSON lines\n"
	 "import copies a model's folder (transformers' or suno's layout) to\n"
	 "$XDG_DATA_HOME/barkd/models/ after checking it. For both:\n"
	 "      --vocab FILE      the tokenizer's vocab.txt or tokenizer.json, where\n"
	 "                        there is neither\n"
	 "      --name NAME       what to call it (the repository's or folder's name)\n"
	 "verify reads a model and every voice that it has, and lets it begin to speak.\n"
	 "quantize makes NAME-int8, a quarter to half as large, or with --to q4 the\n"
	 "still smaller NAME-q4, which load at once and whose memory all programs\n"
	 "share.\n"
	 "remove deletes a model that was fetched, imported or quantized:\n"
	 "  -y, --yes             without a question\n"
	 "list and verify take --json.\n"},
	{"voice", cmd_voice,
	 "list [--json] | import [-m MODEL] PATH [NAME] | remove NAME",
	 "list, import and remove voices",
	 "import checks voices against the model and copies them to\n"
	 "$XDG_DATA_HOME/barkd/voices/. PATH is an .npz file, a .pth or .pt file\n"
	 "of torch's, one of transformers' three .npy files, or a folder with presets.\n"},
	{"doctor", cmd_doctor, "[--json]",
	 "look at all that speech needs, and say what to do", NULL},
};

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

static void print_commands(void)
{
	printf("Usage: barkctl COMMAND [ARGUMENTS]\n\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].summary);
	printf("  %-8s %s\n\n", "help", "this, or a command's options");
	printf("Without an installed service run 'barkd' first. See barkctl(1).\n");
}

static int unknown(const char *name)
{
	options_fail("no such command: %s; see 'barkctl help'", name);
	return EXIT_USAGE;
}

static int help(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		print_commands();
		return EXIT_OK;
	}
	c = find(argv[1]);
	if (!c)
		return unknown(argv[1]);
	printf("Usage: barkctl %s%s%s\n%c%s.\n", c->name, *c->usage ? " " : "",
	       c->usage, c->summary[0] - 'a' + 'A', c->summary + 1);
	if (c->details)
		printf("\n%s", c->details);
	return EXIT_OK;
}

/* "barkctl say --help" is what many type first. */
static int wants_help(int argc, char **argv)
{
	return argc == 2 &&
	       (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
}

int main(int argc, char **argv)
{
	const struct command *c;
	int status;

	if (argc < 2) {
		options_fail("no command; see 'barkctl help'");
		return EXIT_USAGE;
	}
	argc--;
	argv++;
	if (!strcmp(argv[0], "--version")) {
		printf("barkctl %s\n", BARKD_VERSION);
		status = EXIT_OK;
	} else if (!strcmp(argv[0], "help") || !strcmp(argv[0], "--help") ||
		   !strcmp(argv[0], "-h")) {
		status = help(argc, argv);
	} else if (!(c = find(argv[0]))) {
		return unknown(argv[0]);
	} else if (wants_help(argc, argv)) {
		char *words[] = {argv[1], argv[0], NULL};

		status = help(2, words);
	} else {
		status = c->run(argc, argv);
	}
	/* A full disk or a closed pipe is a failure too. */
	if (fflush(stdout) || ferror(stdout))
		return status ? status :
				options_fail("cannot write the output");
	return status;
}
