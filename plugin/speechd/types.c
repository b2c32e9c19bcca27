/* SPDX-License-Identifier: MIT */
#include "types.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Between two types with one voice, and of a child's. */
#define PITCH_STEP 1.12
#define PITCH_CHILD 1.35

static bool read_voice(struct types_voice *ret, const json_t *v)
{
	const char *name = json_string_value(json_object_get(v, "name"));
	const char *language =
		json_string_value(json_object_get(v, "language"));
	const char *gender = json_string_value(json_object_get(v, "gender"));

	if (!name || strlen(name) >= sizeof(ret->name))
		return false;
	*ret = (struct types_voice){
		.gender = gender ? *gender : '\0',
		.usual = json_is_true(json_object_get(v, "default")),
	};
	strcpy(ret->name, name);
	if (language && strlen(language) < sizeof(ret->language))
		strcpy(ret->language, language);
	return true;
}

static const struct types_voice *usual(const struct types *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->voices[i].usual)
			return &t->voices[i];
	return NULL;
}

void types_read(struct types *t, const char *voices)
{
	json_t *all = json_loads(voices, 0, NULL), *v;
	size_t n = json_array_size(all), i;

	types_clear(t);
	if (n > TYPES_VOICES_MAX)
		n = TYPES_VOICES_MAX;
	t->voices = n ? calloc(n, sizeof(*t->voices)) : NULL;
	json_array_foreach(all, i, v)
		if (t->voices && t->n < n && read_voice(&t->voices[t->n], v))
			t->n++;
	json_decref(all);
}

void types_clear(struct types *t)
{
	free(t->voices);
	*t = (struct types){0};
}

/* "en" of "en-us" and "en". */
static size_t tag_length(const char *language)
{
	return strcspn(language, "-_");
}

/* A voice without a language speaks whatever it is given. */
static bool same_language(const char *a, const char *b)
{
	size_t n = tag_length(a);

	if (!*a || !*b)
		return true;
	return n == tag_length(b) && strncasecmp(a, b, n) == 0;
}

/* The voice of a language and gender with `skip` of them before it; the usual
 * one is the first of its gender. *ret_n: how many there are. */
static const struct types_voice *nth(const struct types *t,
				     const char *language, char gender,
				     size_t skip, size_t *ret_n)
{
	const struct types_voice *found = NULL;
	size_t n = 0;

	for (int first = 1; first >= 0; first--) {
		for (size_t i = 0; i < t->n; i++) {
			const struct types_voice *v = &t->voices[i];

			if (v->usual != first || v->gender != gender ||
			    !same_language(v->language, language))
				continue;
			if (n++ == skip)
				found = v;
		}
	}
	*ret_n = n;
	return found;
}

/* "female2" is 'f' and 1, "child_male" 'm' and 0. */
static char parse(const char *type, size_t *ret_number, bool *ret_child)
{
	char gender;

	*ret_child = strncasecmp(type, "child_", 6) == 0;
	type += *ret_child ? 6 : 0;
	gender = strncasecmp(type, "female", 6) == 0 ? 'f'
		 : strncasecmp(type, "male", 4) == 0 ? 'm'
						     : '\0';
	type += gender == 'f' ? 6 : gender == 'm' ? 4 : 0;
	*ret_number = *type >= '1' && *type <= '9' ? (size_t)(*type - '1') : 0;
	return gender;
}

const char *types_voice(const struct types *t, const char *language,
			const char *type, double *pitch)
{
	const struct types_voice *own = usual(t), *v;
	bool child;
	size_t number, n;
	char gender = parse(type, &number, &child);

	if (!gender || !own || (gender == 'm' && !child && !number))
		return NULL;
	if (!*language)
		language = own->language;
	/* MALE1 is taken by the usual voice, whosever it is. */
	if (gender == 'm' && !child && own->gender != 'm' &&
	    same_language(own->language, language))
		number--;
	nth(t, language, gender, 0, &n);
	/* Where nobody knows who is who, others speak as well. */
	if (!n)
		nth(t, language, gender = '\0', 0, &n);
	if (!n && !same_language(own->language, language))
		return NULL;
	*pitch *= pow(PITCH_STEP, n ? (double)(number / n) : (double)number);
	if (child)
		*pitch *= PITCH_CHILD;
	v = n ? nth(t, language, gender, number % n, &n) : own;
	return v->name;
}
