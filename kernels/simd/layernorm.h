/* SPDX-License-Identifier: MIT */
#ifndef BK_SIMD_LAYERNORM_H
#define BK_SIMD_LAYERNORM_H

/* Sums that hide an addition's latency. */
#define LN_SUMS 4

/* The sum of x[c] - sub, or of its square. */
VF float row_sum(const float *x, float sub, size_t n, int square)
{
	vf acc[LN_SUMS], s = vf_set1(sub), d;
	size_t c = 0;
	float tail = 0;

	for (size_t i = 0; i < LN_SUMS; i++)
		acc[i] = vf_zero();
	for (; c + LN_SUMS * VL <= n; c += LN_SUMS * VL)
		for (size_t i = 0; i < LN_SUMS; i++) {
			d = vf_sub(vf_load(x + c + i * VL), s);
			acc[i] = square ? vf_fma(d, d, acc[i]) :
					  vf_add(acc[i], d);
		}
	for (; c + VL <= n; c += VL) {
		d = vf_sub(vf_load(x + c), s);
		acc[0] = square ? vf_fma(d, d, acc[0]) : vf_add(acc[0], d);
	}
	for (; c < n; c++)
		tail += square ? (x[c] - sub) * (x[c] - sub) : x[c] - sub;
	return vf_sum(vf_add(vf_add(acc[0], acc[1]), vf_add(acc[2], acc[3]))) +
	       tail;
}

static void layernorm(float *y, const float *x, const float *gain,
		      const float *bias, size_t rows, size_t n, float eps)
{
	for (size_t r = 0; r < rows; r++, x += n, y += n) {
		float mean = row_sum(x, 0, n, 0) / (float)n;
		float var = row_sum(x, mean, n, 1) / (float)n;
		float inv = 1 / sqrtf(var + eps);
		vf m = vf_set1(mean), f = vf_set1(inv), d;
		size_t c = 0;

		for (; c + VL <= n; c += VL) {
			d = vf_mul(vf_sub(vf_load(x + c), m), f);
			vf_store(y + c,
				 vf_fma(d, vf_load(gain + c),
					bias ? vf_load(bias + c) : vf_zero()));
		}
		for (; c < n; c++)
			y[c] = (x[c] - mean) * inv * gain[c] +
			       (bias ? bias[c] : 0);
	}
}

#endif
