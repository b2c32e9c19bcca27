/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "model.h"

/* The languages of Bark's presets. */
static const char *const published[] = {
	"de", "en", "es", "fr", "hi", "it", "ja", "ko", "pl", "pt", "ru",
	"tr", "zh",
};

static bool is_language(const char *tag, const char *language)
{
	size_t n = strcspn(tag, "-_");

	return n == strlen(language) && strncasecmp(tag, language, n) == 0;
}

bool bark_model_speaks(const struct bark_model *model, const char *language)
{
	if (!language || !*language)
		return true;
	/* spoken.h writes English out, and nothing else. */
	if (model->config.spoken_text)
		return is_language(language, "en");
	for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++)
		if (is_language(language, published[i]))
			return true;
	return false;
}
