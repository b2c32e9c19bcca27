/* SPDX-License-Identifier: MIT */
/* One element at a time: the same bits wherever in a vector it lies. */
#ifndef BK_SIMD_POINTWISE_H
#define BK_SIMD_POINTWISE_H

static void gelu(float *x, size_t n)
{
	size_t i = 0;

	for (; i + VL <= n; i += VL)
		vf_store(x + i, vf_gelu(vf_load(x + i)));
	if (i < n)
		vf_store_n(x + i, vf_gelu(vf_load_n(x + i, n - i)), n - i);
}

VF vf vf_elu(vf x)
{
	return vf_select(vf_lt(vf_zero(), x), x, vf_expm1(x));
}

static void elu(float *y, const float *x, size_t n)
{
	size_t i = 0;

	for (; i + VL <= n; i += VL)
		vf_store(y + i, vf_elu(vf_load(x + i)));
	if (i < n)
		vf_store_n(y + i, vf_elu(vf_load_n(x + i, n - i)), n - i);
}

static void add(float *y, const float *x, size_t n)
{
	size_t i = 0;

	for (; i + VL <= n; i += VL)
		vf_store(y + i, vf_add(vf_load(y + i), vf_load(x + i)));
	for (; i < n; i++)
		y[i] += x[i];
}

/* Gates i, f, g, o and the state; the new state, and the output in ret_h. */
VF vf lstm(vf i, vf f, vf g, vf o, vf c, vf *ret_h)
{
	c = vf_fma(vf_sigmoid(f), c, vf_mul(vf_sigmoid(i), vf_tanh(g)));
	*ret_h = vf_mul(vf_sigmoid(o), vf_tanh(c));
	return c;
}

static void lstm_cell(float *h, float *c, const float *gates, size_t n)
{
	const float *i = gates, *f = i + n, *g = f + n, *o = g + n;
	size_t j = 0, left;
	vf hv, cv;

	for (; j + VL <= n; j += VL) {
		cv = lstm(vf_load(i + j), vf_load(f + j), vf_load(g + j),
			  vf_load(o + j), vf_load(c + j), &hv);
		vf_store(c + j, cv);
		vf_store(h + j, hv);
	}
	left = n - j;
	if (left) {
		cv = lstm(vf_load_n(i + j, left), vf_load_n(f + j, left),
			  vf_load_n(g + j, left), vf_load_n(o + j, left),
			  vf_load_n(c + j, left), &hv);
		vf_store_n(c + j, cv, left);
		vf_store_n(h + j, hv, left);
	}
}

static size_t argmax(const float *x, size_t n)
{
	vf max = vf_set1(-INFINITY);
	size_t i = 0;
	float best;

	for (; i + VL <= n; i += VL)
		max = vf_max(max, vf_load(x + i));
	best = vf_hmax(max);
	for (; i < n; i++)
		best = x[i] > best ? x[i] : best;
	for (i = 0; i < n; i++)
		if (x[i] == best)
			return i;
	return 0; /* NaN */
}

#endif
