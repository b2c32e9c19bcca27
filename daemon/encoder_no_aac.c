/* SPDX-License-Identifier: MIT */
/* In a build without vo-aacenc. */
#include <errno.h>

#include "encoder_aac.h"

int encoder_aac_new(struct encoder_aac **ret)
{
	return -ENOSYS;
}

void encoder_aac_free(struct encoder_aac *a)
{
}

int encoder_aac_feed(struct encoder_aac *a, const int16_t *pcm, size_t n)
{
	return -ENOSYS;
}

int encoder_aac_take(struct encoder_aac *a,
		     unsigned char frame[ENCODER_AAC_FRAME_MAX])
{
	return -ENOSYS;
}
