/* SPDX-License-Identifier: MIT */
/*
 * exp and what is made of it, by polynomials fitted for the least maximum
 * error. NaN in, NaN out. Errors measured over the whole range by the tests.
 */
#ifndef BK_SIMD_ELEMENTARY_H
#define BK_SIMD_ELEMENTARY_H

/* Where 2^n stays a normal number. */
#define EXP_MIN (-87.3f)
#define EXP_MAX 88.0f
/* ln 2 in two parts, the first with few enough bits to be exact times n. */
#define LN2_HIGH 0.693359375f
#define LN2_LOW  (-2.12194440e-4f)

/* x = n ln 2 + r; returns e^r - 1 and 2^n, x held within the limits above. */
VF vf exp_parts(vf x, vf *ret_scale)
{
	vf n, r, q;

	/* In this order a NaN stays. */
	x = vf_min(vf_set1(EXP_MAX), vf_max(vf_set1(EXP_MIN), x));
	n = vf_round(vf_mul(x, vf_set1(1.44269504f)));
	r = vf_fma(n, vf_set1(-LN2_HIGH), x);
	r = vf_fma(n, vf_set1(-LN2_LOW), r);
	q = vf_fma(r, vf_set1(0x1.6dbc68p-10f), vf_set1(0x1.124148p-7f));
	q = vf_fma(r, q, vf_set1(0x1.555454p-5f));
	q = vf_fma(r, q, vf_set1(0x1.555486p-3f));
	q = vf_fma(r, q, vf_set1(0.5f));
	*ret_scale = vf_exp2i(n);
	return vf_fma(vf_mul(r, r), q, r);
}

/* e^x; 0 below EXP_MIN, e^EXP_MAX above that. */
VF vf vf_exp(vf x)
{
	vf scale, e = exp_parts(x, &scale);

	return vf_select(vf_lt(x, vf_set1(EXP_MIN)), vf_zero(),
			 vf_fma(e, scale, scale));
}

/* e^x - 1, without cancellation near 0. */
VF vf vf_expm1(vf x)
{
	vf scale, e = exp_parts(x, &scale);

	return vf_fma(e, scale, vf_sub(scale, vf_set1(1)));
}

VF vf vf_sigmoid(vf x)
{
	vf e = vf_exp(vf_sub(vf_zero(), x));

	return vf_div(vf_set1(1), vf_add(vf_set1(1), e));
}

VF vf vf_tanh(vf x)
{
	vf e = vf_expm1(vf_add(x, x));
	vf t = vf_div(e, vf_add(e, vf_set1(2)));

	/* The quotient's rounding must not end beyond 1. */
	return vf_min(vf_set1(1), t);
}

/*
 * x times the normal distribution's integral up to x. Near 0 that is an odd
 * polynomial around 1/2; further out e^(p(|x|) - x^2 / 2) is the smaller tail.
 * Beyond |x| = 6, where the tail is below 1e-9, p stays at its last value.
 */
VF vf vf_gelu(vf x)
{
	vf one = vf_set1(1), half = vf_set1(0.5f);
	vf a = vf_abs(x), s = vf_mul(x, x), t, near, tail, far;

	near = vf_fma(s, vf_set1(-7.654232831555419e-06f),
		      vf_set1(0.00011348643602104858f));
	near = vf_fma(s, near, vf_set1(-0.0011863299878314137f));
	near = vf_fma(s, near, vf_set1(0.009973323903977871f));
	near = vf_fma(s, near, vf_set1(-0.06649035960435867f));
	near = vf_fma(s, near, vf_set1(0.3989422917366028f));
	near = vf_fma(x, near, half);

	t = vf_min(vf_set1(6), a);
	tail = vf_fma(t, vf_set1(-1.6433049268016475e-06f),
		      vf_set1(5.050268737250008e-05f));
	tail = vf_fma(t, tail, vf_set1(-0.0007105093100108206f));
	tail = vf_fma(t, tail, vf_set1(0.006178812123835087f));
	tail = vf_fma(t, tail, vf_set1(-0.03806272894144058f));
	tail = vf_fma(t, tail, vf_set1(0.1830485314130783f));
	tail = vf_fma(t, tail, vf_set1(-0.7984985113143921f));
	tail = vf_fma(t, tail, vf_set1(-0.693026065826416f));
	tail = vf_exp(vf_fma(s, vf_set1(-0.5f), tail));
	far = vf_select(vf_lt(x, vf_zero()), tail, vf_sub(one, tail));
	return vf_mul(x, vf_select(vf_lt(a, one), near, far));
}

#endif
