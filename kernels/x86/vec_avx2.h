/* SPDX-License-Identifier: MIT */
/* What simd/ needs of a vector, by AVX2, FMA and F16C: 8 lanes. */
#ifndef BK_VEC_AVX2_H
#define BK_VEC_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VL 8
/* 12 sums, 3 rows of x and one of w: all 16 registers. */
#define GEMM_MR 3
#define GEMM_NR 4

typedef __m256 vf;
typedef __m256 vm;
/* Four floats whatever VL is. */
typedef __m128 v4;

/* Integers: VL of 32 bits, and the same width in bytes. */
typedef int32_t vi __attribute__((vector_size(32)));
typedef __m256i vb;

#define VF static inline __attribute__((always_inline))

VF vf vf_zero(void) { return _mm256_setzero_ps(); }
VF vf vf_set1(float a) { return _mm256_set1_ps(a); }
VF vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
VF void vf_store(float *p, vf a) { _mm256_storeu_ps(p, a); }
VF vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
VF vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
VF vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
VF vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
/* a * b + c */
VF vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
/* b where either is NaN. */
VF vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
VF vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
VF vm vf_lt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
VF vf vf_select(vm m, vf a, vf b) { return _mm256_blendv_ps(b, a, m); }

VF v4 v4_load(const float *p) { return _mm_loadu_ps(p); }
VF void v4_store(float *p, v4 a) { _mm_storeu_ps(p, a); }
VF v4 v4_add(v4 a, v4 b) { return _mm_add_ps(a, b); }

VF vf vf_abs(vf a)
{
	return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a);
}

VF vf vf_round(vf a)
{
	return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT |
				  _MM_FROUND_NO_EXC);
}

/* 2^n for whole n in -126..127 */
VF vf vf_exp2i(vf n)
{
	__m256i e = _mm256_add_epi32(_mm256_cvtps_epi32(n),
				     _mm256_set1_epi32(127));

	return _mm256_castsi256_ps(_mm256_slli_epi32(e, 23));
}

VF __m256i vf_tail_mask(size_t n)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n),
				  _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* The first n < VL elements; zero in the other lanes. */
VF vf vf_load_n(const float *p, size_t n)
{
	return _mm256_maskload_ps(p, vf_tail_mask(n));
}

VF void vf_store_n(float *p, vf a, size_t n)
{
	_mm256_maskstore_ps(p, vf_tail_mask(n), a);
}

VF __m128 vf_halves(vf a)
{
	return _mm_add_ps(_mm256_castps256_ps128(a),
			  _mm256_extractf128_ps(a, 1));
}

/* The sums of four vectors' lanes; each by the same tree as vf_sum. */
VF v4 vf_sum4(vf a, vf b, vf c, vf d)
{
	__m128 ab = _mm_hadd_ps(vf_halves(a), vf_halves(b));
	__m128 cd = _mm_hadd_ps(vf_halves(c), vf_halves(d));

	return _mm_hadd_ps(ab, cd);
}

VF float vf_sum(vf a)
{
	__m128 s = vf_halves(a);

	s = _mm_hadd_ps(s, s);
	return _mm_cvtss_f32(_mm_hadd_ps(s, s));
}

VF float vf_hmax(vf a)
{
	__m128 s = _mm_max_ps(_mm256_castps256_ps128(a),
			      _mm256_extractf128_ps(a, 1));

	s = _mm_max_ps(s, _mm_movehl_ps(s, s));
	return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

VF vf vf_load_f16(const uint16_t *p)
{
	return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}

VF void vf_store_f16(uint16_t *p, vf a)
{
	_mm_storeu_si128((__m128i *)p,
			 _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT));
}

VF vf vf_load_bf16(const uint16_t *p)
{
	__m128i h = _mm_loadu_si128((const __m128i *)p);

	return _mm256_castsi256_ps(
		_mm256_slli_epi32(_mm256_cvtepu16_epi32(h), 16));
}

VF void vf_store_bf16(uint16_t *p, vf a)
{
	__m256i bits = _mm256_castps_si256(a);
	__m256i high = _mm256_srli_epi32(bits, 16);
	__m256i odd = _mm256_and_si256(high, _mm256_set1_epi32(1));
	__m256i even = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
	__m256i near = _mm256_srli_epi32(_mm256_add_epi32(bits, even), 16);
	__m256i quiet = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
	__m256 nan = _mm256_cmp_ps(a, a, _CMP_UNORD_Q);
	__m256i r = _mm256_blendv_epi8(near, quiet, _mm256_castps_si256(nan));

	r = _mm256_packus_epi32(r, r);
	r = _mm256_permute4x64_epi64(r, 0x08);
	_mm_storeu_si128((__m128i *)p, _mm256_castsi256_si128(r));
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

/* Rounded to the nearest; a within -127..127. */
VF void vf_store_i8(int8_t *p, vf a)
{
	__m256i i = _mm256_cvtps_epi32(a);
	__m128i h = _mm_packs_epi32(_mm256_castsi256_si128(i),
				    _mm256_extracti128_si256(i, 1));

	_mm_storel_epi64((__m128i *)p, _mm_packs_epi16(h, h));
}

VF vf vf_from_i32(vi a) { return _mm256_cvtepi32_ps((__m256i)a); }
VF vb vb_load(const void *p) { return _mm256_loadu_si256((const vb *)p); }
VF void vb_store(void *p, vb a) { _mm256_storeu_si256((vb *)p, a); }
VF vb vb_set1_four(int32_t a) { return _mm256_set1_epi32(a); }
VF vb vb_abs(vb a) { return _mm256_abs_epi8(a); }
/* a with its sign changed where b is negative; anything where b is 0. */
VF vb vb_sign(vb a, vb b) { return _mm256_sign_epi8(a, b); }

/* Integers of 16 bits: sums of two products of unsigned a and signed b. */
VF vb vb_maddubs(vb a, vb b) { return _mm256_maddubs_epi16(a, b); }
VF vb vb_add_pairs(vb a, vb b) { return _mm256_add_epi16(a, b); }
/* Each lane's sum of the products of two of them with two of b. */
VF vi vb_dot_pairs(vb a, vb b) { return (vi)_mm256_madd_epi16(a, b); }
VF vb vb_and(vb a, vb b) { return _mm256_and_si256(a, b); }
/* 8-bit integers as 32-bit ones. */
VF vi vi_load_i8(const int8_t *p)
{
	return (vi)_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p));
}

/* Each lane's sum of four products of unsigned a <= 127 and signed b. */
VF vi vb_dot(vb a, vb b)
{
	return vb_dot_pairs(vb_maddubs(a, b), _mm256_set1_epi16(1));
}

#endif
