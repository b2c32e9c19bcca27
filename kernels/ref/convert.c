/* SPDX-License-Identifier: MIT */
#include "half.h"
#include "ref.h"

void bk_f16_to_f32_c(float *dst, const uint16_t *src, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = bk_f16_f32(src[i]);
}

void bk_f32_to_f16_c(uint16_t *dst, const float *src, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = bk_f32_f16(src[i]);
}

void bk_bf16_to_f32_c(float *dst, const uint16_t *src, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = bk_bf16_f32(src[i]);
}

void bk_f32_to_bf16_c(uint16_t *dst, const float *src, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = bk_f32_bf16(src[i]);
}
