/* SPDX-License-Identifier: MIT */
#ifndef BK_SIMD_CONVERT_H
#define BK_SIMD_CONVERT_H

static void f16_to_f32(float *dst, const uint16_t *src, size_t n)
{
	size_t i = 0;

	for (; i + VL <= n; i += VL)
		vf_store(dst + i, vf_load_f16(src + i));
	if (i < n)
		vf_store_n(dst + i, vf_load_f16_n(src + i, n - i), n - i);
}

static void bf16_to_f32(float *dst, const uint16_t *src, size_t n)
{
	size_t i = 0;

	for (; i + VL <= n; i += VL)
		vf_store(dst + i, vf_load_bf16(src + i));
	if (i < n)
		vf_store_n(dst + i, vf_load_bf16_n(src + i, n - i), n - i);
}

static void f32_to_f16(uint16_t *dst, const float *src, size_t n)
{
	uint16_t part[VL];
	size_t i = 0;

	for (; i + VL <= n; i += VL)
		vf_store_f16(dst + i, vf_load(src + i));
	if (i < n) {
		vf_store_f16(part, vf_load_n(src + i, n - i));
		memcpy(dst + i, part, (n - i) * sizeof(*part));
	}
}

static void f32_to_bf16(uint16_t *dst, const float *src, size_t n)
{
	uint16_t part[VL];
	size_t i = 0;

	for (; i + VL <= n; i += VL)
		vf_store_bf16(dst + i, vf_load(src + i));
	if (i < n) {
		vf_store_bf16(part, vf_load_n(src + i, n - i));
		memcpy(dst + i, part, (n - i) * sizeof(*part));
	}
}

#endif
