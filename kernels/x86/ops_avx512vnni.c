/* SPDX-License-Identifier: MIT */
#include "../cpu.h"
#include "vec_avx512.h"

VF vi vb_dpbusd(vi sum, vb a, vb b)
{
	return (vi)_mm512_dpbusd_epi32((vb)sum, a, b);
}

#include "i8_vnni.h"
#include "q4.h"

void bk_ops_init_avx512vnni(struct bk_ops *ops)
{
	bk_ops_init_avx512(ops);
	ops->gemm_i8 = gemm_i8;
	ops->gemm_q4 = gemm_q4;
}
