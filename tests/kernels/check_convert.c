/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <string.h>

#define HALVES 65536
#define ROUNDS 400

/* Every half, and random floats of every exponent, bit for bit. */
static uint32_t float_bits(void)
{
	uint32_t bits = check_rand();

	switch (check_rand() % 8) {
	case 0: /* exactly half way between two halves, or nearly */
		return (bits & 0xffffe000) | (0x1000 + check_rand() % 3 - 1);
	case 1: /* the same for bfloat16 */
		return (bits & 0xffff0000) | (0x8000 + check_rand() % 3 - 1);
	case 2: /* where halves are denormal, or overflow */
		return (bits & 0x807fffff) | (96 + check_rand() % 56) << 23;
	default:
		return bits;
	}
}

static const char *widen(void (*got)(float *, const uint16_t *, size_t),
			 void (*want)(float *, const uint16_t *, size_t))
{
	struct guarded ga, gb, gs;
	float *a = guarded_new(&ga, HALVES, sizeof(*a));
	float *b = guarded_new(&gb, HALVES, sizeof(*b));
	uint16_t *s = guarded_new(&gs, HALVES, sizeof(*s));
	int same, whole;

	for (size_t i = 0; i < HALVES; i++)
		s[i] = (uint16_t)i;
	got(a, s, HALVES);
	want(b, s, HALVES);
	same = !memcmp(a, b, HALVES * sizeof(*a));
	for (int i = 0; i < ROUNDS; i++) { /* tails */
		size_t n = check_size(1, 70), at = check_rand() % (HALVES - n);

		got(a, s + at, n);
		same &= !memcmp(a, b + at, n * sizeof(*a));
	}
	whole = guarded_free(&ga);
	whole &= guarded_free(&gb);
	whole &= guarded_free(&gs);
	return !whole ? "wrote outside a buffer" :
	       same   ? NULL :
			"differs from plain C";
}

static const char *narrow(void (*got)(uint16_t *, const float *, size_t),
			  void (*want)(uint16_t *, const float *, size_t))
{
	int same = 1, whole = 1;

	for (int i = 0; i < ROUNDS; i++) {
		size_t n = check_size(1, 600);
		struct guarded ga, gb, gs;
		uint16_t *a = guarded_new(&ga, n, sizeof(*a));
		uint16_t *b = guarded_new(&gb, n, sizeof(*b));
		uint32_t *s = guarded_new(&gs, n, sizeof(*s));

		for (size_t j = 0; j < n; j++)
			s[j] = float_bits();
		got(a, (const float *)(const void *)s, n);
		want(b, (const float *)(const void *)s, n);
		same &= !memcmp(a, b, n * sizeof(*a));
		whole &= guarded_free(&ga);
		whole &= guarded_free(&gb);
		whole &= guarded_free(&gs);
	}
	return !whole ? "wrote outside a buffer" :
	       same   ? NULL :
			"differs from plain C";
}

/* Plain C itself: known values, and that every half survives the round trip. */
static const char *known(const struct bk_ops *ops)
{
	static const struct {
		float f;
		uint16_t f16, bf16;
	} values[] = {
		{0, 0, 0},
		{-0.0f, 0x8000, 0x8000},
		{1, 0x3c00, 0x3f80},
		{-2, 0xc000, 0xc000},
		{65504, 0x7bff, 0x4780},
		{65519.996f, 0x7bff, 0x4780},
		{65520, 0x7c00, 0x4780},
		{0x1p-14f, 0x0400, 0x3880},
		{0x1p-24f, 0x0001, 0x3380},
		{0x1p-25f, 0x0000, 0x3300},
		{0x1.000002p-25f, 0x0001, 0x3300},
		{1.00390625f, 0x3c04, 0x3f80},
		{1.01171875f, 0x3c0c, 0x3f82},
	};
	uint16_t f16, bf16, back;
	float f;

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		ops->f32_to_f16(&f16, &values[i].f, 1);
		ops->f32_to_bf16(&bf16, &values[i].f, 1);
		if (f16 != values[i].f16 || bf16 != values[i].bf16)
			return "a known value is wrong";
	}
	for (uint32_t i = 0; i < HALVES; i++) {
		uint16_t h = (uint16_t)i;

		if ((h & 0x7fff) > 0x7c00) /* NaN */
			continue;
		ops->f16_to_f32(&f, &h, 1);
		ops->f32_to_f16(&back, &f, 1);
		if (back != h)
			return "a half does not survive the round trip";
	}
	return NULL;
}

void check_convert(const struct check *c)
{
	const struct bk_ops *o = &c->ops, *r = &c->ref;
	const struct error none = {0};

	error_report(c, "known-halves", &none, known(o));
	error_report(c, "f16-to-f32", &none,
		     widen(o->f16_to_f32, r->f16_to_f32));
	error_report(c, "bf16-to-f32", &none,
		     widen(o->bf16_to_f32, r->bf16_to_f32));
	error_report(c, "f32-to-f16", &none,
		     narrow(o->f32_to_f16, r->f32_to_f16));
	error_report(c, "f32-to-bf16", &none,
		     narrow(o->f32_to_bf16, r->f32_to_bf16));
}
