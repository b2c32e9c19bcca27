/* SPDX-License-Identifier: MIT */
#include "encoder_aac.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <vo-aacenc/cmnMemory.h>
#include <vo-aacenc/voAAC.h>

#include "encoder.h"

#define BIT_RATE 64000

struct encoder_aac {
	VO_AUDIO_CODECAPI api;
	VO_HANDLE handle;
	VO_MEM_OPERATOR memory;
	int16_t *pcm; /* not encoded yet */
	size_t n, room;
};

int encoder_aac_new(struct encoder_aac **ret)
{
	AACENC_PARAM param = {
		.sampleRate = ENCODER_RATE,
		.bitRate = BIT_RATE,
		.nChannels = 1,
		.adtsUsed = 1,
	};
	struct encoder_aac *a = calloc(1, sizeof(*a));
	VO_CODEC_INIT_USERDATA user = {0};

	if (!a)
		return -ENOMEM;
	a->memory = (VO_MEM_OPERATOR){
		.Alloc = cmnMemAlloc,
		.Free = cmnMemFree,
		.Set = cmnMemSet,
		.Copy = cmnMemCopy,
		.Check = cmnMemCheck,
		.Compare = cmnMemCompare,
		.Move = cmnMemMove,
	};
	user.memflag = VO_IMF_USERMEMOPERATOR;
	user.memData = &a->memory;
	if (voGetAACEncAPI(&a->api) != VO_ERR_NONE ||
	    a->api.Init(&a->handle, VO_AUDIO_CodingAAC, &user) !=
		    VO_ERR_NONE) {
		free(a);
		return -ENOMEM;
	}
	if (a->api.SetParam(a->handle, VO_PID_AAC_ENCPARAM, &param) !=
	    VO_ERR_NONE) {
		encoder_aac_free(a);
		return -EIO;
	}
	*ret = a;
	return 0;
}

void encoder_aac_free(struct encoder_aac *a)
{
	if (!a)
		return;
	a->api.Uninit(a->handle);
	free(a->pcm);
	free(a);
}

int encoder_aac_feed(struct encoder_aac *a, const int16_t *pcm, size_t n)
{
	if (a->room - a->n < n) {
		size_t room = a->n + n;
		int16_t *more = realloc(a->pcm, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		a->pcm = more;
		a->room = room;
	}
	memcpy(a->pcm + a->n, pcm, n * sizeof(*pcm));
	a->n += n;
	return 0;
}

int encoder_aac_take(struct encoder_aac *a,
		     unsigned char frame[ENCODER_AAC_FRAME_MAX])
{
	VO_CODECBUFFER in = {0}, out = {0};
	VO_AUDIO_OUTPUTINFO info = {0};

	if (a->n < ENCODER_AAC_SAMPLES)
		return 0;
	in.Buffer = (VO_PBYTE)a->pcm;
	in.Length = ENCODER_AAC_SAMPLES * sizeof(*a->pcm);
	out.Buffer = frame;
	out.Length = ENCODER_AAC_FRAME_MAX;
	if (a->api.SetInputData(a->handle, &in) != VO_ERR_NONE ||
	    a->api.GetOutputData(a->handle, &out, &info) != VO_ERR_NONE)
		return -EIO;
	a->n -= ENCODER_AAC_SAMPLES;
	memmove(a->pcm, a->pcm + ENCODER_AAC_SAMPLES, a->n * sizeof(*a->pcm));
	return (int)out.Length;
}
