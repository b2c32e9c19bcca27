/* SPDX-License-Identifier: MIT */
#include "elements.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"
#include "values.h"

static const struct ssml_style plain = {.rate = 1, .pitch = 1, .volume = 1};

/* <ssml:mark> is <mark>. */
static const char *local(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon ? colon + 1 : name;
}

static const char *value_of(const char *const *attributes, const char *name)
{
	for (; attributes && attributes[0]; attributes += 2)
		if (strcmp(local(attributes[0]), name) == 0)
			return attributes[1];
	return NULL;
}

static bool is_one_of(const char *name, const char *const *names)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

/* How an element parts what is before, in and after it. */
static enum ssml_gap gap_of(const char *name)
{
	static const char *const paragraphs[] = {"p", "paragraph", NULL};
	static const char *const sentences[] = {"s", "sentence", NULL};
	static const char *const words[] = {"audio", "br", "break", "desc",
					    "div", "li", "speak", "voice",
					    NULL};

	return is_one_of(name, paragraphs)  ? SSML_GAP_PARAGRAPH
	       : is_one_of(name, sentences) ? SSML_GAP_SENTENCE
	       : is_one_of(name, words)	    ? SSML_GAP_WORD
					    : SSML_GAP_NONE;
}

static struct ssml_element *top(struct ssml_elements *e)
{
	return &e->open[e->n - 1];
}

/* --- each element --- */

static void start_prosody(struct ssml_element *el, const char *const *a)
{
	el->style.rate *= ssml_rate(value_of(a, "rate"));
	el->style.pitch *= ssml_pitch(value_of(a, "pitch"));
	el->style.volume *= ssml_volume(value_of(a, "volume"));
}

static void start_emphasis(struct ssml_element *el, const char *const *a)
{
	const char *level = value_of(a, "level");

	if (level && strcmp(level, "none") == 0)
		return;
	if (level && strcmp(level, "reduced") == 0) {
		el->style.volume *= .8;
		return;
	}
	if (level && strcmp(level, "strong") == 0) {
		el->style.rate *= .85;
		el->style.volume *= 1.3;
	} else {
		el->style.rate *= .92;
		el->style.volume *= 1.15;
	}
}

static void start_say_as(struct ssml_element *el, const char *const *a)
{
	static const char *const characters[] = {
		"characters", "digits", "spell-out", "verbatim", "tts:char",
		"tts:digits", NULL,
	};
	const char *as = value_of(a, "interpret-as");

	if (!as)
		return;
	if (is_one_of(as, characters))
		el->style.as = SSML_AS_CHARACTERS;
	else if (strcmp(as, "tts:key") == 0)
		el->style.as = SSML_AS_KEY;
	el->ordinal = strcmp(as, "ordinal") == 0;
}

static void take_language(struct ssml_element *el, const char *const *a)
{
	const char *language = value_of(a, "lang");

	if (language && strlen(language) < SSML_LANGUAGE_ROOM)
		strcpy(el->style.language, language);
}

static void start_known(struct ssml_elements *e, struct ssml_element *el,
			const char *const *a)
{
	static const char *const silent[] = {"desc", "lexicon", "meta",
					     "metadata", NULL};
	const char *alias;

	take_language(el, a);
	if (strcmp(el->name, "prosody") == 0)
		start_prosody(el, a);
	else if (strcmp(el->name, "emphasis") == 0)
		start_emphasis(el, a);
	else if (strcmp(el->name, "say-as") == 0)
		start_say_as(el, a);
	else if (is_one_of(el->name, silent))
		el->muted = true;
	else if (strcmp(el->name, "break") == 0 && !el->muted)
		ssml_output_pause(e->out, ssml_pause(value_of(a, "time"),
						     value_of(a, "strength")));
	else if (strcmp(el->name, "mark") == 0 && value_of(a, "name"))
		ssml_output_mark(e->out, value_of(a, "name"));
	else if (strcmp(el->name, "sub") == 0 && !el->muted &&
		 (alias = value_of(a, "alias"))) {
		el->alias = strdup(alias);
		el->muted = el->alias != NULL;
	}
}

static void say_alias(struct ssml_elements *e, const struct ssml_element *el,
		      uint32_t end)
{
	const struct ssml_place place = {el->begin, end};
	const char *p = el->alias;

	while (*p) {
		size_t n = utf8_bytes(p, 1);

		ssml_output_put(e->out, &el->style, p, n, place);
		p += n;
	}
}

/* "21" becomes "21st", as English writes it. */
static void end_ordinal(struct ssml_elements *e, const struct ssml_element *el,
			uint32_t at)
{
	static const char *const suffixes[] = {"th", "st", "nd", "rd"};
	const struct ssml *s = &e->out->s;
	const char *last = s->text + s->len, *suffix;
	unsigned digit;

	if (s->len == 0 || !strchr("0123456789", last[-1]))
		return;
	digit = (unsigned)(last[-1] - '0');
	if (s->len > 1 && last[-2] == '1')
		digit = 0;
	for (suffix = suffixes[digit < 4 ? digit : 0]; *suffix; suffix++)
		ssml_output_put(e->out, &el->style, suffix, 1,
				(struct ssml_place){at, at});
}

/* --- opening and closing --- */

void ssml_elements_start(struct ssml_elements *e, const char *name,
			 const char *const *attributes, uint32_t at)
{
	struct ssml_element *el;

	name = local(name);
	ssml_output_gap(e->out, gap_of(name));
	if (e->n == SSML_DEPTH_MAX) {
		e->deeper++;
		return;
	}
	el = &e->open[e->n];
	*el = (struct ssml_element){
		.style = top(e)->style, .muted = top(e)->muted, .begin = at,
	};
	strncpy(el->name, name, SSML_NAME_ROOM - 1);
	e->n++;
	start_known(e, el, attributes);
}

static void close_top(struct ssml_elements *e, uint32_t at)
{
	struct ssml_element *el = top(e);

	if (el->alias)
		say_alias(e, el, at);
	if (el->ordinal && !el->muted)
		end_ordinal(e, el, at);
	ssml_output_gap(e->out, gap_of(el->name));
	free(el->alias);
	e->n--;
}

void ssml_elements_end(struct ssml_elements *e, const char *name, uint32_t at)
{
	unsigned i = e->n;

	name = local(name);
	ssml_output_gap(e->out, gap_of(name));
	if (e->deeper) {
		e->deeper--;
		return;
	}
	while (i > 1 && strncmp(e->open[i - 1].name, name,
				SSML_NAME_ROOM - 1) != 0)
		i--;
	if (i > 1)
		while (e->n >= i)
			close_top(e, at);
}

void ssml_elements_text(struct ssml_elements *e, const char *c, size_t n,
			struct ssml_place place)
{
	if (!top(e)->muted)
		ssml_output_put(e->out, &top(e)->style, c, n, place);
}

void ssml_elements_init(struct ssml_elements *e, struct ssml_output *out)
{
	*e = (struct ssml_elements){
		.out = out, .open = {{.style = plain}}, .n = 1,
	};
}

void ssml_elements_finish(struct ssml_elements *e, uint32_t at)
{
	e->deeper = 0;
	while (e->n > 1)
		close_top(e, at);
}
