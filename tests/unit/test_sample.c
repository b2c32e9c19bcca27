/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "philox.h"
#include "sample.h"
#include "tap.h"

static struct bk_ops ops;

/* Known answers of the authors' Random123 distribution (kat_vectors). */
static void test_philox(void)
{
	struct bark_philox z = bark_philox(0, 0, 0, 0, 0);
	struct bark_philox f = bark_philox(UINT64_MAX, ~0u, ~0u, ~0u, ~0u);
	struct bark_philox p = bark_philox(0x299f31d0a4093822, 0x243f6a88,
					   0x85a308d3, 0x13198a2e, 0x03707344);
	const uint32_t kz[] = { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 };
	const uint32_t kf[] = { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd };
	const uint32_t kp[] = { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 };

	TAP_CHECK("philox", memcmp(z.v, kz, sizeof(kz)) == 0);
	TAP_CHECK("philox", memcmp(f.v, kf, sizeof(kf)) == 0);
	TAP_CHECK("philox", memcmp(p.v, kp, sizeof(kp)) == 0);
	tap_ok("philox");
}

static void draw_many(struct bark_sampler *s, const float *logits, size_t n,
		      const struct bark_sampling *how, double *freq,
		      unsigned draws)
{
	memset(freq, 0, n * sizeof(*freq));
	for (unsigned i = 0; i < draws; i++)
		freq[bark_sample(s, logits, n, how, 0, 0, i)] +=
			1.0 / draws;
}

static void test_distribution(void)
{
	const float logits[] = { 1, 3, -INFINITY, 2, 0 };
	const struct bark_sampling how = { true, 0.7f, 0, 1 };
	struct bark_sampler s = { .ops = &ops, .seed = 7 };
	double freq[5], total = 0;

	TAP_CHECK("distribution", bark_sampler_init(&s, 5) == 0);
	draw_many(&s, logits, 5, &how, freq, 40000);
	for (int i = 0; i < 5; i++)
		total += exp(logits[i] / 0.7);
	for (int i = 0; i < 5; i++)
		TAP_CHECK("distribution",
			  fabs(freq[i] - exp(logits[i] / 0.7) / total) < 0.01);
	TAP_CHECK("distribution", freq[2] == 0);
	bark_sampler_clear(&s);
	tap_ok("distribution");
}

static void test_restrictions(void)
{
	const float logits[] = { 1, 3, 0.5f, 2, 0 };
	struct bark_sampling how = { true, 1, 2, 1 };
	struct bark_sampler s = { .ops = &ops, .seed = 7 };
	double freq[5];

	TAP_CHECK("top-k", bark_sampler_init(&s, 5) == 0);
	draw_many(&s, logits, 5, &how, freq, 2000);
	TAP_CHECK("top-k", freq[1] > 0 && freq[3] > 0 &&
			   freq[0] + freq[2] + freq[4] == 0);
	tap_ok("top-k");

	/* p(1) = 0.61, p(3) = 0.22: the one that crosses 0.7 stays. */
	how.top_k = 0;
	how.top_p = 0.7f;
	draw_many(&s, logits, 5, &how, freq, 2000);
	TAP_CHECK("top-p", freq[1] > 0 && freq[3] > 0 &&
			   freq[0] + freq[2] + freq[4] == 0);
	tap_ok("top-p");

	how = (struct bark_sampling){ false, 1, 0, 1 };
	TAP_CHECK("greedy", bark_sample(&s, logits, 5, &how, 0, 0, 0) == 1);
	how.do_sample = true;
	s.greedy = 1;
	TAP_CHECK("greedy", bark_sample(&s, logits, 5, &how, 0, 0, 0) == 1);
	tap_ok("greedy");
	bark_sampler_clear(&s);
}

static void test_keys(void)
{
	const struct bark_sampling how = { true, 1, 0, 1 };
	float logits[64] = { 0 };
	struct bark_sampler s = { .ops = &ops, .seed = 1 };
	size_t first[32], changed_seed = 0, changed_stage = 0;

	TAP_CHECK("keys", bark_sampler_init(&s, 64) == 0);
	for (uint32_t i = 0; i < 32; i++)
		first[i] = bark_sample(&s, logits, 64, &how, 2, 1, i);
	for (uint32_t i = 32; i-- > 0;) {
		TAP_CHECK("keys", bark_sample(&s, logits, 64, &how, 2, 1, i) ==
					  first[i]);
		changed_stage += bark_sample(&s, logits, 64, &how, 2, 0, i) !=
				 first[i];
	}
	s.seed = 2;
	for (uint32_t i = 0; i < 32; i++)
		changed_seed += bark_sample(&s, logits, 64, &how, 2, 1, i) !=
				first[i];
	TAP_CHECK("keys", changed_seed > 20 && changed_stage > 20);
	bark_sampler_clear(&s);
	tap_ok("keys");
}

int main(void)
{
	bk_ops_init(&ops, ~0u);
	test_philox();
	test_distribution();
	test_restrictions();
	test_keys();
	return tap_failed;
}
