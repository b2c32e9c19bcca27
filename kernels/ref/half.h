/* SPDX-License-Identifier: MIT */
/* The 16-bit floats, one element at a time. */
#ifndef BK_HALF_H
#define BK_HALF_H

#include <stdint.h>
#include <string.h>

static inline float bk_bits_f32(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

static inline uint32_t bk_f32_bits(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

static inline float bk_f16_f32(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16;
	uint32_t bits = (uint32_t)(h & 0x7fff) << 13;

	if (bits >= 0x0f800000) /* infinity, NaN; a NaN becomes a quiet one */
		return bk_bits_f32(sign | 0x70000000 | bits |
				   (bits > 0x0f800000 ? 0x400000 : 0));
	/* The multiplication moves the exponent's bias, denormals included. */
	return bk_bits_f32(sign | bk_f32_bits(bk_bits_f32(bits) * 0x1p112f));
}

static inline uint16_t bk_f32_f16(float f)
{
	uint32_t bits = bk_f32_bits(f);
	uint32_t sign = bits >> 16 & 0x8000;

	bits &= 0x7fffffff;
	if (bits > 0x7f800000)
		return (uint16_t)(sign | 0x7e00 | (bits >> 13 & 0x1ff));
	if (bits >= 0x477ff000) /* rounds to 2^16 or more */
		return (uint16_t)(sign | 0x7c00);
	if (bits < 0x38800000) {
		/* Denormal: adding 0.5 makes the FPU round at bit 2^-24. */
		float r = bk_bits_f32(bits) + 0.5f;

		return (uint16_t)(sign | (bk_f32_bits(r) - 0x3f000000));
	}
	bits += 0xfff + (bits >> 13 & 1);
	return (uint16_t)(sign | (bits - 0x38000000) >> 13);
}

static inline float bk_bf16_f32(uint16_t h)
{
	return bk_bits_f32((uint32_t)h << 16);
}

static inline uint16_t bk_f32_bf16(float f)
{
	uint32_t bits = bk_f32_bits(f);

	if ((bits & 0x7fffffff) > 0x7f800000)
		return (uint16_t)(bits >> 16 | 0x40);
	return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

#endif
