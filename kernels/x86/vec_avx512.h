/* SPDX-License-Identifier: MIT */
/* What simd/ needs of a vector, by AVX-512 F, BW, VL and DQ: 16 lanes. */
#ifndef BK_VEC_AVX512_H
#define BK_VEC_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VL 16
/* 24 sums, 6 rows of x and one of w of the 32 registers. */
#define GEMM_MR 6
#define GEMM_NR 4

typedef __m512 vf;
typedef __mmask16 vm;
/* Four floats whatever VL is. */
typedef __m128 v4;

/* Integers: VL of 32 bits, and the same width in bytes. */
typedef int32_t vi __attribute__((vector_size(64)));
typedef __m512i vb;

#define VF static inline __attribute__((always_inline))

VF vf vf_zero(void) { return _mm512_setzero_ps(); }
VF vf vf_set1(float a) { return _mm512_set1_ps(a); }
VF vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
VF void vf_store(float *p, vf a) { _mm512_storeu_ps(p, a); }
VF vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
VF vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
VF vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
VF vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
/* a * b + c */
VF vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
/* b where either is NaN. */
VF vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
VF vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
VF vm vf_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
VF vf vf_select(vm m, vf a, vf b) { return _mm512_mask_blend_ps(m, b, a); }

VF v4 v4_load(const float *p) { return _mm_loadu_ps(p); }
VF void v4_store(float *p, v4 a) { _mm_storeu_ps(p, a); }
VF v4 v4_add(v4 a, v4 b) { return _mm_add_ps(a, b); }

VF vf vf_abs(vf a)
{
	return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a);
}

VF vf vf_round(vf a)
{
	return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT |
				       _MM_FROUND_NO_EXC);
}

/* 2^n for whole n in -126..127 */
VF vf vf_exp2i(vf n)
{
	__m512i e = _mm512_add_epi32(_mm512_cvtps_epi32(n),
				     _mm512_set1_epi32(127));

	return _mm512_castsi512_ps(_mm512_slli_epi32(e, 23));
}

VF __mmask16 vf_tail_mask(size_t n)
{
	return (__mmask16)((1u << n) - 1);
}

/* The first n < VL elements; zero in the other lanes. */
VF vf vf_load_n(const float *p, size_t n)
{
	return _mm512_maskz_loadu_ps(vf_tail_mask(n), p);
}

VF void vf_store_n(float *p, vf a, size_t n)
{
	_mm512_mask_storeu_ps(p, vf_tail_mask(n), a);
}

/* Lane l of the quarters added up: (0 + 2) + (1 + 3). */
VF __m128 vf_quarters(vf a)
{
	__m256 s = _mm256_add_ps(_mm512_castps512_ps256(a),
				 _mm512_extractf32x8_ps(a, 1));

	return _mm_add_ps(_mm256_castps256_ps128(s),
			  _mm256_extractf128_ps(s, 1));
}

/* The sums of four vectors' lanes; each by the same tree as vf_sum. */
VF v4 vf_sum4(vf a, vf b, vf c, vf d)
{
	__m128 ab = _mm_hadd_ps(vf_quarters(a), vf_quarters(b));
	__m128 cd = _mm_hadd_ps(vf_quarters(c), vf_quarters(d));

	return _mm_hadd_ps(ab, cd);
}

VF float vf_sum(vf a)
{
	__m128 s = vf_quarters(a);

	s = _mm_hadd_ps(s, s);
	return _mm_cvtss_f32(_mm_hadd_ps(s, s));
}

VF float vf_hmax(vf a)
{
	return _mm512_reduce_max_ps(a);
}

VF vf vf_load_f16(const uint16_t *p)
{
	return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}

VF vf vf_load_f16_n(const uint16_t *p, size_t n)
{
	return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(vf_tail_mask(n), p));
}

VF void vf_store_f16(uint16_t *p, vf a)
{
	_mm256_storeu_si256((__m256i *)p,
			    _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
}

VF vf vf_from_bf16(__m256i h)
{
	return _mm512_castsi512_ps(
		_mm512_slli_epi32(_mm512_cvtepu16_epi32(h), 16));
}

VF vf vf_load_bf16(const uint16_t *p)
{
	return vf_from_bf16(_mm256_loadu_si256((const __m256i *)p));
}

VF vf vf_load_bf16_n(const uint16_t *p, size_t n)
{
	return vf_from_bf16(_mm256_maskz_loadu_epi16(vf_tail_mask(n), p));
}

VF void vf_store_bf16(uint16_t *p, vf a)
{
	__m512i bits = _mm512_castps_si512(a);
	__m512i high = _mm512_srli_epi32(bits, 16);
	__m512i odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
	__m512i even = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
	__m512i near = _mm512_srli_epi32(_mm512_add_epi32(bits, even), 16);
	__m512i quiet = _mm512_or_si512(high, _mm512_set1_epi32(0x40));
	__mmask16 nan = _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);

	_mm256_storeu_si256((__m256i *)p,
			    _mm512_cvtepi32_epi16(_mm512_mask_blend_epi32(
				    nan, near, quiet)));
}

/* Rounded to the nearest; a within -127..127. */
VF void vf_store_i8(int8_t *p, vf a)
{
	_mm_storeu_si128((__m128i *)p,
			 _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(a)));
}

VF vf vf_from_i32(vi a) { return _mm512_cvtepi32_ps((__m512i)a); }
VF vb vb_load(const void *p) { return _mm512_loadu_si512(p); }
VF void vb_store(void *p, vb a) { _mm512_storeu_si512(p, a); }
VF vb vb_set1_four(int32_t a) { return _mm512_set1_epi32(a); }
VF vb vb_abs(vb a) { return _mm512_abs_epi8(a); }

/* a with its sign changed where b is negative. */
VF vb vb_sign(vb a, vb b)
{
	return _mm512_mask_sub_epi8(a, _mm512_movepi8_mask(b),
				    _mm512_setzero_si512(), a);
}

/* Integers of 16 bits: sums of two products of unsigned a and signed b. */
VF vb vb_maddubs(vb a, vb b) { return _mm512_maddubs_epi16(a, b); }
VF vb vb_add_pairs(vb a, vb b) { return _mm512_add_epi16(a, b); }
/* Each lane's sum of the products of two of them with two of b. */
VF vi vb_dot_pairs(vb a, vb b) { return (vi)_mm512_madd_epi16(a, b); }
VF vb vb_and(vb a, vb b) { return _mm512_and_si512(a, b); }
/* 8-bit integers as 32-bit ones. */
VF vi vi_load_i8(const int8_t *p)
{
	return (vi)_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p));
}

/* Each lane's sum of four products of unsigned a <= 127 and signed b. */
VF vi vb_dot(vb a, vb b)
{
	return vb_dot_pairs(vb_maddubs(a, b), _mm512_set1_epi16(1));
}

#endif
