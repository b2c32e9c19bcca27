/* SPDX-License-Identifier: MIT */
/* libFuzzer: a model in one file; what is accepted has all its weights. */
#include "config.h"
#include "files/tensors_build.h"
#include "fuzz.h"
#include "weights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bark_model model = {0};
	struct bark_tensors *set;

	if (bark_tensors_parse(&set, data, size, "file", NULL) < 0)
		return 0;
	if (bark_config_gguf(&model.config, set, NULL) == 0 &&
	    bark_weights_gguf(&model, set, NULL) == 0)
		bark_model_check(&model, NULL);
	bark_weights_clear(&model);
	bark_tensors_free(set);
	return 0;
}
