/* SPDX-License-Identifier: MIT */
#include "../cpu.h"
#include "vec_avx512.h"

#include "i8_madd.h"
#include "q4.h"
#include "../simd/ops.h"

void bk_ops_init_avx512(struct bk_ops *ops)
{
	fill_ops(ops);
}
