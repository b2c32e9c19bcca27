/* SPDX-License-Identifier: MIT */
/* What simd/ needs of a vector, by AArch64's Advanced SIMD: 4 lanes. */
#ifndef BK_VEC_NEON_H
#define BK_VEC_NEON_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VL 4
/* 20 sums, 5 rows of x and the rows of w of the 32 registers. */
#define GEMM_MR 5
#define GEMM_NR 4

typedef float32x4_t vf;
typedef uint32x4_t vm;
/* Four floats whatever VL is. */
typedef float32x4_t v4;
/* Integers: VL of 32 bits. */
typedef int32x4_t vi;

#define VF static inline __attribute__((always_inline))

VF vf vf_zero(void) { return vdupq_n_f32(0); }
VF vf vf_set1(float a) { return vdupq_n_f32(a); }
VF vf vf_load(const float *p) { return vld1q_f32(p); }
VF void vf_store(float *p, vf a) { vst1q_f32(p, a); }
VF vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
VF vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
VF vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
VF vf vf_div(vf a, vf b) { return vdivq_f32(a, b); }
/* a * b + c */
VF vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
/* NaN where either is. */
VF vf vf_min(vf a, vf b) { return vminq_f32(a, b); }
VF vf vf_max(vf a, vf b) { return vmaxq_f32(a, b); }
VF vm vf_lt(vf a, vf b) { return vcltq_f32(a, b); }
VF vf vf_select(vm m, vf a, vf b) { return vbslq_f32(m, a, b); }
VF vf vf_abs(vf a) { return vabsq_f32(a); }
VF v4 v4_load(const float *p) { return vld1q_f32(p); }
VF void v4_store(float *p, v4 a) { vst1q_f32(p, a); }
VF v4 v4_add(v4 a, v4 b) { return vaddq_f32(a, b); }
VF vf vf_round(vf a) { return vrndnq_f32(a); }

/* 2^n for whole n in -126..127 */
VF vf vf_exp2i(vf n)
{
	int32x4_t e = vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127));

	return vreinterpretq_f32_s32(vshlq_n_s32(e, 23));
}

/* The first n < VL elements; zero in the other lanes. */
VF vf vf_load_n(const float *p, size_t n)
{
	float part[VL] = {0};

	memcpy(part, p, n * sizeof(*p));
	return vf_load(part);
}

VF void vf_store_n(float *p, vf a, size_t n)
{
	float part[VL];

	vf_store(part, a);
	memcpy(p, part, n * sizeof(*p));
}

/* The sums of four vectors' lanes; each by the same tree as vf_sum. */
VF v4 vf_sum4(vf a, vf b, vf c, vf d)
{
	return vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d));
}

VF float vf_sum(vf a)
{
	a = vpaddq_f32(a, a);
	return vgetq_lane_f32(vpaddq_f32(a, a), 0);
}

VF float vf_hmax(vf a)
{
	return vmaxvq_f32(a);
}

VF vf vf_load_f16(const uint16_t *p)
{
	return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}

VF void vf_store_f16(uint16_t *p, vf a)
{
	vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(a)));
}

VF vf vf_load_bf16(const uint16_t *p)
{
	return vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16));
}

VF void vf_store_bf16(uint16_t *p, vf a)
{
	uint32x4_t bits = vreinterpretq_u32_f32(a);
	uint32x4_t high = vshrq_n_u32(bits, 16);
	uint32x4_t odd = vandq_u32(high, vdupq_n_u32(1));
	uint32x4_t even = vaddq_u32(odd, vdupq_n_u32(0x7fff));
	uint32x4_t near = vshrq_n_u32(vaddq_u32(bits, even), 16);
	uint32x4_t quiet = vorrq_u32(high, vdupq_n_u32(0x40));

	vst1_u16(p, vmovn_u32(vbslq_u32(vceqq_f32(a, a), near, quiet)));
}

VF vf vf_load_f16_n(const uint16_t *p, size_t n)
{
	uint16_t part[VL] = {0};

	memcpy(part, p, n * sizeof(*p));
	return vf_load_f16(part);
}

VF vf vf_load_bf16_n(const uint16_t *p, size_t n)
{
	uint16_t part[VL] = {0};

	memcpy(part, p, n * sizeof(*p));
	return vf_load_bf16(part);
}

VF vf vf_from_i32(vi a) { return vcvtq_f32_s32(a); }

/* Rounded to the nearest; a within -127..127. */
VF void vf_store_i8(int8_t *p, vf a)
{
	int16x4_t h = vmovn_s32(vcvtnq_s32_f32(a));
	int8x8_t b = vmovn_s16(vcombine_s16(h, h));
	int32_t four = vget_lane_s32(vreinterpret_s32_s8(b), 0);

	memcpy(p, &four, sizeof(four));
}

#endif
