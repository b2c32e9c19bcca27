/* SPDX-License-Identifier: MIT */
#include "../cpu.h"
#include "vec_avx2.h"

#include "i8_madd.h"
#include "q4.h"
#include "../simd/ops.h"

void bk_ops_init_avx2(struct bk_ops *ops)
{
	fill_ops(ops);
}
