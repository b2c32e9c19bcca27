/* SPDX-License-Identifier: MIT */
#include "../cpu.h"
#include "vec_avx2.h"

VF vi vb_dpbusd(vi sum, vb a, vb b)
{
	return (vi)_mm256_dpbusd_avx_epi32((vb)sum, a, b);
}

#include "i8_vnni.h"
#include "q4.h"

void bk_ops_init_avxvnni(struct bk_ops *ops)
{
	bk_ops_init_avx2(ops);
	ops->gemm_i8 = gemm_i8;
	ops->gemm_q4 = gemm_q4;
}
