/* SPDX-License-Identifier: MIT */
#ifndef BK_SIMD_QUANTIZE_H
#define BK_SIMD_QUANTIZE_H

/* Below this the factor 127 / max may overflow; such a group is zero. */
#define QUANTIZE_LEAST 0x1p-100f

/* Elements j.. of a group of n, zeros after its end. */
VF vf group_load(const float *x, size_t j, size_t n)
{
	if (j + VL <= n)
		return vf_load(x + j);
	return j < n ? vf_load_n(x + j, n - j) : vf_zero();
}

static void quantize_i8(int8_t *q, float *scale, const float *x, size_t k)
{
	for (size_t g = 0; g < k; g += BK_I8_GROUP) {
		size_t n = k - g < BK_I8_GROUP ? k - g : BK_I8_GROUP;
		vf max = vf_zero(), f;
		float top;

		for (size_t j = 0; j < n; j += VL)
			max = vf_max(max, vf_abs(group_load(x + g, j, n)));
		top = vf_hmax(max);
		*scale++ = top < QUANTIZE_LEAST ? 0 : top / 127;
		f = vf_set1(top < QUANTIZE_LEAST ? 0 : 127 / top);
		for (size_t j = 0; j < BK_I8_GROUP; j += VL)
			vf_store_i8(q + g + j,
				    vf_mul(group_load(x + g, j, n), f));
	}
}

#endif
