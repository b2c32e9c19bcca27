/* SPDX-License-Identifier: MIT */
#include "cpu.h"

static const struct {
	const char *name;
	void (*init)(struct bk_ops *ops); /* NULL: not in this build */
} levels[BK_LEVELS] = {
	[BK_LEVEL_C] = {"c", bk_ops_init_c},
#ifdef BK_HAVE_AVX2
	[BK_LEVEL_AVX2] = {"avx2", bk_ops_init_avx2},
#else
	[BK_LEVEL_AVX2] = {"avx2", NULL},
#endif
#ifdef BK_HAVE_AVXVNNI
	[BK_LEVEL_AVXVNNI] = {"avxvnni", bk_ops_init_avxvnni},
#else
	[BK_LEVEL_AVXVNNI] = {"avxvnni", NULL},
#endif
#ifdef BK_HAVE_AVX512
	[BK_LEVEL_AVX512] = {"avx512", bk_ops_init_avx512},
#else
	[BK_LEVEL_AVX512] = {"avx512", NULL},
#endif
#ifdef BK_HAVE_AVX512VNNI
	[BK_LEVEL_AVX512VNNI] = {"avx512vnni", bk_ops_init_avx512vnni},
#else
	[BK_LEVEL_AVX512VNNI] = {"avx512vnni", NULL},
#endif
#ifdef BK_HAVE_NEON
	[BK_LEVEL_NEON] = {"neon", bk_ops_init_neon},
#else
	[BK_LEVEL_NEON] = {"neon", NULL},
#endif
#ifdef BK_HAVE_NEONDOT
	[BK_LEVEL_NEONDOT] = {"neondot", bk_ops_init_neondot},
#else
	[BK_LEVEL_NEONDOT] = {"neondot", NULL},
#endif
};

unsigned bk_cpu_levels(void)
{
	unsigned mask = bk_cpu_detect();

	for (unsigned i = 0; i < BK_LEVELS; i++)
		if (!levels[i].init)
			mask &= ~(1u << i);
	return mask;
}

void bk_ops_init(struct bk_ops *ret, unsigned mask)
{
	mask = (mask & bk_cpu_levels()) | 1u << BK_LEVEL_C;
	for (unsigned i = 0; i < BK_LEVELS; i++) {
		if (!(mask & 1u << i))
			continue;
		levels[i].init(ret);
		ret->level = (enum bk_level)i;
		ret->name = levels[i].name;
	}
}

const char *bk_level_name(enum bk_level level)
{
	return (unsigned)level < BK_LEVELS ? levels[level].name : "?";
}

size_t bk_dtype_size(enum bk_dtype type)
{
	return type == BK_F32 ? sizeof(float) : sizeof(uint16_t);
}
